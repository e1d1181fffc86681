/**
 * The terrain workers and the queue before them.
 *
 * Each frame says anew what is wanted, most urgent first; only what fits into the workers' hands is sent, so that
 * whatever is no longer wanted is cancelled by not being asked for again.
 */
import type { FromWorker, Job, ToWorker } from "./messages.ts";

/**
 * Jobs a worker has at once. A job takes a millisecond or less, and where a processor draws the picture the page
 * comes round only once in hundreds: with fewer the workers would stand idle most of the time.
 */
const IN_HAND_MAX = 16;

export interface WorkforceEvents {
  readonly onDone: (result: Extract<FromWorker, { bytes: ArrayBuffer }>) => void;
  readonly onFailed: (reason: string) => void;
}

export class Workforce {
  private readonly workers: { readonly worker: Worker; inHand: number }[] = [];
  private readonly inWork = new Set<string>();
  private wanted: readonly Job[] = [];
  private workMs: number[] = [];

  private constructor(private readonly events: WorkforceEvents) {}

  /** Starts `count` workers on one planet and resolves when all have it. */
  static async start(
    count: number,
    planet: { module: WebAssembly.Module; seed: bigint; shift: number },
    events: WorkforceEvents,
  ): Promise<Workforce> {
    const force = new Workforce(events);
    await Promise.all(Array.from({ length: count }, () => force.hire(planet)));
    return force;
  }

  /** Replaces the queue. */
  want(jobs: readonly Job[]): void {
    this.wanted = jobs;
    this.dispatch();
  }

  /** Jobs wanted or in work. */
  get pendingCount(): number {
    return this.inWork.size + this.wanted.length;
  }

  /** Median milliseconds of the last hundred jobs. */
  get medianWorkMs(): number {
    return this.workMs.toSorted((a, b) => a - b)[this.workMs.length >> 1] ?? 0;
  }

  dispose(): void {
    for (const { worker } of this.workers) worker.terminate();
    this.wanted = [];
  }

  private hire(planet: { module: WebAssembly.Module; seed: bigint; shift: number }): Promise<void> {
    const worker = new Worker(new URL("./terrain_worker.ts", import.meta.url), { type: "module" });
    const hired = { worker, inHand: 0 };
    this.workers.push(hired);
    return new Promise((resolve, reject) => {
      worker.onerror = (event) => reject(new Error(event.message || "a terrain worker could not start"));
      worker.onmessage = (event: MessageEvent<FromWorker>) => {
        const message = event.data;
        switch (message.kind) {
          case "ready":
            resolve();
            break;
          case "failed":
            // Before the start this is the answer to it; afterwards the job stays wanted and would only fail again.
            reject(new Error(message.reason));
            this.events.onFailed(message.reason);
            break;
          case "tile":
          case "plants":
            hired.inHand -= 1;
            this.inWork.delete(nameOf(message));
            this.workMs = [...this.workMs.slice(-99), message.workMs];
            this.events.onDone(message);
            this.dispatch();
        }
      };
      const start: ToWorker = { kind: "start", ...planet };
      worker.postMessage(start);
    });
  }

  private dispatch(): void {
    const waiting = this.wanted.filter((job) => !this.inWork.has(nameOf(job)));
    let next = 0;
    // Round by round, so that the most urgent jobs are spread over the workers.
    for (let hand = 0; hand < IN_HAND_MAX; hand += 1) {
      for (const hired of this.workers) {
        const job = waiting[next];
        if (hired.inHand > hand || !job) continue;
        next += 1;
        hired.inHand += 1;
        this.inWork.add(nameOf(job));
        hired.worker.postMessage(job satisfies ToWorker);
      }
    }
    this.wanted = waiting.slice(next);
  }
}

function nameOf(job: { readonly kind: Job["kind"]; readonly key: number }): string {
  return `${job.kind}${job.key}`;
}
