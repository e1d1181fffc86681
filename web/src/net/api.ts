/** The calls of `/api/v1` that the client makes, answered in the client's own words (`domain.ts`). */
import type { components } from "../gen/openapi.ts";
import { type CellId, cellToken, parseCellToken } from "../geo/cell_id.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import { client, clientAs, dataOf, keyed, type TokenSource } from "./asking.ts";
import type { Account, Lot, LotMarket, PlanetInfo, TransportOffer } from "./domain.ts";

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
    const transport = transportOf(planet);
    return {
      name,
      planetHash,
      seed: BigInt(seed),
      shift,
      lotLevel,
      dayLengthS,
      arrival,
      currency,
      transport,
    };
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

/** An optional part of what a server says of itself: what cannot be read is not there. */
function transportOf(planet: object): TransportOffer | undefined {
  const offer: unknown = Reflect.get(planet, "webtransport");
  if (typeof offer !== "object" || offer === null) return undefined;
  const { url, certificate_hashes: hashes } = offer as { url?: unknown; certificate_hashes?: unknown };
  if (typeof url !== "string" || !Array.isArray(hashes)) return undefined;
  const certificateHashes = hashes.map((hash) =>
    Uint8Array.from(atob(String(hash)), (char) => char.charCodeAt(0)),
  );
  return { url, certificateHashes };
}

type Asked<T> = Promise<{ data?: T; response: Response; error?: unknown }>;

const PAGES_MAX = 10;
const PAGE_ITEMS = 100;

/** What a logged-in person may ask. */
export class Api {
  readonly #client: ReturnType<typeof clientAs>;

  constructor(tokens: TokenSource) {
    this.#client = clientAs(tokens);
  }

  settings = () => dataOf(this.#client.GET("/api/v1/users/me/settings"));

  async updateAccount(change: { name?: string; color?: string }): Promise<Account> {
    const body = { display_name: change.name ?? null, color: change.color ?? null };
    return accountOf(await dataOf(this.#client.PATCH("/api/v1/users/me", { body })));
  }

  /** What one can spend of a currency and what of it is held, in minor units. */
  async money(code: string): Promise<{ readonly availableMinor: number; readonly heldMinor: number }> {
    const { balances } = await dataOf(this.#client.GET("/api/v1/wallet"));
    const balance = balances.find((found) => found.code === code);
    return { availableMinor: balance?.available_minor ?? 0, heldMinor: balance?.held_minor ?? 0 };
  }

  async unreadCount(): Promise<number> {
    const params = { query: { unread: true, limit: 1 } };
    return (await dataOf(this.#client.GET("/api/v1/notices", { params }))).unread_count;
  }

  /** Those for whom one decides: oneself, and the groups of which one is an owner or officer. */
  async ownIds(accountId: string | undefined): Promise<ReadonlySet<string>> {
    const { items } = await dataOf(this.#client.GET("/api/v1/groups/mine"));
    const groups = items.filter(
      ({ role, is_invited, is_dissolved }) => !is_invited && !is_dissolved && role !== "member",
    );
    return new Set([
      ...(accountId === undefined ? [] : [accountId]),
      ...groups.map(({ group_id }) => group_id),
    ]);
  }

  /** Some of the land that can be had, the newest first. */
  async offeredLand(): Promise<readonly { readonly cell: CellId; readonly state: "sale" | "auction" }[]> {
    const params = { query: { limit: PAGE_ITEMS } };
    const { items } = await dataOf(this.#client.GET("/api/v1/marketplace/search", { params }));
    return items.map(({ kind, parcel }) => ({
      cell: cellOf(parcel.token),
      state: kind === "fixed" ? "sale" : "auction",
    }));
  }

  /** Buys land that is for sale, for exactly this price. */
  async buy(listingId: string, priceMinor: number, idempotencyKey: string): Promise<void> {
    const params = { path: { id: listingId }, header: keyed(idempotencyKey) };
    const body = { price_minor: priceMinor };
    await dataOf(this.#client.POST("/api/v1/marketplace/listings/{id}/purchase", { params, body }));
  }

  async bid(auctionId: string, maxMinor: number, idempotencyKey: string): Promise<void> {
    const params = { path: { id: auctionId }, header: keyed(idempotencyKey) };
    const body = { max_minor: maxMinor };
    await dataOf(this.#client.POST("/api/v1/marketplace/auctions/{id}/bids", { params, body }));
  }

  async lot(cell: CellId): Promise<Lot> {
    const params = { path: { token: cellToken(cell) } };
    return lotOf(await dataOf(this.#client.GET("/api/v1/lands/{token}", { params })));
  }

  /** The owned lots inside a cell. */
  lotsIn(cell: CellId): Promise<readonly Lot[]> {
    return this.#pages((page) =>
      this.#client.GET("/api/v1/lands", { params: { query: { cell: cellToken(cell), ...page } } }),
    );
  }

  myLots(): Promise<readonly Lot[]> {
    return this.#pages((page) => this.#client.GET("/api/v1/lands/mine", { params: { query: page } }));
  }

  /** Buys a lot; the same key never buys twice, however often it is tried. */
  async claim(cell: CellId, idempotencyKey: string): Promise<Lot> {
    const params = { path: { token: cellToken(cell) }, header: keyed(idempotencyKey) };
    return lotOf(await dataOf(this.#client.POST("/api/v1/lands/{token}/claim", { params })));
  }

  /** Claims several free lots that touch as one piece of land. */
  async claimAll(cells: readonly CellId[], idempotencyKey: string): Promise<Lot> {
    const params = { header: keyed(idempotencyKey) };
    const body = { cells: cells.map(cellToken) };
    return lotOf(await dataOf(this.#client.POST("/api/v1/lands/claims", { params, body })));
  }

  async renameLot(cell: CellId, name: string): Promise<Lot> {
    const params = { path: { token: cellToken(cell) } };
    const body = { name };
    return lotOf(await dataOf(this.#client.PATCH("/api/v1/lands/{token}", { params, body })));
  }

  /** All pages, up to a thousand lots. */
  async #pages(
    ask: (page: {
      limit: number;
      cursor?: string;
    }) => Asked<{ items: Schemas["LotView"][]; next_cursor?: string | null }>,
  ): Promise<readonly Lot[]> {
    const lots: Lot[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const query = { limit: PAGE_ITEMS, ...(cursor !== undefined && { cursor }) };
      const { items, next_cursor } = await dataOf(ask(query));
      lots.push(...items.map(lotOf));
      if (!next_cursor) break;
      cursor = next_cursor;
    }
    return lots;
  }
}

function accountOf({
  account_id,
  display_name,
  color,
}: Pick<Schemas["OwnProfileAnswer"], "account_id" | "display_name" | "color">): Account {
  return { accountId: account_id, name: display_name, color };
}

export function loginOf(body: Schemas["SessionAnswer"]): Login {
  return {
    accessToken: body.access_token,
    expiresInS: body.expires_in,
    refreshToken: body.refresh_token,
    account: accountOf(body.account),
  };
}

function lotOf(body: Schemas["LotView"]): Lot {
  return {
    cell: cellOf(body.token),
    cells: body.cells.map(cellOf),
    status: body.status,
    reason: body.reason ?? undefined,
    ownerId: body.owner?.account_id,
    ownerName: body.owner?.display_name,
    name: body.name ?? undefined,
    areaM2: body.area_m2,
    priceMinor: body.price_minor,
    fence: body.fence ?? "everyone",
    market: body.market ? marketOf(body.market) : undefined,
    isFrozen: body.is_frozen ?? false,
  };
}

function cellOf(token: string): CellId {
  const cell = parseCellToken(token);
  if (cell === undefined) throw new Error(`the server named a lot ${token}`);
  return cell;
}

function marketOf({ kind, id, price_minor, currency, ends_at }: Schemas["MarketView"]): LotMarket {
  return {
    kind: kind === "listing" || kind === "auction" ? kind : "other",
    id,
    priceMinor: price_minor ?? undefined,
    currency: currency ?? undefined,
    endsAtMs: ends_at ? Date.parse(ends_at) : undefined,
  };
}
