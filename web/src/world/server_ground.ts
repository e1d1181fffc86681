/**
 * Ground from the server where this browser cannot make it: chunks over HTTP, meshes built on the page between its
 * frames. Slower, coarser to load and without plants, but the same ground.
 */
import { Backoff } from "../net/backoff.ts";
import { type CellAddress, cellKey, tokenOf } from "./cells.ts";
import { type Chunk, chunkOf, meshOf, parseChunk } from "./chunk_mesh.ts";
import { emptyPlants, type Job } from "./messages.ts";
import type { GroundWork, GroundWorkEvents } from "./workforce.ts";

const REQUESTS_MAX = 4;
const CHUNKS_MAX = 96;
/** The page draws in between. */
const SLICE_MS = 6;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

export interface ServerGroundParts {
  readonly planetHash: string;
  readonly radiusM: number;
  fetch(url: string): Promise<Response>;
  /** Calls back when the page has drawn. */
  later(work: () => void, ms: number): void;
  random(): number;
  nowMs(): number;
}

export class ServerGround implements GroundWork {
  private wanted: readonly Job[] = [];
  /** The last used stands last. */
  private readonly chunks = new Map<number, Chunk>();
  private readonly coming = new Set<number>();
  private readonly backoff: Backoff;
  private isPaused = false;
  private isWorking = false;
  private isDisposed = false;
  private workMs: number[] = [];

  constructor(
    private readonly parts: ServerGroundParts,
    private readonly events: GroundWorkEvents,
  ) {
    this.backoff = new Backoff(FIRST_RETRY_MS, LAST_RETRY_MS, parts.random);
  }

  want(jobs: readonly Job[]): void {
    this.wanted = jobs;
    this.ask();
    this.work();
  }

  get pendingCount(): number {
    return this.wanted.length;
  }

  get medianWorkMs(): number {
    return this.workMs.toSorted((a, b) => a - b)[this.workMs.length >> 1] ?? 0;
  }

  dispose(): void {
    this.isDisposed = true;
    this.wanted = [];
  }

  /** Asks for the chunks of the most urgent jobs. */
  private ask(): void {
    for (const job of this.wanted) {
      if (this.isPaused || this.isDisposed || this.coming.size >= REQUESTS_MAX) return;
      if (job.kind !== "tile") continue;
      const chunk = chunkOf(job.cell, job.quads);
      const key = cellKey(chunk);
      if (!this.chunks.has(key) && !this.coming.has(key)) void this.bring(key, chunk);
    }
  }

  private async bring(key: number, cell: CellAddress): Promise<void> {
    this.coming.add(key);
    try {
      const url = `/api/v1/planet/${this.parts.planetHash}/chunks/${tokenOf(cell)}?format=json`;
      const response = await this.parts.fetch(url);
      if (response.status === 404 || response.status === 400) {
        this.events.onFailed(`the server has no ground at ${tokenOf(cell)}`);
        return;
      }
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      this.keep(key, parseChunk(await response.json()));
      this.backoff.reset();
    } catch {
      this.pause();
    } finally {
      this.coming.delete(key);
    }
    this.ask();
    this.work();
  }

  /** The server does not answer, or with something else: asks again in a while. */
  private pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.parts.later(() => {
      this.isPaused = false;
      this.ask();
    }, this.backoff.nextMs());
  }

  private keep(key: number, chunk: Chunk): void {
    this.chunks.set(key, chunk);
    for (const oldest of this.chunks.keys()) {
      if (this.chunks.size <= CHUNKS_MAX) return;
      this.chunks.delete(oldest);
    }
  }

  /** Builds what can be built, a few milliseconds at a time. */
  private work(): void {
    if (this.isWorking || this.isDisposed) return;
    const startedMs = this.parts.nowMs();
    for (const job of this.wanted) {
      const bytes = this.build(job);
      if (!bytes) continue;
      this.wanted = this.wanted.filter((other) => other !== job);
      const workMs = this.parts.nowMs() - startedMs;
      this.workMs = [...this.workMs.slice(-99), workMs];
      this.events.onBuilt({ kind: job.kind, key: job.key, bytes, workMs });
      if (workMs < SLICE_MS) continue;
      this.isWorking = true;
      this.parts.later(() => {
        this.isWorking = false;
        this.work();
      }, 0);
      return;
    }
  }

  private build(job: Job): ArrayBuffer | undefined {
    if (job.kind !== "tile") return emptyPlants();
    const key = cellKey(chunkOf(job.cell, job.quads));
    const chunk = this.chunks.get(key);
    if (!chunk) return undefined;
    this.chunks.delete(key);
    this.chunks.set(key, chunk);
    return meshOf(chunk, job.cell, job.quads, this.parts.radiusM);
  }
}
