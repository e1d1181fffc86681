/** Builds terrain tiles and plant patches with the WebAssembly planet, one instance per worker. */
/// <reference lib="webworker" />
import type { FromWorker, Job, StartWork, ToWorker } from "./messages.ts";
import { instantiatePlanet, type PlanetCore } from "./planet_core.ts";

declare const self: DedicatedWorkerGlobalScope;

let core: PlanetCore | undefined;

const answer = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, transfer);

async function start(work: StartWork): Promise<void> {
  core = await instantiatePlanet(work.module, work.seed, work.shift);
  answer({ kind: "ready" });
}

function run(job: Job): void {
  if (!core) throw new Error("a job came before the planet");
  const startedMs = performance.now();
  const bytes =
    job.kind === "tile"
      ? core.buildTile(job.cell, job.quads)
      : core.buildPlants(job.cell, job.slots, job.layer);
  answer({ kind: job.kind, key: job.key, bytes, workMs: performance.now() - startedMs }, [bytes]);
}

self.onmessage = async (event: MessageEvent<ToWorker>) => {
  try {
    if (event.data.kind === "start") await start(event.data);
    else run(event.data);
  } catch (error) {
    answer({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
};
