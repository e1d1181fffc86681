/** What weather does to the light: pure functions, so that they are tested without a screen. */
import type { Weather } from "../core/sky.ts";
import { addScaled, scale, type Vec3 } from "../geo/vec3.ts";
import type { FaceOf } from "./weather_map.ts";

export type { Weather } from "../core/sky.ts";

/** The weather to be shown. */
export interface WeatherView {
  /** At the eye. */
  readonly here: Weather;
  /** Whether that is a weather of one's own, which hides the planet's round the eye. */
  readonly isFixed: boolean;
  /** All over the planet. */
  readonly faceOf: FaceOf;
  /** How long clouds have drifted by the planet's clock, seconds. */
  readonly ageS: number;
  /** Another key is another weather, and not the same somewhat later. */
  readonly key: string;
}

/** What is left of the sun below a closed sky. */
const DIRECT_LEFT = 0.05;

const rise = (value: number, from: number, to: number) => {
  const share = Math.max(0, Math.min(1, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
};

export interface Gloom {
  /** Share of direct light that clouds take. */
  readonly direct: number;
  /** How much of the light is that of a closed sky. */
  readonly grey: number;
}

/** Single clouds leave the sun as it is; from about two thirds on they close. Fog hides it too. */
export function gloomOf({ cloudCover, fog }: Weather, nearness: number): Gloom {
  const closed = rise(cloudCover, 0.55, 0.97);
  const hidden = Math.max(closed, rise(fog, 0.15, 0.7));
  return { direct: hidden * (1 - DIRECT_LEFT) * nearness, grey: Math.max(closed, hidden * 0.8) * nearness };
}

export interface Veil {
  readonly light: Vec3;
  /** How much a kilometre takes, as an exponent. */
  readonly perKm: number;
  /** The height over which it thins. */
  readonly heightKm: number;
}

/**
 * Fog, and what falls: both hide what is far. `sunHeight` is a sine; `lightOf` tells the rows of the light table as the
 * sun stands: 0 sunlight, 1 skylight.
 */
export function veilOf(
  weather: Weather,
  nearness: number,
  sunHeight: number,
  lightOf: (row: number) => Vec3,
): Veil {
  const { fog, precipitation, snowShare } = weather;
  // As in `rules.rs`, but nobody is left without the next house: fog is thick from afar.
  const fogPerKm = 34 * fog * fog;
  const fallPerKm = precipitation * (0.75 + 1.8 * snowShare);
  const perKm = (fogPerKm + fallPerKm) * nearness;
  const share = fogPerKm / Math.max(1e-6, fogPerKm + fallPerKm);
  const [sun, sky] = [lightOf(0), lightOf(1)];
  const white = addScaled(scale(sky, 0.62), sun, 0.16);
  const grey = white[0] * 0.3 + white[1] * 0.42 + white[2] * 0.28;
  // Rain is seen against the clouds it falls from: darker than fog, which glows.
  const night = 1 - rise(sunHeight, -0.22, 0.02);
  const glow = (0.62 + 0.38 * share) * (1 - 0.62 * night);
  const light: Vec3 = [0, 1, 2].map(
    (axis) => (white[axis] ?? 0) * 0.3 + grey * 0.7 * (0.97 + 0.03 * axis),
  ) as unknown as Vec3;
  return { light: scale(light, glow), perKm, heightKm: 0.09 + 0.9 * (1 - share) };
}
