/** What the panels over the world show, taken a few times a second. */
import type { CellId } from "../geo/cell_id.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import type { Account, FenceRule, LotMarket, LotStatus } from "../net/domain.ts";
import type { ConnectionState } from "../net/session.ts";

export interface NearbyPerson {
  readonly id: number;
  readonly accountId: string;
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
  readonly distanceM: number;
  /** Clockwise from where the camera looks, -π to π. */
  readonly directionRad: number;
}

export interface PlaceView {
  readonly latLng: LatLng;
  /** What the land is called here, the nearest thing first; empty until the server has said. */
  readonly names: readonly string[];
  readonly biome: string;
  readonly altitudeM: number;
  /** Time of day and weather, as one reads them. */
  readonly sky: string;
  readonly isSwimming: boolean;
}

/** The lot that is looked at, or stood on when the look goes into the sky. */
export interface LotView {
  readonly cell: CellId;
  /** What the land that it belongs to is called by. */
  readonly parcel: CellId;
  readonly lotCount: number;
  readonly fence: FenceRule;
  readonly market: LotMarket | undefined;
  /** Chosen to be claimed with others. */
  readonly isPicked: boolean;
  /** `unknown` until the server has said. */
  readonly status: LotStatus | "mine" | "unknown";
  readonly reason: string | undefined;
  readonly ownerName: string | undefined;
  readonly name: string | undefined;
  readonly areaM2: number;
  readonly priceMinor: number;
  readonly distanceM: number;
  /** Near enough to be claimed. */
  readonly isInReach: boolean;
}

/** Free lots that were chosen to be claimed together. */
export interface PickView {
  readonly cells: readonly CellId[];
  readonly areaM2: number;
  readonly priceMinor: number;
  /** Why they cannot be claimed as they are; empty when they can. */
  readonly fault: string;
}

/** Money of the planet's own currency. */
export interface MoneyView {
  readonly availableMinor: number;
  readonly heldMinor: number;
}

export interface Hud {
  readonly connection: ConnectionState;
  readonly roundTripMs: number | undefined;
  readonly account: Account | undefined;
  readonly place: PlaceView | undefined;
  readonly people: readonly NearbyPerson[];
  readonly lot: LotView | undefined;
  readonly money: MoneyView | undefined;
  readonly picked: PickView | undefined;
  readonly unread: number;
  readonly isGlobe: boolean;
}
