/** The calls of `/api/v1` that the client makes, answered in the client's own words (`domain.ts`). */
import type { components } from "../gen/openapi.ts";
import { type CellId, cellToken, parseCellToken } from "../geo/cell_id.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import { type Answer, Asker, type AuthHeader, client, dataOf, type TokenSource } from "./asking.ts";
import type { Account, Lot, PlanetInfo } from "./domain.ts";

export type { TokenSource } from "./asking.ts";

type Schemas = components["schemas"];

/** A login as it is kept. */
export interface Login {
  readonly accessToken: string;
  readonly expiresInS: number;
  readonly refreshToken: string;
  readonly account: Account;
}

/** What a newcomer may ask, before there is a token. */
export const publicApi = {
  async planet(): Promise<PlanetInfo> {
    const planet = await dataOf(client.GET("/api/v1/planet"));
    const { name, seed, shift, lot_level: lotLevel, currency } = planet;
    const { planet_hash: planetHash, day_length_s: dayLengthS } = planet;
    const arrival = { latitude_deg: planet.arrival.lat_deg, longitude_deg: planet.arrival.lng_deg };
    return { name, planetHash, seed: BigInt(seed), shift, lotLevel, dayLengthS, arrival, currency };
  },

  /** The names of a place, the nearest thing first. */
  async namesAt(planetHash: string, { latitude_deg, longitude_deg }: LatLng): Promise<readonly string[]> {
    const params = { path: { planet_hash: planetHash }, query: { lat: latitude_deg, lng: longitude_deg } };
    const { lake, river, range, region } = await dataOf(
      client.GET("/api/v1/planet/{planet_hash}/at", { params }),
    );
    return [lake, river, range, region].filter((place) => place != null).map(({ name }) => name);
  },

  challenge(publicKey: string): Promise<{ message: string; nonce: string }> {
    return dataOf(client.POST("/api/v1/auth/challenge", { body: { public_key: publicKey } }));
  },

  async verify(publicKey: string, nonce: string, signature: string): Promise<Login> {
    const body = { public_key: publicKey, nonce, signature };
    return loginOf(await dataOf(client.POST("/api/v1/auth/verify", { body })));
  },

  async refresh(refreshToken: string): Promise<Login> {
    const body = { refresh_token: refreshToken };
    return loginOf(await dataOf(client.POST("/api/v1/auth/refresh", { body })));
  },
};

const PAGES_MAX = 10;
const PAGE_ITEMS = 100;

/** What a logged-in person may ask. */
export class Api {
  readonly #asker: Asker;

  constructor(tokens: TokenSource) {
    this.#asker = new Asker(tokens);
  }

  async updateAccount(change: { name?: string; color?: string }): Promise<Account> {
    const body = { display_name: change.name ?? null, color: change.color ?? null };
    return accountOf(await this.#ask((headers) => client.PATCH("/api/v1/users/me", { headers, body })));
  }

  /** The balance of the planet's currency in minor units. */
  async balanceMinor(currencyCode: string): Promise<number> {
    const { balances } = await this.#ask((headers) => client.GET("/api/v1/wallet", { headers }));
    return balances.find(({ code }) => code === currencyCode)?.amount_minor ?? 0;
  }

  async lot(cell: CellId): Promise<Lot> {
    const params = { path: { token: cellToken(cell) } };
    return lotOf(await this.#ask((headers) => client.GET("/api/v1/lands/{token}", { headers, params })));
  }

  /** The owned lots inside a cell. */
  lotsIn(cell: CellId): Promise<readonly Lot[]> {
    return this.#pages((headers, page) =>
      client.GET("/api/v1/lands", { headers, params: { query: { cell: cellToken(cell), ...page } } }),
    );
  }

  myLots(): Promise<readonly Lot[]> {
    return this.#pages((headers, page) =>
      client.GET("/api/v1/lands/mine", { headers, params: { query: page } }),
    );
  }

  /** Buys a lot; the same key never buys twice, however often it is tried. */
  async claim(cell: CellId, idempotencyKey: string): Promise<Lot> {
    const params = { path: { token: cellToken(cell) }, header: { "Idempotency-Key": idempotencyKey } };
    return lotOf(
      await this.#ask((headers) => client.POST("/api/v1/lands/{token}/claim", { headers, params })),
    );
  }

  async renameLot(cell: CellId, name: string): Promise<Lot> {
    const params = { path: { token: cellToken(cell) } };
    const body = { name };
    return lotOf(
      await this.#ask((headers) => client.PATCH("/api/v1/lands/{token}", { headers, params, body })),
    );
  }

  /** All pages, up to a thousand lots. */
  async #pages(
    ask: (
      headers: AuthHeader,
      page: { limit: number; cursor?: string },
    ) => Promise<Answer<{ items: Schemas["LotView"][]; next_cursor?: string | null }>>,
  ): Promise<readonly Lot[]> {
    const lots: Lot[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { limit: PAGE_ITEMS, ...(cursor !== undefined && { cursor }) };
      const { items, next_cursor } = await this.#ask((headers) => ask(headers, query));
      lots.push(...items.map(lotOf));
      if (!next_cursor) break;
      cursor = next_cursor;
    }
    return lots;
  }

  #ask<T>(call: (headers: AuthHeader) => Promise<Answer<T>>): Promise<T> {
    return this.#asker.ask(call);
  }
}

function accountOf({ account_id, display_name, color }: Schemas["ProfileAnswer"]): Account {
  return { accountId: account_id, name: display_name, color };
}

function loginOf(body: Schemas["SessionAnswer"]): Login {
  return {
    accessToken: body.access_token,
    expiresInS: body.expires_in,
    refreshToken: body.refresh_token,
    account: accountOf(body.account),
  };
}

function lotOf(body: Schemas["LotView"]): Lot {
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
