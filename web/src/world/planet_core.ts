/** The planet's own Rust as the renderer's workers use it: meshes of the ground and of what grows on it. */
import { Planet, type PlanetExports } from "../core/planet.ts";
import { type CoreExports, instantiateCore } from "../core/wasm.ts";
import { type CellId, tryCellId } from "../geo/cell_id.ts";
import type { CellAddress } from "./cells.ts";
import { type Job, PLANT_LAYERS } from "./messages.ts";

/** The functions of `crates/browser/src/{tile,plants}.rs`. */
interface MeshExports extends PlanetExports {
  readonly tile_bytes: (quads: number) => number;
  readonly tile_build: (
    planet: number,
    face: number,
    level: number,
    i: number,
    j: number,
    quads: number,
    out: number,
  ) => number;
  readonly tile_missing: (
    planet: number,
    face: number,
    level: number,
    i: number,
    j: number,
    quads: number,
    out: number,
    capacity: number,
  ) => number;
  readonly plants_bytes: (slots: number) => number;
  readonly plants_build: (
    planet: number,
    face: number,
    level: number,
    i: number,
    j: number,
    slots: number,
    layer: number,
    out: number,
  ) => number;
  readonly plants_missing: (
    planet: number,
    face: number,
    level: number,
    i: number,
    j: number,
    layer: number,
    out: number,
    capacity: number,
  ) => number;
}

export interface PlanetCore {
  readonly planet: Planet;
  /** Raster tiles that a job still needs; all of them unless there are very many. */
  missingFor(job: Job): CellId[];
  build(job: Job): ArrayBuffer;
}

/** More tiles than any one mesh lies on. */
const MISSING_MAX = 64;

/** Makes an instance with this planet in it. */
export async function instantiatePlanet(
  module: WebAssembly.Module,
  manifest: Uint8Array,
  fineTilesMax: number,
): Promise<PlanetCore> {
  const instance = await instantiateCore(module);
  const planet = Planet.fromManifest(instance as PlanetExports, manifest);
  planet.keepTiles(fineTilesMax);
  return meshesOf(instance, planet);
}

/** The meshes of a planet that is in an instance. */
export function meshesOf(instance: CoreExports, planet: Planet): PlanetCore {
  const core = instance as MeshExports;
  const ids = core.alloc(MISSING_MAX * 8);

  /** Lets `write` fill `capacity` bytes of the module's memory and copies out what it wrote. */
  const copyOut = (capacity: number, write: (out: number) => number): ArrayBuffer => {
    if (capacity === 0) throw new Error("the planet code refused the size");
    const out = core.alloc(capacity);
    const written = write(out);
    const bytes = core.memory.buffer.slice(out, out + written) as ArrayBuffer;
    core.dealloc(out, capacity);
    if (written === 0) throw new Error("the planet code refused the cell");
    return bytes;
  };
  const place = ({ face, level, i, j }: CellAddress) => [planet.handle, face, level, i, j] as const;

  return {
    planet,
    missingFor: (job) => {
      const at = place(job.cell);
      const count =
        job.kind === "tile"
          ? core.tile_missing(...at, job.quads, ids, MISSING_MAX)
          : core.plants_missing(...at, PLANT_LAYERS.indexOf(job.layer), ids, MISSING_MAX);
      const raw = new BigUint64Array(core.memory.buffer, ids, Math.min(count, MISSING_MAX));
      return [...raw].flatMap((id) => tryCellId(id) ?? []);
    },
    build: (job) => {
      const at = place(job.cell);
      return job.kind === "tile"
        ? copyOut(core.tile_bytes(job.quads), (out) => core.tile_build(...at, job.quads, out))
        : copyOut(core.plants_bytes(job.slots), (out) =>
            core.plants_build(...at, job.slots, PLANT_LAYERS.indexOf(job.layer), out),
          );
    },
  };
}
