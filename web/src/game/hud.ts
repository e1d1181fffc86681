/** What the panels over the world show, taken a few times a second. */
import type { CellId } from "../geo/cell_id.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import type { Account, LotStatus } from "../net/domain.ts";
import type { ConnectionState } from "../net/session.ts";

export interface NearbyPerson {
  readonly id: number;
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
  readonly isSwimming: boolean;
}

/** The lot that is looked at, or stood on when the look goes into the sky. */
export interface LotView {
  readonly cell: CellId;
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

export interface Hud {
  readonly connection: ConnectionState;
  readonly roundTripMs: number | undefined;
  readonly account: Account | undefined;
  readonly place: PlaceView | undefined;
  readonly people: readonly NearbyPerson[];
  readonly lot: LotView | undefined;
  readonly balanceMinor: number | undefined;
  readonly isGlobe: boolean;
}
