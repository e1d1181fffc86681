/**
 * The terrain workers and the queue before them.
 *
 * Each frame says anew what is wanted, most urgent first; only what fits into the workers' hands is sent, so that
 * whatever is no longer wanted is cancelled by not being asked for again. A job whose raster tiles are missing comes
 * back, and waits here until they have come: every worker is given every tile.
 */
import type { TileSource } from "../core/tile_source.ts";
import type { CellId } from "../geo/cell_id.ts";
import type { Built, FromWorker, Job, ToWorker } from "./messages.ts";

/**
 * Jobs a worker has at once. A job takes a millisecond or less, and where a processor draws the picture the page
 * comes round only once in hundreds: with fewer the workers would stand idle most of the time.
 */
const IN_HAND_MAX = 16;

/** Whoever builds the meshes that are wanted. */
export interface GroundWork {
  /** Replaces the queue. */
  want(jobs: readonly Job[]): void;
  /** Jobs wanted or in work. */
  readonly pendingCount: number;
  /** Median milliseconds of the last hundred jobs. */
  readonly medianWorkMs: number;
  dispose(): void;
}

export interface GroundWorkEvents {
  readonly onBuilt: (built: Built) => void;
  /** Nothing more will be built. */
  readonly onFailed: (reason: string) => void;
}

/** What workers are given. */
export interface WorkPlanet {
  readonly module: WebAssembly.Module;
  readonly manifest: Uint8Array;
  readonly tiles: TileSource;
  /** Raster tiles of the finest layer that each keeps. */
  readonly fineTilesMax: number;
}

interface Hired {
  readonly worker: Worker;
  inHand: number;
}

export class Workforce implements GroundWork {
  private readonly workers: Hired[] = [];
  private readonly inWork = new Set<string>();
  /** What jobs wait for. */
  private readonly lacking = new Map<string, Set<CellId>>();
  private readonly coming = new Set<CellId>();
  private wanted: readonly Job[] = [];
  private workMs: number[] = [];
  private isDisposed = false;

  private constructor(
    private readonly planet: WorkPlanet,
    private readonly events: GroundWorkEvents,
  ) {}

  /** Starts `count` workers on one planet and resolves when all have it. */
  static async start(count: number, planet: WorkPlanet, events: GroundWorkEvents): Promise<Workforce> {
    const force = new Workforce(planet, events);
    try {
      await Promise.all(Array.from({ length: count }, () => force.hire()));
    } catch (error) {
      force.dispose();
      throw error;
    }
    return force;
  }

  want(jobs: readonly Job[]): void {
    this.wanted = jobs;
    const names = new Set(jobs.map(nameOf));
    for (const name of this.lacking.keys()) if (!names.has(name)) this.lacking.delete(name);
    this.dispatch();
  }

  get pendingCount(): number {
    return this.inWork.size + this.wanted.length;
  }

  get medianWorkMs(): number {
    return this.workMs.toSorted((a, b) => a - b)[this.workMs.length >> 1] ?? 0;
  }

  dispose(): void {
    this.isDisposed = true;
    for (const { worker } of this.workers) worker.terminate();
    this.wanted = [];
  }

  private hire(): Promise<void> {
    const worker = new Worker(new URL("./terrain_worker.ts", import.meta.url), { type: "module" });
    const hired: Hired = { worker, inHand: 0 };
    this.workers.push(hired);
    return new Promise((resolve, reject) => {
      const fail = (reason: string) => {
        // Before the start this is the answer to it, afterwards an event.
        reject(new Error(reason));
        this.fail(reason);
      };
      worker.onerror = (event) => fail(event.message || "a terrain worker could not start");
      worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
        switch (data.kind) {
          case "ready":
            resolve();
            break;
          case "built":
            this.letGo(hired, data.built);
            this.workMs = [...this.workMs.slice(-99), data.built.workMs];
            this.events.onBuilt(data.built);
            this.dispatch();
            break;
          case "lacks":
            this.letGo(hired, data.job);
            this.lacking.set(nameOf(data.job), new Set(data.tiles));
            this.wanted = [data.job, ...this.wanted];
            // The coarser first: it is shown until the finer is there.
            for (const id of data.tiles) void this.bring(id, data.job.cell.level);
            this.dispatch();
            break;
          case "refused":
            void this.planet.tiles.refuse(data.tile).then(() => this.bring(data.tile.id, 0));
            break;
          case "failed":
            fail(data.reason);
        }
      };
      const { module, manifest, fineTilesMax } = this.planet;
      worker.postMessage({ kind: "start", module, manifest, fineTilesMax } satisfies ToWorker);
    });
  }

  private letGo(hired: Hired, job: Pick<Job, "kind" | "key">): void {
    hired.inHand -= 1;
    this.inWork.delete(nameOf(job));
  }

  /** Fetches a raster tile for all workers. */
  private async bring(id: CellId, urgency: number): Promise<void> {
    const isFirst = !this.coming.has(id);
    this.coming.add(id);
    try {
      // Asked for even if it is coming already: it may be more urgent now.
      const tile = await this.planet.tiles.tile(id, urgency);
      if (!isFirst || this.isDisposed) return;
      this.coming.delete(id);
      for (const { worker } of this.workers) worker.postMessage({ kind: "raster", tile } satisfies ToWorker);
      for (const tiles of this.lacking.values()) tiles.delete(id);
      this.dispatch();
    } catch (error) {
      this.fail(error instanceof Error ? error.message : String(error));
    }
  }

  private fail(reason: string): void {
    if (!this.isDisposed) this.events.onFailed(reason);
  }

  private isWaiting(job: Job): boolean {
    return (this.lacking.get(nameOf(job))?.size ?? 0) > 0;
  }

  private dispatch(): void {
    const open = this.wanted.filter((job) => !this.inWork.has(nameOf(job)));
    const able = open.filter((job) => !this.isWaiting(job));
    let next = 0;
    // Round by round, so that the most urgent jobs are spread over the workers.
    for (let hand = 0; hand < IN_HAND_MAX; hand += 1) {
      for (const hired of this.workers) {
        const job = able[next];
        if (hired.inHand > hand || !job) continue;
        next += 1;
        hired.inHand += 1;
        this.inWork.add(nameOf(job));
        this.lacking.delete(nameOf(job));
        hired.worker.postMessage(job satisfies ToWorker);
      }
    }
    this.wanted = open.filter((job) => !this.inWork.has(nameOf(job)));
  }
}

export function nameOf(job: Pick<Job, "kind" | "key">): string {
  return `${job.kind}${job.key}`;
}
