/**
 * Day and weather of the planet we are on, asked of the server's own code: the same numbers for everybody who looks.
 *
 * Times are days of the planet since Unix time 0.
 */
import type { CellId } from "../geo/cell_id.ts";
import { normalize, type Vec3 } from "../geo/vec3.ts";
import { Scratch } from "./memory.ts";
import type { Planet } from "./planet.ts";
import type { CoreExports } from "./wasm.ts";

/** The functions of `crates/browser/src/weather.rs`. */
export interface SkyExports extends CoreExports {
  readonly heaven_at: (days: number, out: number) => void;
  readonly weather_missing: (planet: number, out: number, capacity: number) => number;
  readonly weather_at: (
    planet: number,
    x: number,
    y: number,
    z: number,
    elevationM: number,
    days: number,
    out: number,
  ) => void;
  readonly weather_map: (planet: number, face: number, side: number, days: number, out: number) => number;
}

/** The two lights of the sky: unit vectors from the planet's centre. */
export interface Heaven {
  readonly sun: Vec3;
  readonly moon: Vec3;
}

/** The weather at a place; everything without a unit is a share of one. */
export interface Weather {
  readonly cloudCover: number;
  /** How hard it rains or snows. */
  readonly precipitation: number;
  /** How much of that is snow. */
  readonly snowShare: number;
  readonly temperatureC: number;
  readonly fog: number;
  /** Metres a second, along the ground. */
  readonly windMps: Vec3;
  /** Of the ground, from rain. */
  readonly wetness: number;
  /** New snow on the ground. */
  readonly snowLying: number;
}

/** Texels along a face of a {@link PlanetSky.map}: one in some twenty kilometres on a planet of shift 3. */
export const MAP_SIDE = 64;
const MAP_BYTES = 2 * MAP_SIDE * MAP_SIDE;
/** More raster tiles than the coarsest layer of any planet has. */
const TILES_MAX = 24;

export class PlanetSky {
  readonly #scratch: Scratch;

  constructor(
    private readonly core: SkyExports,
    private readonly planet: Planet,
  ) {
    this.#scratch = new Scratch(core, MAP_BYTES);
  }

  heavenAt(days: number): Heaven {
    this.core.heaven_at(days, this.#scratch.ptr);
    return { sun: this.#scratch.vec3At(0), moon: this.#scratch.vec3At(3) };
  }

  /** Raster tiles without which the weather is not the server's. */
  missing(): CellId[] {
    const count = this.core.weather_missing(this.planet.handle, this.#scratch.ptr, TILES_MAX);
    return this.#scratch.cellIds(Math.min(count, TILES_MAX));
  }

  weatherAt(point: Vec3, elevationM: number, days: number): Weather {
    const [x, y, z] = normalize(point);
    this.core.weather_at(this.planet.handle, x, y, z, elevationM, days, this.#scratch.ptr);
    const numbers = this.#scratch.doubles;
    const [cloudCover = 0, precipitation = 0, snowShare = 0, temperatureC = 0, fog = 0] = numbers;
    const [wetness = 0, snowLying = 0] = numbers.subarray(8, 10);
    const windMps = this.#scratch.vec3At(5);
    return { cloudCover, precipitation, snowShare, temperatureC, fog, windMps, wetness, snowLying };
  }

  /**
   * One of the six pictures of a cube map in the order of OpenGL: two bytes a texel, cloud cover and precipitation.
   */
  map(face: number, days: number): Uint8Array<ArrayBuffer> {
    if (this.core.weather_map(this.planet.handle, face, MAP_SIDE, days, this.#scratch.ptr) === 0) {
      throw new RangeError(`there is no face ${face}`);
    }
    return this.#scratch.bytes.slice();
  }
}
