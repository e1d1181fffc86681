/** One visit of staff to the console: who it is, what they may, what they did. */
import { createContext } from "svelte";
import { AccountApi } from "../account/account_api.ts";
import "../account/refusals.ts";
import type { Me } from "../account/shapes.ts";
import { Toasts } from "../market/toasts.svelte.ts";
import { Decisions } from "../net/decisions.ts";
import { declined, wordsOf } from "../net/declined.ts";
import type { Identity } from "../net/identity.ts";
import { knownIdentity } from "../net/open_identity.ts";
import { Refusal } from "../net/refusal.ts";
import { ConsoleApi } from "./console_api.ts";
import { may, type Permission } from "./permission.ts";
import "./refusals.ts";
import { parseRoute, type Route } from "./route.ts";

export type Standing =
  | { readonly kind: "opening" }
  | { readonly kind: "stranger" }
  | { readonly kind: "player" }
  | { readonly kind: "staff" }
  | { readonly kind: "failed"; readonly text: string };

export class ConsoleVisit {
  route = $state.raw<Route>(parseRoute(location.search));
  standing = $state.raw<Standing>({ kind: "opening" });
  me = $state.raw<Me>();
  identity = $state.raw<Identity>();
  readonly toasts = new Toasts();
  readonly #decisions = new Decisions();
  #api: ConsoleApi | undefined;

  get api(): ConsoleApi {
    if (!this.#api) throw new Error("nobody of the staff is here");
    return this.#api;
  }

  async open(): Promise<void> {
    try {
      const identity = await knownIdentity();
      if (!identity) {
        this.standing = { kind: "stranger" };
        return;
      }
      await identity.accessToken();
      const me = await new AccountApi(identity).me();
      this.me = me;
      this.identity = identity;
      if (me.role === "player") {
        this.standing = { kind: "player" };
        return;
      }
      this.#api = new ConsoleApi(identity);
      this.standing = { kind: "staff" };
    } catch (error) {
      const isOut = error instanceof Refusal && error.code === "signed_out";
      this.standing = isOut ? { kind: "stranger" } : { kind: "failed", text: wordsOf(error) };
    }
  }

  follow(): void {
    this.route = parseRoute(location.search);
  }

  go(href: string): void {
    history.pushState(null, "", href);
    this.follow();
  }

  may(permission: Permission): boolean {
    return this.me !== undefined && may(this.me.role, permission);
  }

  /** An act under a key that is kept while its answer is not known, and what came of it in words. */
  async act(what: string, done: string, ask: (idempotencyKey: string) => Promise<unknown>): Promise<void> {
    try {
      const acted = await this.#decisions.make(what, ask, (error) => declined(error).isFinal);
      const state: unknown =
        typeof acted === "object" && acted !== null ? Reflect.get(acted, "state") : undefined;
      if (state === "waiting")
        this.say(
          "It waits for a second person",
          "Somebody else of the staff has to agree.",
          "plain",
          "/console?tab=acts",
        );
      else this.say(done, "It stands in the audit log.");
    } catch (error) {
      throw declined(error);
    }
  }

  say(title: string, text = "", mood: "good" | "bad" | "plain" = "good", href = "/console?tab=audit"): void {
    this.toasts.say({ title, text, href, mood });
  }
}

export const [useConsole, provideConsole] = createContext<ConsoleVisit>();
