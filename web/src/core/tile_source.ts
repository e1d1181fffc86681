/**
 * Where raster tiles come from: the memory of this page, the browser's cache, the server, in this order.
 *
 * One source serves the page and all its workers. It hands out compressed bytes; whoever unpacks them verifies them in
 * WebAssembly and, where they are wrong, says so with {@link TileSource.refuse}: then they are forgotten and fetched once more.
 */
import { type CellId, cellLevel, cellToken } from "../geo/cell_id.ts";
import { Backoff } from "../net/backoff.ts";
import type { TileStore } from "./tile_store.ts";

/** Levels between a tile, which is a cell itself, and the raster's cells: `TILE_DEPTH` in `crates/planet`. */
const TILE_DEPTH = 6;
const REQUESTS_MAX = 6;
/** A tile that is wrong is fetched again so often. */
const REFETCHES_MAX = 1;
const FIRST_RETRY_MS = 400;
const LAST_RETRY_MS = 10_000;
/** After so many failures in a row the person is told that the ground is late. */
const FAILURES_BEFORE_WORD = 3;

/** A tile that cannot be had: the server has none of that name, or keeps sending a wrong one. */
export class TileUnavailable extends Error {}

export interface TileSourceParts {
  readonly planetHash: string;
  readonly store: TileStore;
  /** Compressed bytes kept in memory. */
  readonly keptBytesMax: number;
  fetch(url: string, options: RequestInit): Promise<Response>;
  sleep(ms: number): Promise<void>;
  random(): number;
  /** Told when tiles are late, and when they come again. */
  onLate(isLate: boolean): void;
}

/** A tile as it came, not verified yet. */
export interface PackedTile {
  readonly id: CellId;
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** How often this tile had been refused before it was fetched. */
  readonly refusals: number;
}

interface Request {
  readonly id: CellId;
  urgency: number;
  isUnderWay: boolean;
  readonly answer: Promise<PackedTile>;
  readonly resolve: (tile: PackedTile) => void;
  readonly reject: (error: unknown) => void;
}

function requestFor(id: CellId, urgency: number): Request {
  let resolve: Request["resolve"] = () => {};
  let reject: Request["reject"] = () => {};
  const answer = new Promise<PackedTile>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { id, urgency, isUnderWay: false, answer, resolve, reject };
}

export class TileSource {
  readonly #requests = new Map<CellId, Request>();
  /** The last used stands last. */
  readonly #kept = new Map<CellId, PackedTile>();
  readonly #refusals = new Map<CellId, number>();
  #keptBytes = 0;
  #underWay = 0;
  #failures = 0;
  #fetchedBytes = 0;

  constructor(private readonly parts: TileSourceParts) {}

  /** Bytes that came from the server. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** Tiles asked for and not there yet. */
  get pendingCount(): number {
    return this.#requests.size;
  }

  /** A tile; the smaller `urgency`, the earlier. Asked for again meanwhile, the smaller one counts. */
  tile(id: CellId, urgency: number): Promise<PackedTile> {
    const kept = this.#kept.get(id);
    if (kept) {
      this.#kept.delete(id);
      this.#kept.set(id, kept);
      return Promise.resolve(kept);
    }
    let request = this.#requests.get(id);
    if (request) {
      request.urgency = Math.min(request.urgency, urgency);
    } else {
      request = requestFor(id, urgency);
      this.#requests.set(id, request);
      this.#dispatch();
    }
    return request.answer;
  }

  /** The tile is not what the manifest says: forgets it here and in the browser, so that it is fetched anew. */
  async refuse({ id, refusals }: PackedTile): Promise<void> {
    // Somebody else has had the same bytes, and said so.
    if (refusals < this.#refusalsOf(id)) return;
    this.#refusals.set(id, refusals + 1);
    this.#forget(id);
    await this.parts.store.delete(this.#urlOf(id));
  }

  #refusalsOf(id: CellId): number {
    return this.#refusals.get(id) ?? 0;
  }

  #urlOf(id: CellId): string {
    return `/api/v1/planet/${this.parts.planetHash}/tiles/${cellLevel(id) + TILE_DEPTH}/${cellToken(id)}`;
  }

  #dispatch(): void {
    while (this.#underWay < REQUESTS_MAX) {
      let next: Request | undefined;
      for (const request of this.#requests.values()) {
        if (!request.isUnderWay && (!next || request.urgency < next.urgency)) next = request;
      }
      if (!next) return;
      next.isUnderWay = true;
      this.#underWay += 1;
      void this.#answer(next);
    }
  }

  async #answer(request: Request): Promise<void> {
    const { id } = request;
    try {
      const tile = await this.#find(id);
      this.#keep(tile);
      request.resolve(tile);
    } catch (error) {
      request.reject(error);
    } finally {
      this.#requests.delete(id);
      this.#underWay -= 1;
      this.#dispatch();
    }
  }

  async #find(id: CellId): Promise<PackedTile> {
    const url = this.#urlOf(id);
    const refusals = this.#refusalsOf(id);
    if (refusals > REFETCHES_MAX) {
      throw new TileUnavailable(`the server sends a wrong tile ${cellToken(id)} of the planet`);
    }
    const stored = await this.parts.store.get(url);
    if (stored) return { id, bytes: stored, refusals };
    const bytes = await this.#fetch(url, refusals > 0);
    this.#fetchedBytes += bytes.length;
    void this.parts.store.put(url, bytes);
    return { id, bytes, refusals };
  }

  /** Tries until the server answers; `isAnew` goes past the browser's own HTTP cache. */
  async #fetch(url: string, isAnew: boolean): Promise<Uint8Array<ArrayBuffer>> {
    const backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS, this.parts.random);
    for (;;) {
      try {
        const response = await this.parts.fetch(url, { cache: isAnew ? "reload" : "default" });
        if (response.ok) {
          const bytes = new Uint8Array(await response.arrayBuffer());
          this.#succeeded();
          return bytes;
        }
        if (response.status < 500 && response.status !== 429) {
          throw new TileUnavailable(`the server has no tile ${url} (HTTP ${response.status})`);
        }
      } catch (error) {
        if (error instanceof TileUnavailable) throw error;
      }
      this.#failed();
      await this.parts.sleep(backoff.nextMs());
    }
  }

  #failed(): void {
    this.#failures += 1;
    if (this.#failures === FAILURES_BEFORE_WORD) this.parts.onLate(true);
  }

  #succeeded(): void {
    if (this.#failures >= FAILURES_BEFORE_WORD) this.parts.onLate(false);
    this.#failures = 0;
  }

  #keep(tile: PackedTile): void {
    this.#kept.set(tile.id, tile);
    this.#keptBytes += tile.bytes.length;
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= this.parts.keptBytesMax) return;
      this.#forget(oldest);
    }
  }

  #forget(id: CellId): void {
    const tile = this.#kept.get(id);
    if (!tile) return;
    this.#kept.delete(id);
    this.#keptBytes -= tile.bytes.length;
  }
}
