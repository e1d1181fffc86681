/** The lots around: who owns what, fetched in pieces as one walks, and the one that is looked at. */
import type { Planet } from "../core/planet.ts";
import { type CellId, cellToken } from "../geo/cell_id.ts";
import { distance, scale, type Vec3 } from "../geo/vec3.ts";
import type { Api } from "../net/api.ts";
import type { Lot } from "../net/domain.ts";
import { isConnected } from "../world/shape_rules.ts";
import type { LotView, PickView } from "./hud.ts";

/** What the renderer is told of a lot. */
export interface LotOnGround {
  readonly token: string;
  readonly state: "mine" | "sale" | "auction" | "taken" | "free" | "unclaimable";
  /** The land that it belongs to, where it belongs to somebody. */
  readonly parcel: string | undefined;
  readonly isPicked: boolean;
}

/** Land with a fence. */
export interface FenceOnGround {
  readonly cells: readonly string[];
  readonly isClosed: boolean;
}

/** A claim is refused from further away than this from the lot's centre. */
export const CLAIM_REACH_M = 100;
const AROUND_M = 200;
/** Pieces fetched at a time are so many levels coarser than a lot: some 570 m wide. */
const PIECE_LEVELS_UP = 4;
/** What nobody told us of may have changed after this long. */
const STALE_AFTER_MS = 60_000;
/** Lots that are remembered one by one; a piece of land has up to 1024. */
const KNOWN_MAX = 4_000;
/** The server claims no more at once. */
export const PICKED_MAX = 64;

/** The part of the API that is used. */
export type LotApi = Pick<Api, "lot" | "lotsIn">;

interface Known {
  readonly lot: Lot;
  readonly atMs: number;
}

export class Lots {
  readonly #pieces = new Map<CellId, { atMs: number; lots: readonly Lot[] }>();
  readonly #known = new Map<CellId, Known>();
  readonly #asking = new Set<CellId>();
  readonly #picked = new Map<CellId, Lot>();
  #closedCells: readonly CellId[] = [];
  #closed: ReadonlySet<CellId> = new Set();
  #onGround: readonly LotOnGround[] = [];
  #fences: readonly FenceOnGround[] = [];
  #isStale = true;

  constructor(
    private readonly api: LotApi,
    private readonly planet: Pick<Planet, "cellAt" | "centerOf" | "cellsWithin" | "radiusM">,
    private readonly lotLevel: number,
    /** Our account, and the groups that we act for. */
    private readonly ownIds: () => ReadonlySet<string>,
    /** Told when a request failed; the next one comes by itself. */
    private readonly onFault: (error: unknown) => void,
  ) {}

  /** Asks for what is missing around a place; call now and then. */
  walkTo(position: Vec3, nowMs: number): void {
    const wanted = new Set(this.planet.cellsWithin(position, AROUND_M, this.lotLevel - PIECE_LEVELS_UP));
    for (const piece of this.#pieces.keys()) {
      if (wanted.has(piece)) continue;
      this.#pieces.delete(piece);
      this.#isStale = true;
    }
    for (const piece of wanted) {
      const known = this.#pieces.get(piece);
      if (known && nowMs - known.atMs < STALE_AFTER_MS) continue;
      void this.#ask(piece, async () => {
        this.#pieces.set(piece, { atMs: nowMs, lots: await this.api.lotsIn(piece) });
      });
    }
  }

  /** The lot under a place, as far as it is known; asks the server when it is not. */
  lookAt(cell: CellId, from: Vec3, nowMs: number): LotView {
    const known = this.#known.get(cell);
    if (!known || nowMs - known.atMs > STALE_AFTER_MS) {
      void this.#ask(cell, async () => this.learn(await this.api.lot(cell), nowMs));
    }
    const center = scale(this.planet.centerOf(cell), this.planet.radiusM);
    // The height does not count, as for the server.
    const ground = scale(from, this.planet.radiusM / Math.hypot(...from));
    const distanceM = distance(center, ground);
    const lot = known?.lot;
    return {
      cell,
      parcel: lot?.cell ?? cell,
      lotCount: lot?.cells.length ?? 1,
      fence: lot?.fence ?? "everyone",
      market: lot?.market,
      isPicked: this.#picked.has(cell),
      status: !lot ? "unknown" : this.#isMine(lot) ? "mine" : lot.status,
      reason: lot?.reason,
      ownerName: lot?.ownerName,
      name: lot?.name,
      areaM2: lot?.areaM2 ?? 0,
      priceMinor: lot?.priceMinor ?? 0,
      distanceM,
      isInReach: distanceM <= CLAIM_REACH_M,
    };
  }

  /** Takes in what an answer said of one lot. */
  learn(lot: Lot, nowMs: number): void {
    for (const cell of lot.cells) {
      this.#known.set(cell, { lot, atMs: nowMs });
      if (lot.status !== "free") this.#picked.delete(cell);
    }
    this.#isStale = true;
    // One that walks for hours leaves no trail.
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= KNOWN_MAX) break;
      this.#known.delete(oldest);
    }
  }

  /** Somebody bought or renamed a lot: ask again when it matters. */
  changed(cell: CellId): void {
    const land = this.#known.get(cell)?.lot.cells ?? [cell];
    for (const lot of land) this.#known.delete(lot);
    for (const piece of this.#pieces.values()) piece.atMs = Number.NEGATIVE_INFINITY;
  }

  /** After a lost connection anything may have changed. */
  forget(): void {
    this.#known.clear();
    for (const piece of this.#pieces.values()) piece.atMs = Number.NEGATIVE_INFINITY;
  }

  /** Chooses a free lot that is known, or takes the choice back. */
  pick(cell: CellId): void {
    const lot = this.#known.get(cell)?.lot;
    if (!this.#picked.delete(cell) && lot?.status === "free" && this.#picked.size < PICKED_MAX) {
      this.#picked.set(cell, lot);
    }
    this.#isStale = true;
  }

  unpickAll(): void {
    this.#picked.clear();
    this.#isStale = true;
  }

  /** What is chosen, with what stands against claiming it. */
  get picked(): PickView | undefined {
    if (this.#picked.size === 0) return undefined;
    const lots = [...this.#picked.values()];
    const cells = [...this.#picked.keys()];
    const sum = (of: (lot: Lot) => number) => lots.reduce((total, lot) => total + of(lot), 0);
    return {
      cells,
      areaM2: sum(({ areaM2 }) => areaM2),
      priceMinor: sum(({ priceMinor }) => priceMinor),
      fault: isConnected(cells.map(cellToken)) ? "" : "The lots must touch each other by their sides.",
    };
  }

  /** The lots whose fence keeps us out, as the server says for our body; the same array again costs nothing. */
  setClosed(cells: readonly CellId[]): void {
    if (cells === this.#closedCells) return;
    this.#closedCells = cells;
    this.#closed = new Set(cells);
    this.#isStale = true;
  }

  /** The lots to draw; the same array until something changes. */
  get onGround(): readonly LotOnGround[] {
    this.#refresh();
    return this.#onGround;
  }

  /** The land round which fences stand; the same array until something changes. */
  get fences(): readonly FenceOnGround[] {
    this.#refresh();
    return this.#fences;
  }

  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    const latest = new Map<CellId, Lot>();
    const put = (lot: Lot) => {
      for (const cell of lot.cells) latest.set(cell, lot);
    };
    for (const piece of this.#pieces.values()) piece.lots.forEach(put);
    for (const [cell, { lot }] of this.#known) latest.set(cell, lot);
    this.#onGround = [...latest].map(([cell, lot]) => ({
      token: cellToken(cell),
      state: this.#stateOf(lot),
      parcel: lot.status === "taken" ? cellToken(lot.cell) : undefined,
      isPicked: this.#picked.has(cell),
    }));
    this.#fences = [...new Set(latest.values())]
      .filter(({ status, fence }) => status === "taken" && fence !== "everyone")
      .map(({ cells }) => ({
        cells: cells.map(cellToken),
        isClosed: cells.some((cell) => this.#closed.has(cell)),
      }));
  }

  #stateOf(lot: Lot): LotOnGround["state"] {
    if (lot.status !== "taken") return lot.status;
    if (lot.market?.kind === "listing") return "sale";
    if (lot.market?.kind === "auction") return "auction";
    return this.#isMine(lot) ? "mine" : "taken";
  }

  #isMine(lot: Lot): boolean {
    return lot.status === "taken" && lot.ownerId !== undefined && this.ownIds().has(lot.ownerId);
  }

  /** One question at a time for a cell. */
  async #ask(cell: CellId, question: () => Promise<void>): Promise<void> {
    if (this.#asking.has(cell)) return;
    this.#asking.add(cell);
    try {
      await question();
      this.#isStale = true;
      this.#asking.delete(cell);
    } catch (error) {
      this.onFault(error);
      // Not again at once: a server in trouble is left alone for a moment.
      setTimeout(() => this.#asking.delete(cell), 3_000);
    }
  }
}
