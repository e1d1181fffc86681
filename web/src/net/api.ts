/** The calls of `/api/v1` that the client makes, answered in the client's own words (`game/domain.ts`). */

import { type CellId, cellToken, parseCellToken } from "../geo/cell_id.ts";
import type { Account, Lot, LotStatus, PlanetInfo } from "./domain.ts";
import { ApiError, problemOf, reach } from "./rest.ts";

interface AccountBody {
  readonly account_id: string;
  readonly display_name: string;
  readonly color: string;
}

interface LoginBody {
  readonly access_token: string;
  readonly expires_in: number;
  readonly refresh_token: string;
  readonly account: AccountBody;
}

interface LotBody {
  readonly token: string;
  readonly status: LotStatus;
  readonly reason?: string | null;
  readonly owner?: { readonly account_id: string; readonly display_name: string } | null;
  readonly name?: string | null;
  readonly area_m2: number;
  readonly price_minor: number;
}

interface PageBody<T> {
  readonly items: readonly T[];
  readonly next_cursor?: string | null;
}

/** A login as it is kept. */
export interface Login {
  readonly accessToken: string;
  readonly expiresInS: number;
  readonly refreshToken: string;
  readonly account: Account;
}

interface Call {
  readonly method?: "GET" | "POST" | "PATCH";
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly token?: string;
}

async function call<T>(path: string, { method = "GET", body, idempotencyKey, token }: Call = {}): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
  if (idempotencyKey !== undefined) headers["idempotency-key"] = idempotencyKey;
  const response = await reach(`/api/v1/${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as T;
}

/** What a newcomer may ask, before there is a token. */
export const publicApi = {
  async planet(): Promise<PlanetInfo> {
    const body = await call<{
      name: string;
      seed: string;
      shift: number;
      lot_level: number;
      currency: PlanetInfo["currency"];
    }>("planet");
    const { name, seed, shift, lot_level: lotLevel, currency } = body;
    return { name, seed: BigInt(seed), shift, lotLevel, currency };
  },

  challenge(publicKey: string): Promise<{ message: string; nonce: string }> {
    return call("auth/challenge", { method: "POST", body: { public_key: publicKey } });
  },

  async verify(publicKey: string, nonce: string, signature: string): Promise<Login> {
    const body = { public_key: publicKey, nonce, signature };
    return loginOf(await call("auth/verify", { method: "POST", body }));
  },

  async refresh(refreshToken: string): Promise<Login> {
    return loginOf(await call("auth/refresh", { method: "POST", body: { refresh_token: refreshToken } }));
  },
};

/** Where access tokens come from; see `identity.ts`. */
export interface TokenSource {
  accessToken(): Promise<string>;
  dropToken(): void;
}

/** What a logged-in person may ask. A token that has just expired is replaced and the call made once more. */
export class Api {
  constructor(private readonly tokens: TokenSource) {}

  async updateAccount(change: { name?: string; color?: string }): Promise<Account> {
    const body = {
      ...(change.name !== undefined && { display_name: change.name }),
      ...(change.color !== undefined && { color: change.color }),
    };
    return accountOf(await this.#call("users/me", { method: "PATCH", body }));
  }

  /** The balance of the planet's currency in minor units. */
  async balanceMinor(currencyCode: string): Promise<number> {
    const { balances } = await this.#call<{ balances: { code: string; amount_minor: number }[] }>("wallet");
    return balances.find((balance) => balance.code === currencyCode)?.amount_minor ?? 0;
  }

  async lot(cell: CellId): Promise<Lot> {
    return lotOf(await this.#call(`lands/${cellToken(cell)}`));
  }

  /** The owned lots inside a cell. */
  lotsIn(cell: CellId): Promise<readonly Lot[]> {
    return this.#lots(`lands?cell=${cellToken(cell)}`);
  }

  myLots(): Promise<readonly Lot[]> {
    return this.#lots("lands/mine");
  }

  /** Buys a lot; the same key never buys twice, however often it is tried. */
  async claim(cell: CellId, idempotencyKey: string): Promise<Lot> {
    return lotOf(await this.#call(`lands/${cellToken(cell)}/claim`, { method: "POST", idempotencyKey }));
  }

  async renameLot(cell: CellId, name: string): Promise<Lot> {
    return lotOf(await this.#call(`lands/${cellToken(cell)}`, { method: "PATCH", body: { name } }));
  }

  /** All pages, up to a thousand lots. */
  async #lots(path: string): Promise<readonly Lot[]> {
    const lots: Lot[] = [];
    let cursor: string | null | undefined;
    for (let page = 0; page < 20; page += 1) {
      const query = cursor ? `${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(cursor)}` : "";
      const body = await this.#call<PageBody<LotBody>>(path + query);
      lots.push(...body.items.map(lotOf));
      cursor = body.next_cursor;
      if (!cursor) break;
    }
    return lots;
  }

  async #call<T>(path: string, options: Call = {}): Promise<T> {
    try {
      return await call<T>(path, { ...options, token: await this.tokens.accessToken() });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.tokens.dropToken();
      return call<T>(path, { ...options, token: await this.tokens.accessToken() });
    }
  }
}

function accountOf({ account_id, display_name, color }: AccountBody): Account {
  return { accountId: account_id, name: display_name, color };
}

function loginOf(body: LoginBody): Login {
  return {
    accessToken: body.access_token,
    expiresInS: body.expires_in,
    refreshToken: body.refresh_token,
    account: accountOf(body.account),
  };
}

function lotOf(body: LotBody): Lot {
  const cell = parseCellToken(body.token);
  if (cell === undefined) throw new Error(`the server named a lot ${body.token}`);
  return {
    cell,
    status: body.status,
    reason: body.reason ?? undefined,
    ownerId: body.owner?.account_id,
    ownerName: body.owner?.display_name,
    name: body.name ?? undefined,
    areaM2: body.area_m2,
    priceMinor: body.price_minor,
  };
}
