/** The lots around: who owns what, fetched in pieces as one walks, and the one that is looked at. */
import type { Planet } from "../core/planet.ts";
import { type CellId, cellToken } from "../geo/cell_id.ts";
import { distance, scale, type Vec3 } from "../geo/vec3.ts";
import type { Api } from "../net/api.ts";
import type { Lot } from "../net/domain.ts";
import type { LotView } from "./hud.ts";

/** What the renderer is told of a lot. */
export interface LotOnGround {
  readonly token: string;
  readonly state: "mine" | "taken" | "free" | "unclaimable";
}

/** A claim is refused from further away than this from the lot's centre. */
export const CLAIM_REACH_M = 100;
const AROUND_M = 200;
/** Pieces fetched at a time are so many levels coarser than a lot: some 570 m wide. */
const PIECE_LEVELS_UP = 4;
/** What nobody told us of may have changed after this long. */
const STALE_AFTER_MS = 60_000;

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
  #onGround: readonly LotOnGround[] = [];
  #isStale = true;

  constructor(
    private readonly api: LotApi,
    private readonly planet: Pick<Planet, "cellAt" | "centerOf" | "cellsWithin" | "radiusM">,
    private readonly lotLevel: number,
    private readonly myAccountId: () => string | undefined,
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
    this.#known.set(lot.cell, { lot, atMs: nowMs });
    this.#isStale = true;
    // One that walks for hours leaves no trail.
    const oldest = this.#known.keys().next().value;
    if (this.#known.size > 500 && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Somebody bought or renamed a lot: ask again when it matters. */
  changed(cell: CellId): void {
    this.#known.delete(cell);
    for (const piece of this.#pieces.values()) piece.atMs = Number.NEGATIVE_INFINITY;
  }

  /** After a lost connection anything may have changed. */
  forget(): void {
    this.#known.clear();
    for (const piece of this.#pieces.values()) piece.atMs = Number.NEGATIVE_INFINITY;
  }

  /** The lots to draw; the same array until something changes. */
  get onGround(): readonly LotOnGround[] {
    if (!this.#isStale) return this.#onGround;
    this.#isStale = false;
    const latest = new Map<CellId, Lot>();
    for (const piece of this.#pieces.values()) for (const lot of piece.lots) latest.set(lot.cell, lot);
    for (const { lot } of this.#known.values()) latest.set(lot.cell, lot);
    this.#onGround = [...latest.values()].map((lot) => ({
      token: cellToken(lot.cell),
      state: this.#isMine(lot) ? "mine" : lot.status,
    }));
    return this.#onGround;
  }

  #isMine(lot: Lot): boolean {
    return lot.status === "taken" && lot.ownerId !== undefined && lot.ownerId === this.myAccountId();
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
