/**
 * Who we are to the server: the login that is kept here, and the device's key that gets us a new one without a word
 * when that has run out.
 */

import { type Login, publicApi, type TokenSource } from "./api.ts";
import { challengeFault } from "./challenge.ts";
import { declined } from "./declined.ts";
import type { DeviceKey } from "./device_key.ts";
import type { Account } from "./domain.ts";
import type { KeptLogin, LoginStore } from "./login_store.ts";
import { Refusal } from "./refusal.ts";
import { ApiError } from "./rest.ts";

/** The calls that logging in needs. */
export type LoginApi = Pick<typeof publicApi, "challenge" | "verify" | "refresh">;

/** A token is replaced so long before it runs out. */
const MARGIN_MS = 30_000;

export class Identity implements TokenSource {
  #login: KeptLogin | undefined;
  #pending: Promise<KeptLogin> | undefined;
  #proving: Promise<boolean> | undefined;
  /** Asks the person to show who they are; pages that can do so set it. */
  prover: (() => Promise<boolean>) | undefined;

  constructor(
    /** None where one has signed in for a while on somebody else's device. */
    readonly key: DeviceKey | undefined,
    private readonly origin: string,
    private readonly nowMs: () => number,
    private readonly store: LoginStore,
    private readonly api: LoginApi = publicApi,
  ) {}

  /** The account as of the last login. */
  get account(): Account | undefined {
    return this.#login?.account;
  }

  /** A token good for half a minute at least. Rejects with {@link Refusal} when the server does not want us. */
  async accessToken(): Promise<string> {
    if (this.#isGood(this.#login)) return this.#login.accessToken;
    // Whoever asks meanwhile waits for the same answer.
    this.#pending ??= this.store
      .alone(() => this.#renewed())
      .finally(() => {
        this.#pending = undefined;
      });
    return (await this.#pending).accessToken;
  }

  /** The next token will be a new one. */
  dropToken(): void {
    if (this.#login) this.#login = { ...this.#login, expiresAtMs: 0 };
  }

  /** Takes a login that the person made by other means: a password, a link, a provider. */
  async adopt(login: Login): Promise<void> {
    await this.store.alone(() => this.#keep(login));
  }

  /** What the account is called now. */
  async rename(account: Account): Promise<void> {
    await this.store.alone(async () => {
      const login = (await this.store.load()) ?? this.#login;
      if (!login) return;
      this.#login = { ...login, account };
      await this.store.save(this.#login);
    });
  }

  /** Logs in by the key once more, so that the server knows that whoever asks holds the device. */
  async logInByKey(): Promise<void> {
    await this.store.alone(async () => this.#keep(await this.#loggedIn()));
  }

  prove(): Promise<boolean> {
    this.#proving ??= (this.prover?.() ?? Promise.resolve(false)).finally(() => {
      this.#proving = undefined;
    });
    return this.#proving;
  }

  /** Forgets the login and gives back its refresh token, to be ended at the server. */
  async forget(): Promise<string | undefined> {
    return this.store.alone(async () => {
      const login = (await this.store.load()) ?? this.#login;
      this.#login = undefined;
      await this.store.save(undefined);
      return login?.refreshToken;
    });
  }

  #isGood(login: KeptLogin | undefined): login is KeptLogin {
    return login !== undefined && login.expiresAtMs - MARGIN_MS > this.nowMs();
  }

  async #renewed(): Promise<KeptLogin> {
    const kept = (await this.store.load()) ?? this.#login;
    // Another tab has renewed it already; unless it is the very one that the server did not like.
    if (this.#isGood(kept) && kept.accessToken !== this.#login?.accessToken) {
      this.#login = kept;
      return kept;
    }
    return this.#keep((await this.#refreshed(kept)) ?? (await this.#loggedIn()));
  }

  async #keep(login: Login): Promise<KeptLogin> {
    const { accessToken, refreshToken, account, expiresInS } = login;
    const kept = { accessToken, refreshToken, account, expiresAtMs: this.nowMs() + expiresInS * 1000 };
    this.#login = kept;
    await this.store.save(kept);
    return kept;
  }

  /** A login by refresh token; none when there is none or the server no longer takes it. */
  async #refreshed(kept: KeptLogin | undefined): Promise<Login | undefined> {
    if (!kept) return undefined;
    try {
      return await this.api.refresh(kept.refreshToken);
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
        if (error.status === 403) throw new Refusal(error.code, declined(error).message);
        return undefined;
      }
      throw error;
    }
  }

  async #loggedIn(): Promise<Login> {
    if (!this.key) {
      await this.store.save(undefined);
      throw new Refusal("signed_out", "You are signed out. Sign in again.");
    }
    try {
      const { publicKey } = this.key;
      const { message, nonce } = await this.api.challenge(publicKey);
      const fault = challengeFault(message, { origin: this.origin, publicKey, nonce });
      if (fault) {
        throw new Refusal("challenge_refused", `This page did not sign the server’s login text: ${fault}.`);
      }
      return await this.api.verify(publicKey, nonce, await this.key.sign(message));
    } catch (error) {
      if (error instanceof ApiError && error.code === "key_removed") {
        await this.key.forget?.();
        throw new Refusal("signed_out", "This device was signed out of your account. Sign in again.");
      }
      // A server in trouble or in a hurry is asked again later, and so is one whose challenge ran out on the way
      // (401); a clear no is final.
      if (error instanceof ApiError && error.status < 500 && error.status !== 429 && error.status !== 401) {
        throw new Refusal(error.code, declined(error).message);
      }
      throw error;
    }
  }
}
