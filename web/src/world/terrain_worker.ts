/** Builds terrain tiles and plant patches with the WebAssembly planet, one instance per worker. */
/// <reference lib="webworker" />
import type { PackedTile } from "../core/tile_source.ts";
import type { FromWorker, Job, StartWork, ToWorker } from "./messages.ts";
import { instantiatePlanet, type PlanetCore } from "./planet_core.ts";

declare const self: DedicatedWorkerGlobalScope;

let core: PlanetCore | undefined;

const answer = (message: FromWorker, transfer: Transferable[] = []) => self.postMessage(message, transfer);

async function start(work: StartWork): Promise<void> {
  core = await instantiatePlanet(work.module, work.manifest, work.fineTilesMax);
  answer({ kind: "ready" });
}

function started(): PlanetCore {
  if (!core) throw new Error("work came before the planet");
  return core;
}

function run(job: Job): void {
  const startedMs = performance.now();
  const tiles = started().missingFor(job);
  if (tiles.length > 0) {
    answer({ kind: "lacks", job, tiles });
    return;
  }
  const bytes = started().build(job);
  const workMs = performance.now() - startedMs;
  answer({ kind: "built", built: { kind: job.kind, key: job.key, bytes, workMs } }, [bytes]);
}

function take(tile: PackedTile): void {
  if (!started().planet.insertTile(tile.id, tile.bytes)) answer({ kind: "refused", tile });
}

self.onmessage = async ({ data }: MessageEvent<ToWorker>) => {
  try {
    switch (data.kind) {
      case "start":
        await start(data);
        break;
      case "raster":
        take(data.tile);
        break;
      case "tile":
      case "plants":
        run(data);
    }
  } catch (error) {
    answer({ kind: "failed", reason: error instanceof Error ? error.message : String(error) });
  }
};
