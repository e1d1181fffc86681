import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { PackedTile, TileSource } from "../core/tile_source.ts";
import { type CellId, tryCellId } from "../geo/cell_id.ts";
import type { FromWorker, Job, ToWorker } from "./messages.ts";
import { Workforce } from "./workforce.ts";

/** A worker that does what the test says, when it says. */
class StandIn {
  static all: StandIn[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  jobs: Job[] = [];
  tiles: PackedTile[] = [];
  isTerminated = false;

  constructor() {
    StandIn.all.push(this);
  }

  postMessage(message: ToWorker): void {
    if (message.kind === "start") queueMicrotask(() => this.say({ kind: "ready" }));
    else if (message.kind === "raster") this.tiles.push(message.tile);
    else this.jobs.push(message);
  }

  say(message: FromWorker): void {
    this.onmessage?.({ data: message });
  }

  finishOne(): void {
    const job = this.jobs.shift();
    if (!job) return;
    this.say({
      kind: "built",
      built: { kind: job.kind, key: job.key, bytes: new ArrayBuffer(0), workMs: 1 },
    });
  }

  /** Gives a job back for want of a raster tile. */
  lack(id: CellId): void {
    const job = this.jobs.shift();
    if (job) this.say({ kind: "lacks", job, tiles: [id] });
  }

  terminate(): void {
    this.isTerminated = true;
  }
}

const tile = (key: number): Job => ({
  kind: "tile",
  key,
  cell: { face: 0, level: 0, i: 0, j: 0 },
  quads: 16,
});
const upTo = (count: number) => Array.from({ length: count }, (_, key) => key);
const CELL = tryCellId(1n << 60n) as CellId;

/** Tiles come when the test lets them; each refusal makes the next. */
class Tiles {
  asked: { id: CellId; urgency: number }[] = [];
  refusals = 0;
  private waiting: { resolve: (tile: PackedTile) => void; reject: (error: Error) => void }[] = [];

  tile(id: CellId, urgency: number): Promise<PackedTile> {
    this.asked.push({ id, urgency });
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }

  refuse(): Promise<void> {
    this.refusals += 1;
    return Promise.resolve();
  }

  async come(): Promise<void> {
    const tile = { id: CELL, bytes: new Uint8Array(1), refusals: this.refusals };
    for (const { resolve } of this.waiting.splice(0)) resolve(tile);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }

  async stayAway(): Promise<void> {
    for (const { reject } of this.waiting.splice(0)) reject(new Error("no such tile"));
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

describe("the terrain workers", () => {
  const done: number[] = [];
  const failed: string[] = [];
  let tiles = new Tiles();
  const hire = () =>
    Workforce.start(
      2,
      {
        module: {} as WebAssembly.Module,
        manifest: new Uint8Array(),
        tiles: tiles as unknown as TileSource,
        fineTilesMax: 9,
      },
      { onBuilt: ({ key }) => done.push(key), onFailed: (reason) => failed.push(reason) },
    );
  const inHand = () =>
    StandIn.all.flatMap((worker) => worker.jobs.map(({ key }) => key)).sort((a, b) => a - b);

  beforeEach(() => {
    StandIn.all = [];
    tiles = new Tiles();
    done.length = 0;
    failed.length = 0;
    vi.stubGlobal("Worker", StandIn);
  });
  afterEach(() => vi.unstubAllGlobals());

  it("take the most urgent jobs, a few each", async () => {
    const force = await hire();
    force.want(Array.from({ length: 50 }, (_, key) => tile(key)));
    expect(inHand()).toEqual(upTo(32));
    expect(StandIn.all.map((worker) => worker.jobs.length)).toEqual([16, 16]);
    expect(force.pendingCount).toBe(50);
  });

  it("go on by themselves, and never do a job twice at once", async () => {
    const force = await hire();
    const jobs = Array.from({ length: 9 }, (_, key) => tile(key));
    force.want(jobs);
    force.want(jobs);
    for (let round = 0; round < 9; round += 1) for (const worker of StandIn.all) worker.finishOne();
    expect(done.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(force.pendingCount).toBe(0);
  });

  it("forget what is no longer wanted", async () => {
    const force = await hire();
    force.want(Array.from({ length: 50 }, (_, key) => tile(key)));
    force.want([tile(100)]);
    for (let round = 0; round < 20; round += 1) for (const worker of StandIn.all) worker.finishOne();
    expect(done.sort((a, b) => a - b)).toEqual([...upTo(32), 100]);
  });

  it("are given the raster tiles that a job lacks, and then do it", async () => {
    const force = await hire();
    force.want([tile(1), tile(2)]);
    const [first, second] = StandIn.all;
    first?.lack(CELL);
    second?.lack(CELL);
    force.want([tile(1), tile(2), tile(3)]);
    expect(inHand()).toEqual([3]);
    expect(force.pendingCount).toBe(3);
    await tiles.come();
    for (const worker of StandIn.all) expect(worker.tiles.map(({ id }) => id)).toEqual([CELL]);
    expect(inHand()).toEqual([1, 2, 3]);
    for (let round = 0; round < 3; round += 1) for (const worker of StandIn.all) worker.finishOne();
    expect([done.toSorted(), force.pendingCount]).toEqual([[1, 2, 3], 0]);
  });

  it("do not come back to a job that nobody wants any more", async () => {
    const force = await hire();
    force.want([tile(1)]);
    StandIn.all[0]?.lack(CELL);
    force.want([]);
    await tiles.come();
    expect([inHand(), force.pendingCount]).toEqual([[], 0]);
  });

  it("send back a raster tile that is wrong, and are given another", async () => {
    const force = await hire();
    force.want([tile(1)]);
    const [worker] = StandIn.all;
    worker?.lack(CELL);
    await tiles.come();
    const [wrong] = worker?.tiles ?? [];
    if (wrong) worker?.say({ kind: "refused", tile: wrong });
    worker?.lack(CELL);
    await tiles.come();
    await tiles.come();
    expect(tiles.refusals).toBe(1);
    expect(worker?.tiles.map(({ refusals }) => refusals)).toEqual([0, 1]);
    expect(inHand()).toEqual([1]);
  });

  it("fail when a raster tile cannot be had", async () => {
    const force = await hire();
    force.want([tile(1)]);
    StandIn.all[0]?.lack(CELL);
    await tiles.stayAway();
    expect(failed).toEqual(["no such tile"]);
    force.dispose();
  });

  it("report a failure, and stop when told", async () => {
    const force = await hire();
    StandIn.all[0]?.say({ kind: "failed", reason: "no memory" });
    expect(failed).toEqual(["no memory"]);
    force.dispose();
    expect(StandIn.all.every((worker) => worker.isTerminated)).toBe(true);
  });

  it("say why they could not start", async () => {
    const starting = hire();
    StandIn.all[0]?.onerror?.({ message: "blocked" });
    await expect(starting).rejects.toThrow("blocked");
  });
});
