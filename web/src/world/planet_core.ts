/** The planet's own Rust as the renderer uses it: heights on the page, meshes in the workers. */
import { type CoreExports, instantiateCore } from "../core/wasm.ts";
import type { Vec3 } from "../geo/vec3.ts";
import type { CellAddress } from "./cells.ts";
import { PLANT_LAYERS, type PlantLayer } from "./messages.ts";

/** The functions of `crates/browser/src/{planet,tile}.rs` that are called here. */
interface PlanetExports extends CoreExports {
  readonly planet_new: (seed: bigint, shift: number) => number;
  readonly planet_radius_m: (planet: number) => number;
  readonly planet_elevation_m: (planet: number, x: number, y: number, z: number) => number;
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
}

export interface PlanetCore {
  readonly radiusM: number;
  /** Height of the ground over the sea in the direction `p` (any length), negative for the sea floor. */
  elevationM(p: Vec3): number;
  buildTile(cell: CellAddress, quads: number): ArrayBuffer;
  buildPlants(cell: CellAddress, slots: number, layer: PlantLayer): ArrayBuffer;
}

/** Makes an instance with this planet in it. */
export async function instantiatePlanet(
  module: WebAssembly.Module,
  seed: bigint,
  shift: number,
): Promise<PlanetCore> {
  return planetIn(await instantiateCore(module), seed, shift);
}

/** Makes this planet in an instance. */
export function planetIn(instance: CoreExports, seed: bigint, shift: number): PlanetCore {
  const core = instance as PlanetExports;
  const planet = core.planet_new(BigInt.asIntN(64, seed), shift);

  /** Lets `write` fill `capacity` bytes of the module's memory and copies out what it wrote. */
  const copyOut = (capacity: number, write: (out: number) => number): ArrayBuffer => {
    if (capacity === 0) throw new Error("the planet code refused the size");
    const out = core.alloc(capacity);
    const written = write(out);
    const bytes = core.memory.buffer.slice(out, out + written);
    core.dealloc(out, capacity);
    if (written === 0) throw new Error("the planet code refused the cell");
    return bytes;
  };

  return {
    radiusM: core.planet_radius_m(planet),
    elevationM: (p) => {
      const size = Math.sqrt(p[0] * p[0] + p[1] * p[1] + p[2] * p[2]);
      return core.planet_elevation_m(planet, p[0] / size, p[1] / size, p[2] / size);
    },
    buildTile: ({ face, level, i, j }, quads) =>
      copyOut(core.tile_bytes(quads), (out) => core.tile_build(planet, face, level, i, j, quads, out)),
    buildPlants: ({ face, level, i, j }, slots, layer) =>
      copyOut(core.plants_bytes(slots), (out) =>
        core.plants_build(planet, face, level, i, j, slots, PLANT_LAYERS.indexOf(layer), out),
      ),
  };
}
