/** What the client knows of people, land and money, in its own words; `net/api.ts` translates from the wire. */
import type { CellId } from "../geo/cell_id.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import { preferences } from "./preferences.ts";

export interface Account {
  readonly accountId: string;
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
}

export interface Currency {
  /** What people call it. */
  readonly code: string;
  /** Decimal places of the minor unit. */
  readonly scale: number;
}

export interface PlanetInfo {
  readonly name: string;
  /** What the planet is, to the last bit: in the path of everything that never changes. */
  readonly planetHash: string;
  readonly seed: bigint;
  readonly shift: number;
  readonly lotLevel: number;
  /** From one sunrise to the next, seconds of server time. */
  readonly dayLengthS: number;
  /** Where newcomers come to stand. */
  readonly arrival: LatLng;
  readonly currency: Currency;
  /** Where the server speaks WebTransport; `undefined` where it does not. */
  readonly transport: TransportOffer | undefined;
}

/** Where to open a WebTransport session. */
export interface TransportOffer {
  readonly url: string;
  /** SHA-256 of the certificates that may be met there; empty where an authority has signed it. */
  readonly certificateHashes: readonly Uint8Array<ArrayBuffer>[];
}

export type LotStatus = "free" | "taken" | "unclaimable";

/** Who may enter land. */
export type FenceRule = "everyone" | "list" | "nobody";

/** What is about to happen to land. */
export interface LotMarket {
  readonly kind: "listing" | "auction" | "other";
  readonly id: string;
  readonly priceMinor: number | undefined;
  readonly currency: string | undefined;
  readonly endsAtMs: number | undefined;
}

/** A lot, or the whole piece of land that it belongs to. */
export interface Lot {
  /** What the land is called by for ever: one of its lots. */
  readonly cell: CellId;
  /** All of its lots. */
  readonly cells: readonly CellId[];
  readonly status: LotStatus;
  /** Why it cannot be claimed, as a code. */
  readonly reason: string | undefined;
  readonly ownerId: string | undefined;
  readonly ownerName: string | undefined;
  readonly name: string | undefined;
  readonly areaM2: number;
  /** What claiming it costs. */
  readonly priceMinor: number;
  readonly fence: FenceRule;
  readonly market: LotMarket | undefined;
  /** Staff have frozen it: nothing can be done with it. */
  readonly isFrozen: boolean;
}

/** An amount in whole minor units as people read it: `123.70 coin`. */
export function formatMoney(amountMinor: number, { scale, code }: Currency): string {
  const digits = { minimumFractionDigits: scale, maximumFractionDigits: scale };
  return `${new Intl.NumberFormat("en", digits).format(amountMinor / 10 ** scale)} ${code}`;
}

const FEET_PER_M = 1 / 0.3048;
const FEET_PER_MILE = 5_280;

/** A distance as people read it: `7 m`, `1.2 km`; in feet and miles for who prefers them. */
export function formatDistance(metres: number): string {
  if (preferences().units === "imperial") {
    const feet = metres * FEET_PER_M;
    return feet < FEET_PER_MILE / 10 - 0.5
      ? `${Math.round(feet)} ft`
      : `${(feet / FEET_PER_MILE).toFixed(1)} mi`;
  }
  return metres < 999.5 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;
}

/** A height above the sea as people read it, never in kilometres. */
export function formatHeight(metres: number): string {
  const isImperial = preferences().units === "imperial";
  const number = new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(
    isImperial ? metres * FEET_PER_M : metres,
  );
  return `${number.replace("-", "−")} ${isImperial ? "ft" : "m"}`;
}

export function formatArea(squareMetres: number): string {
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 0 }).format(squareMetres)} m²`;
}
