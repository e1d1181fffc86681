import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { FromWorker, Job, ToWorker } from "./messages.ts";
import { Workforce } from "./workforce.ts";

/** A worker that does what the test says, when it says. */
class StandIn {
  static all: StandIn[] = [];
  onmessage: ((event: { data: FromWorker }) => void) | null = null;
  onerror: ((event: { message: string }) => void) | null = null;
  jobs: Job[] = [];
  isTerminated = false;

  constructor() {
    StandIn.all.push(this);
  }

  postMessage(message: ToWorker): void {
    if (message.kind === "start") queueMicrotask(() => this.say({ kind: "ready" }));
    else this.jobs.push(message);
  }

  say(message: FromWorker): void {
    this.onmessage?.({ data: message });
  }

  finishOne(): void {
    const job = this.jobs.shift();
    if (job) this.say({ kind: job.kind, key: job.key, bytes: new ArrayBuffer(0), workMs: 1 });
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
const planet = { module: {} as WebAssembly.Module, seed: 1n, shift: 3 };

describe("the terrain workers", () => {
  const done: number[] = [];
  const failed: string[] = [];
  const hire = () =>
    Workforce.start(2, planet, {
      onDone: ({ key }) => done.push(key),
      onFailed: (reason) => failed.push(reason),
    });
  const inHand = () =>
    StandIn.all.flatMap((worker) => worker.jobs.map(({ key }) => key)).sort((a, b) => a - b);

  beforeEach(() => {
    StandIn.all = [];
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
