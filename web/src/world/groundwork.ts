/** Who builds the ground: workers with WebAssembly as long as they can, the server's chunks from then on. */
import type { Job } from "./messages.ts";
import { ServerGround } from "./server_ground.ts";
import { type GroundWork, type GroundWorkEvents, Workforce, type WorkPlanet } from "./workforce.ts";

const WORKERS = 2;

export interface GroundworkOptions extends WorkPlanet {
  readonly planetHash: string;
  readonly radiusM: number;
  readonly from: "workers" | "server";
  /** Told once when the server has to take over, and why. */
  readonly onServerGround: (reason: string) => void;
}

export class Groundwork implements GroundWork {
  private isServer = false;

  private constructor(
    private readonly options: GroundworkOptions,
    private readonly events: GroundWorkEvents,
    private work: GroundWork | undefined,
  ) {}

  /** Resolves when there is somebody to build. */
  static async start(options: GroundworkOptions, events: GroundWorkEvents): Promise<Groundwork> {
    const groundwork = new Groundwork(options, events, undefined);
    if (options.from === "server") {
      groundwork.useServer("it was asked for");
      return groundwork;
    }
    const { onBuilt } = events;
    const onFailed = (reason: string) => groundwork.useServer(reason);
    try {
      const force = await Workforce.start(WORKERS, options, { onBuilt, onFailed });
      if (groundwork.isServer) force.dispose();
      else groundwork.work = force;
    } catch (error) {
      onFailed(error instanceof Error ? error.message : String(error));
    }
    return groundwork;
  }

  want(jobs: readonly Job[]): void {
    this.work?.want(jobs);
  }

  get pendingCount(): number {
    return this.work?.pendingCount ?? 0;
  }

  get medianWorkMs(): number {
    return this.work?.medianWorkMs ?? 0;
  }

  dispose(): void {
    this.work?.dispose();
  }

  private useServer(reason: string): void {
    if (this.isServer) return;
    this.isServer = true;
    this.work?.dispose();
    const { planetHash, radiusM, onServerGround } = this.options;
    const parts = {
      planetHash,
      radiusM,
      fetch: (url: string) => fetch(url),
      later: (work: () => void, ms: number) => void setTimeout(work, ms),
      random: Math.random,
      nowMs: () => performance.now(),
    };
    this.work = new ServerGround(parts, this.events);
    onServerGround(reason);
  }
}
