/**
 * One visit to the market: who is asking, where in the market they are, what happens meanwhile.
 * Pages below read its fields and are drawn again when these change.
 */
import { createContext } from "svelte";
import { publicApi } from "../net/api.ts";
import { Decisions } from "../net/decisions.ts";
import { declined, wordsOf } from "../net/declined.ts";
import { type Account, type Currency, formatMoney, type PlanetInfo } from "../net/domain.ts";
import { EventStream, type HappenedEvent, type StreamState } from "../net/event_stream.ts";
import { anyIdentity, knownIdentity } from "../net/open_identity.ts";
import { keepPreferences } from "../net/preferences.ts";
import { isOf } from "./happenings.ts";
import { MarketApi } from "./market_api.ts";
import { formatRoute, parseRoute, type Route } from "./route.ts";
import type { Balance, Group, Terms } from "./shapes.ts";
import { Toasts } from "./toasts.svelte.ts";

export type Standing =
  | { readonly kind: "opening" }
  /** Nobody has walked here with this browser: looking makes nobody an account. */
  | { readonly kind: "stranger" }
  | { readonly kind: "known"; readonly account: Account }
  | { readonly kind: "failed"; readonly text: string };

/** Several events of one deed come together: one question answers them all. */
const SETTLE_MS = 120;

export class Visit {
  route = $state.raw<Route>(parseRoute(location.search));
  standing = $state.raw<Standing>({ kind: "opening" });
  stream = $state<StreamState>("connecting");
  balances = $state.raw<readonly Balance[]>([]);
  unread = $state(0);
  terms = $state.raw<Terms>();
  planet = $state.raw<PlanetInfo>();
  /** The groups that one may buy, sell and decide for. */
  actingGroups = $state.raw<readonly Group[]>([]);
  /** Oneself and those groups: whose land is one's own. */
  readonly ownIds = $derived.by(() => {
    const groups = this.actingGroups.map(({ group_id }) => group_id);
    return new Set(this.standing.kind === "known" ? [this.standing.account.accountId, ...groups] : groups);
  });
  readonly toasts = new Toasts();
  readonly #listeners = new Set<(event: HappenedEvent | undefined) => void>();
  readonly #decisions = new Decisions();
  #api: MarketApi | undefined;
  #events: EventStream | undefined;
  #walletTimer: ReturnType<typeof setTimeout> | undefined;

  /** Finds out who is there; a stranger stays one until they ask for an account. */
  async open(makesAccount = false): Promise<void> {
    try {
      this.planet = await publicApi.planet();
      const identity = makesAccount ? await anyIdentity() : await knownIdentity();
      if (!identity) {
        this.standing = { kind: "stranger" };
        return;
      }
      await identity.accessToken();
      const { account } = identity;
      if (!account) throw new Error("a login without an account");
      this.#api = new MarketApi(identity);
      this.terms = await this.#api.terms();
      await Promise.all([this.refreshWallet(), this.refreshGroups()]);
      this.standing = { kind: "known", account };
      void this.refreshUnread();
      this.#api.settings().then(keepPreferences, console.warn);
      this.#listen(this.#api);
    } catch (error) {
      this.standing = { kind: "failed", text: wordsOf(error) };
    }
  }

  close(): void {
    this.#events?.close();
    clearTimeout(this.#walletTimer);
  }

  /** The calls of a person who is known; pages that need one are shown to nobody else. */
  get api(): MarketApi {
    if (!this.#api) throw new Error("nobody is logged in");
    return this.#api;
  }

  get account(): Account {
    if (this.standing.kind !== "known") throw new Error("nobody is logged in");
    return this.standing.account;
  }

  // ---- money ----

  get currencies(): readonly Currency[] {
    return this.terms?.currencies ?? (this.planet ? [this.planet.currency] : []);
  }

  /** A currency by its code; the planet's own when there is no such. */
  currency(code: string | null | undefined): Currency {
    const found = this.currencies.find((currency) => currency.code === code) ?? this.currencies[0];
    return found ?? { code: code ?? "coin", scale: 2 };
  }

  /** By how much bids rise, by the price. */
  increments(code: string): readonly { readonly from_minor: number; readonly step_minor: number }[] {
    return this.terms?.currencies.find((currency) => currency.code === code)?.increments ?? [];
  }

  /** What is not held for anything; undefined until it is known. */
  availableMinor(code: string): number | undefined {
    return this.balances.find((balance) => balance.code === code)?.available_minor;
  }

  async refreshWallet(): Promise<void> {
    this.balances = (await this.api.wallet()).balances;
  }

  async refreshUnread(): Promise<void> {
    try {
      this.unread = (await this.api.notices({ unread: true })).unread_count;
    } catch {
      // The badge keeps what it last said.
    }
  }

  async refreshGroups(): Promise<void> {
    const { items } = await this.api.groups();
    this.actingGroups = items.filter(
      ({ role, is_invited, is_dissolved }) =>
        !is_invited && !is_dissolved && (role === "owner" || role === "officer"),
    );
  }

  // ---- where one is ----

  go(route: Route, { isReplacing = false } = {}): void {
    const href = formatRoute(route);
    if (isReplacing) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    this.route = route;
  }

  /** The address has changed without us: back, forward. */
  follow(): void {
    this.route = parseRoute(location.search);
  }

  // ---- what happens ----

  /** Tells of events until the answer is called; `undefined` means that some may have been missed. */
  listen(listener: (event: HappenedEvent | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #listen(api: MarketApi): void {
    this.#events = new EventStream({
      open: (lastEventId, signal) => api.events(lastEventId, signal),
      random: Math.random,
      onState: (state) => {
        this.stream = state;
      },
      onEvent: (event) => this.#happened(event),
      onMissed: () => this.#happened(undefined),
    });
    this.#events.start();
  }

  #happened(event: HappenedEvent | undefined): void {
    if (event === undefined || !isOf(event, "land")) this.#refreshSoon();
    if (event) this.toasts.tell(event.kind, event.data, this.currencies);
    for (const listener of [...this.#listeners]) listener(event);
  }

  #refreshSoon(): void {
    clearTimeout(this.#walletTimer);
    this.#walletTimer = setTimeout(() => {
      this.refreshWallet().catch(() => {
        // Shown as it was; the next event asks again.
      });
      void this.refreshUnread();
    }, SETTLE_MS);
  }

  // ---- decisions ----

  /**
   * A request that changes something, under a key that is kept while the answer is not known.
   * `what` names it with everything it says. Rejects with {@link Declined}.
   */
  async decide<T>(what: string, ask: (idempotencyKey: string) => Promise<T>): Promise<T> {
    try {
      const answer = await this.#decisions.make(what, ask, (error) => declined(error).isFinal);
      this.#refreshSoon();
      return answer;
    } catch (error) {
      this.#refreshSoon();
      throw declined(error, (minor) => formatMoney(minor, this.currency(undefined)));
    }
  }
}

/** The visit that a component belongs to. */
export const [useVisit, provideVisit] = createContext<Visit>();
