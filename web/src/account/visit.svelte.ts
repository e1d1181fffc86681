/** One visit to the account's pages: who is here, how they came in, and how they go. */
import { createContext } from "svelte";
import { Toasts } from "../market/toasts.svelte.ts";
import type { Login } from "../net/api.ts";
import { wordsOf } from "../net/declined.ts";
import type { Account } from "../net/domain.ts";
import type { Identity } from "../net/identity.ts";
import { accountsAside, forgetKey, newKey, takeBack, useKey } from "../net/keyring.ts";
import { forgetPlace } from "../net/last_place.ts";
import { browserStore, tabStore } from "../net/login_store.ts";
import { identityWith, knownIdentity } from "../net/open_identity.ts";
import { forgetPreferences, keepPreferences } from "../net/preferences.ts";
import { Refusal } from "../net/refusal.ts";
import { AccountApi, doors, endQuietly } from "./account_api.ts";
import { thisDeviceWords } from "./device_words.ts";
import "./refusals.ts";
import { type Handed, parseHanded, parseRoute, type Route } from "./route.ts";
import type { Me } from "./shapes.ts";

export type Standing =
  | { readonly kind: "opening" }
  | { readonly kind: "stranger" }
  | { readonly kind: "known" }
  | { readonly kind: "failed"; readonly text: string };

/** What is to be done when a provider sends the browser back here. */
interface Errand {
  readonly purpose: "sign_in" | "link";
  readonly isKept: boolean;
}
const ERRAND_KEY = "terrane.provider/1";

export class AccountVisit {
  route = $state.raw<Route>(parseRoute(location.search));
  standing = $state.raw<Standing>({ kind: "opening" });
  me = $state.raw<Me>();
  /** What a link handed over, until it has been used. */
  handed = $state.raw<Handed>();
  /** Accounts that this browser can go on as. */
  aside = $state.raw<readonly Account[]>([]);
  identity = $state.raw<Identity>();
  readonly toasts = new Toasts();
  #api: AccountApi | undefined;

  get api(): AccountApi {
    if (!this.#api) throw new Error("nobody is signed in");
    return this.#api;
  }

  async open(): Promise<void> {
    this.#takeHanded();
    try {
      this.aside = await accountsAside();
      const identity = await knownIdentity();
      if (identity) await this.#become(identity);
      else this.standing = { kind: "stranger" };
    } catch (error) {
      this.#refused(error);
    }
    if (this.handed?.kind === "provider") await this.#finishErrand(this.handed.secret);
  }

  /** The address has changed without us: back, forward, a link. */
  follow(): void {
    this.route = parseRoute(location.search);
    this.#takeHanded();
  }

  async refresh(): Promise<void> {
    this.me = await this.api.me();
  }

  /** What a screen reader is told, and everybody else sees for a while. */
  say(title: string, text = "", mood: "good" | "bad" | "plain" = "good"): void {
    this.toasts.say({ title, text, href: "/account", mood });
  }

  /**
   * Goes on as whoever has just signed in. On a device of one's own the browser gets a key of that account, and whoever
   * was here before is put aside with theirs; elsewhere the login ends with the tab.
   */
  async enter(login: Login, isKept: boolean): Promise<void> {
    const present = this.identity?.account;
    const isSame = present?.accountId === login.account.accountId;
    if (isSame && this.identity) {
      endQuietly(await this.identity.forget());
      await this.identity.adopt(login);
      await this.#become(this.identity);
      return;
    }
    const owner = await this.#keyOwner();
    endQuietly(await this.identity?.forget());
    const identity = identityWith(undefined, isKept ? browserStore() : tabStore());
    await identity.adopt(login);
    await this.#become(identity);
    if (!isKept) return;
    await this.#takeKey(owner).catch((error: unknown) => {
      this.say("This device could not get a key", wordsOf(error), "plain");
    });
  }

  /** Somebody who is here for a while only stays. */
  async stay(): Promise<void> {
    await this.#takeKey(await this.#keyOwner());
  }

  /** Makes a key of this account for this browser; that of `owner` is put aside. */
  async #takeKey(owner: Account | undefined): Promise<void> {
    const { me, identity } = this;
    if (!me || !identity) return;
    const { key, pair } = await newKey();
    try {
      await this.api.addKey(key, thisDeviceWords(), me.account_id);
    } catch (error) {
      // Signed in all the same, until the login runs out; but not as whoever was here before.
      await useKey(undefined, owner);
      throw error;
    }
    await useKey(pair, owner);
    const kept = identityWith(key);
    const refreshToken = await identity.forget();
    await kept.logInByKey();
    endQuietly(refreshToken);
    await this.#become(kept);
    this.aside = await accountsAside();
  }

  /** Whose the key of this browser is, if it has one. */
  async #keyOwner(): Promise<Account | undefined> {
    return this.identity?.key ? this.identity.account : (await browserStore().load())?.account;
  }

  /** Goes on as an account that this browser had before. */
  async goOnAs(accountId: string): Promise<void> {
    const owner = await this.#keyOwner();
    endQuietly(await this.identity?.forget());
    await takeBack(accountId, owner);
    this.me = undefined;
    await this.open();
    history.replaceState(null, "", "/account");
    this.follow();
    if (this.me) this.say(`You are ${this.#name} now`);
  }

  /** Signs out here: this device has to sign in again, by another way than its key. */
  async signOut(): Promise<void> {
    const { identity } = this;
    if (!identity) return;
    if (identity.key) {
      // Where the server cannot be asked, the key is gone from here all the same.
      await this.api.removeKey(identity.key.publicKey).catch(console.warn);
      await forgetKey();
    }
    forgetPlace();
    forgetPreferences();
    endQuietly(await identity.forget());
    this.#nobody();
    await this.open();
  }

  /** To a provider's page, and back to this one. */
  async goTo(authorizeUrl: string, errand: Errand): Promise<void> {
    sessionStorage.setItem(ERRAND_KEY, JSON.stringify(errand));
    location.assign(authorizeUrl);
  }

  dropHanded(): void {
    this.handed = undefined;
  }

  get #name(): string {
    return this.me?.display_name ?? "somebody";
  }

  async #finishErrand(code: string): Promise<void> {
    this.dropHanded();
    const errand = JSON.parse(sessionStorage.getItem(ERRAND_KEY) ?? "{}") as Partial<Errand>;
    sessionStorage.removeItem(ERRAND_KEY);
    try {
      if (errand.purpose === "link") {
        await this.api.finishLink(code);
        this.say("Linked", "You can sign in that way too from now on.");
      } else {
        await this.enter(await doors.finishProvider(code), errand.isKept ?? false);
        this.say(`Welcome, ${this.#name}`);
      }
    } catch (error) {
      this.say("That did not work", wordsOf(error), "bad");
    }
  }

  async #become(identity: Identity): Promise<void> {
    await identity.accessToken();
    const api = new AccountApi(identity);
    this.me = await api.me();
    this.#api = api;
    this.identity = identity;
    this.standing = { kind: "known" };
    api.settings().then(keepPreferences, console.warn);
  }

  #refused(error: unknown): void {
    if (error instanceof Refusal && error.code === "signed_out") {
      this.#nobody();
      this.say("You are signed out", "Sign in again to go on.", "plain");
    } else {
      this.standing = { kind: "failed", text: wordsOf(error) };
    }
  }

  #nobody(): void {
    this.#api = undefined;
    this.identity = undefined;
    this.me = undefined;
    this.standing = { kind: "stranger" };
  }

  /** Takes secrets out of the address, so that they do not stay in the history. */
  #takeHanded(): void {
    const handed = parseHanded(location.hash);
    if (!handed) return;
    this.handed = handed;
    history.replaceState(null, "", location.pathname + location.search);
  }
}

export const [useAccount, provideAccount] = createContext<AccountVisit>();
