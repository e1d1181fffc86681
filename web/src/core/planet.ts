import { type CellId, tryCellId } from "../geo/cell_id.ts";
import { normalize, type Vec3 } from "../geo/vec3.ts";
import { Scratch } from "./memory.ts";
import type { CoreExports } from "./wasm.ts";

/** The functions of `crates/browser/src/{planet,cells}.rs` that the page uses. */
export interface PlanetExports extends CoreExports {
  readonly planet_new: (seed: bigint, shift: number) => number;
  readonly planet_radius_m: (planet: number) => number;
  readonly planet_elevation_m: (planet: number, x: number, y: number, z: number) => number;
  readonly planet_biome: (planet: number, x: number, y: number, z: number) => number;
  readonly biome_name: (biome: number, out: number) => number;
  readonly cell_from_point: (x: number, y: number, z: number, level: number) => bigint;
  readonly cell_center: (cell: bigint, out: number) => number;
  readonly cell_corners: (cell: bigint, out: number) => number;
  readonly cell_cover_cap: (
    x: number,
    y: number,
    z: number,
    radiusRad: number,
    level: number,
    out: number,
    capacity: number,
  ) => number;
}

/** More cells than the page ever asks for at once. */
const CELLS_MAX = 256;
const SHIFT_MAX = 9;

/** The planet we are on, asked of the server's own generator. Directions are unit vectors or points, any length. */
export class Planet {
  /** For the other parts of the module, which want it as an argument. */
  readonly handle: number;
  readonly radiusM: number;
  readonly #scratch: Scratch;
  readonly #biomes = new Map<number, string>();

  constructor(
    private readonly core: PlanetExports,
    seed: bigint,
    shift: number,
  ) {
    if (!(shift >= 0 && shift <= SHIFT_MAX)) throw new RangeError(`no planet is of shift ${shift}`);
    this.handle = core.planet_new(BigInt.asIntN(64, seed), shift);
    this.radiusM = core.planet_radius_m(this.handle);
    this.#scratch = new Scratch(core, CELLS_MAX * 8);
  }

  /** Height of the ground over the sea in metres, negative for the sea floor. */
  elevationM(point: Vec3): number {
    const [x, y, z] = normalize(point);
    return this.core.planet_elevation_m(this.handle, x, y, z);
  }

  /** The English name of the biome, such as `temperate forest`. */
  biomeName(point: Vec3): string {
    const [x, y, z] = normalize(point);
    const biome = this.core.planet_biome(this.handle, x, y, z);
    let name = this.#biomes.get(biome);
    if (name === undefined) {
      const byteLength = this.core.biome_name(biome, this.#scratch.ptr);
      name = new TextDecoder().decode(this.#scratch.bytes.subarray(0, byteLength));
      this.#biomes.set(biome, name);
    }
    return name;
  }

  /** The cell of a level under a point. */
  cellAt(point: Vec3, level: number): CellId {
    const [x, y, z] = normalize(point);
    const id = tryCellId(this.core.cell_from_point(x, y, z, level));
    if (id === undefined) throw new RangeError(`there are no cells of level ${level}`);
    return id;
  }

  /** Unit vector of a cell's centre. */
  centerOf(cell: CellId): Vec3 {
    this.core.cell_center(BigInt.asIntN(64, cell), this.#scratch.ptr);
    return this.#scratch.vec3At(0);
  }

  /** Cells of a level that touch the circle about a point; the first {@link CELLS_MAX} at most. */
  cellsWithin(point: Vec3, radiusM: number, level: number): CellId[] {
    const [x, y, z] = normalize(point);
    const count = this.core.cell_cover_cap(
      x,
      y,
      z,
      radiusM / this.radiusM,
      level,
      this.#scratch.ptr,
      CELLS_MAX,
    );
    if (count > CELLS_MAX) throw new RangeError("the circle holds too many cells");
    return [...this.#scratch.ids.subarray(0, count)].flatMap((raw) => tryCellId(raw) ?? []);
  }
}
