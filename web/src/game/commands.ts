/** What the panels may ask for. The game implements it; the panels know nothing else of the game. */
import type { CellId } from "../geo/cell_id.ts";
import type { PlaceLink } from "../geo/place_link.ts";
import type { Stick } from "../input/intents.ts";
import type { Account, Lot } from "../net/domain.ts";
import type { Daylight } from "./daytime.ts";
import type { QualityChoice } from "./settings.ts";
import type { Vitals } from "./vitals.ts";

export { Declined } from "../net/declined.ts";

export interface Commands {
  /** Speaks; false when nobody could hear because the connection is lost. */
  say(text: string): boolean;
  /** Buys a free lot. Rejects with {@link Declined}. */
  claim(cell: CellId): Promise<void>;
  /** Chooses a free lot to be claimed with others, or takes it back. */
  pick(cell: CellId): void;
  unpickAll(): void;
  /** Claims all that are chosen, as one piece of land. Rejects with {@link Declined}. */
  claimPicked(): Promise<CellId>;
  /** Buys land that is for sale, at the price that was shown. Rejects with {@link Declined}. */
  buy(lot: CellId, listingId: string, priceMinor: number): Promise<void>;
  /** Bids in an auction. Rejects with {@link Declined}. */
  bid(lot: CellId, auctionId: string, maxMinor: number): Promise<void>;
  renameLot(cell: CellId, name: string): Promise<void>;
  myLots(): Promise<readonly Lot[]>;
  updateAccount(change: { name?: string; color?: string }): Promise<Account>;
  /** The address of where we stand, or of a lot. */
  linkTo(lot?: CellId): string;
  /** Leaves this place and arrives at another. */
  travel(to: PlaceLink): void;
  turnTowards(entityId: number): void;
  toggleGlobe(): void;
  setQuality(quality: QualityChoice): void;
  setDaylight(daylight: Daylight): void;
  reconnect(): void;
  /** How connection and picture do now. */
  vitals(): Vitals;
  push(stick: Stick): void;
  jump(isHeld: boolean): void;
}
