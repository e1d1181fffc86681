/** The sky over a visit: the planet's day and weather, or what a person or a picture wants to see instead. */
import type { PageExports } from "../core/exports.ts";
import type { Planet } from "../core/planet.ts";
import { type Heaven, PlanetSky, type Weather } from "../core/sky.ts";
import type { CellId } from "../geo/cell_id.ts";
import type { Vec3 } from "../geo/vec3.ts";
import type { World } from "../world/world.ts";
import { type Daylight, heavenShown, parseFixedTime } from "./daytime.ts";
import { clockAt, skyLine } from "./weather_words.ts";

/** Weather to be looked at whatever the planet does. */
export const WEATHER_KINDS = ["clear", "fair", "overcast", "rain", "storm", "snow", "fog"] as const;
export type WeatherKind = (typeof WEATHER_KINDS)[number];

const CALM: Weather = {
  cloudCover: 0,
  precipitation: 0,
  snowShare: 0,
  temperatureC: 15,
  fog: 0,
  windMps: [0, 0, 0],
  wetness: 0,
  snowLying: 0,
};

const FIXED: Readonly<Record<WeatherKind, Weather>> = {
  clear: { ...CALM, cloudCover: 0.06 },
  fair: { ...CALM, cloudCover: 0.34 },
  overcast: { ...CALM, cloudCover: 0.96 },
  rain: { ...CALM, cloudCover: 1, precipitation: 0.45, wetness: 0.85, temperatureC: 9 },
  storm: { ...CALM, cloudCover: 1, precipitation: 1, wetness: 1, temperatureC: 9 },
  snow: { ...CALM, cloudCover: 1, precipitation: 0.5, snowShare: 1, snowLying: 0.85, temperatureC: -4 },
  fog: { ...CALM, cloudCover: 0.6, fog: 0.7, temperatureC: 6 },
};

/** The weather at a place changes little in this time. */
const LOOK_EVERY_MS = 250;
/** The day at which the planet stands for pictures. */
const PICTURE_DAYS = 0.4;

/** The weather that `?weather=` in an address asks for. */
export function parseFixedWeather(search: string): WeatherKind | undefined {
  const text = new URLSearchParams(search).get("weather");
  return WEATHER_KINDS.find((kind) => kind === text);
}

export class Skies {
  daylight: Daylight;
  readonly #sky: PlanetSky;
  #fixedTime: number | undefined;
  #fixedWeather: WeatherKind | undefined;
  /** For a picture the planet's clock stands. */
  #isPicture = false;
  #looked: { readonly atMs: number; readonly weather: Weather } | undefined;

  constructor(
    core: PageExports,
    private readonly planet: Planet,
    private readonly dayLengthS: number,
    daylight: Daylight,
    private readonly search: string,
  ) {
    this.#sky = new PlanetSky(core, planet);
    this.daylight = daylight;
    this.release();
  }

  /** Raster tiles without which the weather is not the server's. */
  missing(): CellId[] {
    return this.#sky.missing();
  }

  /** A sky for a picture: a share of the day, and fair weather unless another is asked for. */
  fix(dayShare: number | undefined, weather: WeatherKind | undefined): void {
    this.#fixedTime = dayShare ?? this.#fixedTime;
    this.#fixedWeather = weather ?? "fair";
    this.#isPicture = true;
    this.#looked = undefined;
  }

  /** The sky that the address asks for, or the planet's. */
  release(): void {
    this.#fixedTime = parseFixedTime(this.search);
    this.#fixedWeather = parseFixedWeather(this.search);
    this.#isPicture = false;
    this.#looked = undefined;
  }

  /** The planet's own weather at a point on or over the ground. */
  weatherAt(point: Vec3, unixMs: number): Weather {
    return this.#sky.weatherAt(point, Math.max(0, this.planet.elevationM(point)), this.#days(unixMs));
  }

  heavenAt(unixMs: number): Heaven {
    return this.#sky.heavenAt(this.#days(unixMs));
  }

  /** Tells the world what to show over an eye. */
  show(world: World, unixMs: number): void {
    const { eye } = world;
    world.setHeaven(
      heavenShown({
        eye,
        planetHeaven: () => this.heavenAt(unixMs),
        daylight: this.daylight,
        fixedShare: this.#fixedTime,
      }),
    );
    const days = this.#isPicture ? PICTURE_DAYS : this.#days(unixMs);
    world.setWeather({
      here: this.#here(eye, unixMs),
      isFixed: this.#fixedWeather !== undefined,
      faceOf: (face) => this.#sky.map(face, days),
      ageS: this.#isPicture ? 0 : unixMs / 1000,
      key: `${this.#isPicture} ${this.#fixedWeather}`,
    });
  }

  /** What the panels say of the sky over a point. */
  line(point: Vec3, unixMs: number): string {
    const weather = this.#fixedWeather ? FIXED[this.#fixedWeather] : this.weatherAt(point, unixMs);
    return skyLine(clockAt(point, this.heavenAt(unixMs).sun), weather);
  }

  #here(eye: Vec3, unixMs: number): Weather {
    if (this.#fixedWeather) return FIXED[this.#fixedWeather];
    const looked = this.#looked;
    if (looked && Math.abs(unixMs - looked.atMs) < LOOK_EVERY_MS) return looked.weather;
    const weather = this.weatherAt(eye, unixMs);
    this.#looked = { atMs: unixMs, weather };
    return weather;
  }

  #days(unixMs: number): number {
    return unixMs / 1000 / this.dayLengthS;
  }
}
