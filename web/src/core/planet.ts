import { type CellId, tryCellId } from "../geo/cell_id.ts";
import { normalize, type Vec3 } from "../geo/vec3.ts";
import { Scratch } from "./memory.ts";
import type { CoreExports } from "./wasm.ts";

/** The functions of `crates/browser/src/{planet,cells}.rs` that the page uses. */
export interface PlanetExports extends CoreExports {
  readonly planet_new: (manifest: number, byteLength: number, reason: number) => number;
  readonly planet_generate: (seed: bigint, shift: number) => number;
  readonly planet_hash: (planet: number, out: number) => number;
  readonly planet_radius_m: (planet: number) => number;
  readonly planet_shift: (planet: number) => number;
  readonly planet_keep_tiles: (planet: number, fineTilesMax: number) => void;
  readonly planet_insert_tile: (planet: number, cell: bigint, tile: number, byteLength: number) => number;
  readonly planet_missing_around: (
    planet: number,
    x: number,
    y: number,
    z: number,
    radiusM: number,
    out: number,
    capacity: number,
  ) => number;
  readonly planet_ground: (planet: number, x: number, y: number, z: number, out: number) => number;
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

/** Ground and water under a direction. */
export interface Ground {
  /** Height of the ground over the sea in metres, negative for the sea floor. */
  readonly elevationM: number;
  /** Height of the water's surface where it covers the ground. */
  readonly waterM: number | undefined;
  /** Whether this is what bodies walk on; else tiles are missing, and coarser ones told. */
  readonly isExact: boolean;
}

/** A manifest that no planet can be made of. */
export class BadManifest extends Error {
  constructor(
    /** Made for another version of this code: a reload may bring the right one. */
    readonly isOtherVersion: boolean,
  ) {
    super(isOtherVersion ? "the planet is of another version than this page" : "the manifest is damaged");
  }
}

/** More cells than the page ever asks for at once. */
const CELLS_MAX = 256;
const SHIFT_MAX = 9;
const HASH_BYTES = 32;
/** Reasons of `planet_new` and answers of `planet_insert_tile`. */
const MANIFEST_OF_OTHER_VERSION = 2;
const TILE_TAKEN = 0;
/** Room for a reason before the manifest's bytes, which keeps them aligned. */
const REASON_BYTES = 16;

/** The planet we are on, asked of the server's own generator. Directions are unit vectors or points, any length. */
export class Planet {
  readonly radiusM: number;
  /** Its radius is Earth's / 2^shift. */
  readonly shift: number;
  readonly #scratch: Scratch;
  readonly #biomes = new Map<number, string>();

  private constructor(
    private readonly core: PlanetExports,
    /** For the other parts of the module, which want it as an argument. */
    readonly handle: number,
  ) {
    this.radiusM = core.planet_radius_m(handle);
    this.shift = core.planet_shift(handle);
    this.#scratch = new Scratch(core, CELLS_MAX * 8);
  }

  /** A planet without any raster tile; throws {@link BadManifest}. */
  static fromManifest(core: PlanetExports, manifest: Uint8Array): Planet {
    const copy = new Scratch(core, manifest.length + REASON_BYTES);
    copy.bytes.set(manifest, REASON_BYTES);
    const handle = core.planet_new(copy.ptr + REASON_BYTES, manifest.length, copy.ptr);
    const reason = copy.bytes[0];
    copy.dispose();
    if (handle === 0) throw new BadManifest(reason === MANIFEST_OF_OTHER_VERSION);
    return new Planet(core, handle);
  }

  /** A whole planet of the coarsest raster, made here from its seed. */
  static forTest(core: PlanetExports, seed: bigint, shift: number): Planet {
    if (!(shift >= 0 && shift <= SHIFT_MAX)) throw new RangeError(`no planet is of shift ${shift}`);
    return new Planet(core, core.planet_generate(BigInt.asIntN(64, seed), shift));
  }

  /** The hash that names the planet, in hexadecimal; empty for one that was made here. */
  get hash(): string {
    if (this.core.planet_hash(this.handle, this.#scratch.ptr) === 0) return "";
    const bytes = this.#scratch.bytes.subarray(0, HASH_BYTES);
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** Keeps at most so many tiles of the finest layer; the first that came go first. */
  keepTiles(fineTilesMax: number): void {
    this.core.planet_keep_tiles(this.handle, fineTilesMax);
  }

  /** Unpacks a raster tile and puts it in its place; false if it is not what the manifest says. */
  insertTile(id: CellId, packed: Uint8Array): boolean {
    const copy = new Scratch(this.core, packed.length);
    copy.bytes.set(packed);
    const answer = this.core.planet_insert_tile(this.handle, BigInt.asIntN(64, id), copy.ptr, packed.length);
    copy.dispose();
    return answer === TILE_TAKEN;
  }

  /** Raster tiles that are missing for walking within a distance of a point. */
  missingAround(point: Vec3, radiusM: number): CellId[] {
    const [x, y, z] = normalize(point);
    const count = this.core.planet_missing_around(
      this.handle,
      x,
      y,
      z,
      radiusM,
      this.#scratch.ptr,
      CELLS_MAX,
    );
    return this.#scratch.cellIds(Math.min(count, CELLS_MAX));
  }

  groundAt(point: Vec3): Ground {
    const [x, y, z] = normalize(point);
    const isExact = this.core.planet_ground(this.handle, x, y, z, this.#scratch.ptr) === 1;
    const [elevationM = 0, waterM = Number.NaN] = this.#scratch.doubles;
    return { elevationM, waterM: Number.isNaN(waterM) ? undefined : waterM, isExact };
  }

  /** Height of the ground over the sea in metres, negative for the sea floor; a function that can be handed on. */
  readonly elevationM = (point: Vec3): number => this.groundAt(point).elevationM;

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
    return this.#scratch.cellIds(count);
  }
}
