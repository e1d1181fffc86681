/**
 * Who we are to the server: the device's key, and the tokens it gets us.
 *
 * Only the key is kept between visits. Tokens live as long as the page, so that two tabs never spend each other's
 * refresh token; when they run out the key logs in again without a word.
 */

import { type Login, publicApi, type TokenSource } from "./api.ts";
import { challengeFault } from "./challenge.ts";
import type { DeviceKey } from "./device_key.ts";
import type { Account } from "./domain.ts";
import { Refusal } from "./refusal.ts";
import { ApiError } from "./rest.ts";

/** The calls that logging in needs. */
export type LoginApi = Pick<typeof publicApi, "challenge" | "verify" | "refresh">;

/** A token is replaced so long before it runs out. */
const MARGIN_MS = 30_000;

export class Identity implements TokenSource {
  #login: { readonly value: Login; readonly expiresAtMs: number } | undefined;
  #pending: Promise<Login> | undefined;

  constructor(
    private readonly key: DeviceKey,
    private readonly origin: string,
    private readonly nowMs: () => number,
    private readonly api: LoginApi = publicApi,
  ) {}

  /** The account as of the last login. */
  get account(): Account | undefined {
    return this.#login?.value.account;
  }

  /** A token good for half a minute at least. Rejects with {@link Refusal} when the server does not want us. */
  async accessToken(): Promise<string> {
    const login = this.#login;
    if (login && login.expiresAtMs - MARGIN_MS > this.nowMs()) return login.value.accessToken;
    // Whoever asks meanwhile waits for the same answer.
    this.#pending ??= this.#renew().finally(() => {
      this.#pending = undefined;
    });
    return (await this.#pending).accessToken;
  }

  /** The next token will be a new one. */
  dropToken(): void {
    if (this.#login) this.#login = { ...this.#login, expiresAtMs: 0 };
  }

  async #renew(): Promise<Login> {
    const value = (await this.#refreshed()) ?? (await this.#loggedIn());
    this.#login = { value, expiresAtMs: this.nowMs() + value.expiresInS * 1000 };
    return value;
  }

  /** A login by refresh token; none when there is none or the server no longer takes it. */
  async #refreshed(): Promise<Login | undefined> {
    const refreshToken = this.#login?.value.refreshToken;
    if (refreshToken === undefined) return undefined;
    try {
      return await this.api.refresh(refreshToken);
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) return undefined;
      throw error;
    }
  }

  async #loggedIn(): Promise<Login> {
    try {
      const { publicKey } = this.key;
      const { message, nonce } = await this.api.challenge(publicKey);
      const fault = challengeFault(message, { origin: this.origin, publicKey, nonce });
      if (fault) {
        throw new Refusal("challenge_refused", `This page did not sign the server’s login text: ${fault}.`);
      }
      return await this.api.verify(publicKey, nonce, await this.key.sign(message));
    } catch (error) {
      // A server in trouble or in a hurry is asked again later, and so is one whose challenge ran out on the way
      // (401); a clear no is final.
      if (error instanceof ApiError && error.status < 500 && error.status !== 429 && error.status !== 401) {
        throw new Refusal(error.code, error.detail);
      }
      throw error;
    }
  }
}
