/**
 * Sees to it that the ground round a body is there before it walks on it.
 *
 * A prediction on other ground than the server's would be wrong at every step, so without its raster tiles a body waits.
 * A tile is tens of kilometres wide: whoever walks hardly ever meets the end of one, whoever travels waits for one.
 */
import type { CellId } from "../geo/cell_id.ts";
import type { Vec3 } from "../geo/vec3.ts";
import type { Planet } from "./planet.ts";
import type { TileSource } from "./tile_source.ts";

/** What must be there before the first step: all that bodies in sight stand on. */
const NEEDED_M = 400;
/** What is fetched ahead of a walk. */
const AHEAD_M = 4_000;
/** Before everything that is only looked at. */
const URGENCY = -1;

export class WalkedGround {
  readonly #coming = new Map<CellId, Promise<void>>();

  constructor(
    private readonly planet: Planet,
    private readonly tiles: TileSource,
  ) {}

  /** Whether a body at `point` stands on the server's own ground. */
  isReady(point: Vec3): boolean {
    return this.planet.groundAt(point).isExact;
  }

  /** Resolves when the ground round `point` is there; rejects with `TileUnavailable`. */
  async prepare(point: Vec3): Promise<void> {
    for (;;) {
      const missing = this.planet.missingAround(point, NEEDED_M);
      if (missing.length === 0) return;
      await Promise.all(missing.map((id) => this.#bring(id)));
    }
  }

  /** Fetches what a walker at `point` may come to; rejects with `TileUnavailable`. */
  async lookAhead(point: Vec3): Promise<void> {
    await Promise.all(this.planet.missingAround(point, AHEAD_M).map((id) => this.#bring(id)));
  }

  /** Fetches certain tiles before others; rejects with `TileUnavailable`. */
  async bring(ids: readonly CellId[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#bring(id)));
  }

  #bring(id: CellId): Promise<void> {
    const known = this.#coming.get(id);
    if (known) return known;
    const coming = this.#insert(id).finally(() => this.#coming.delete(id));
    this.#coming.set(id, coming);
    return coming;
  }

  async #insert(id: CellId): Promise<void> {
    for (;;) {
      const tile = await this.tiles.tile(id, URGENCY);
      if (this.planet.insertTile(id, tile.bytes)) return;
      await this.tiles.refuse(tile);
    }
  }
}
