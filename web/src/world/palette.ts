/**
 * The colours of the ground by climate: a table over temperature and rain that the terrain shader reads per pixel,
 * so that biomes run into each other as they do outdoors.
 */
import { DataTexture, LinearFilter, RGBAFormat, SRGBColorSpace, UnsignedByteType, Vector4 } from "three";

export type Rgb = readonly [number, number, number];

interface Swatch {
  readonly name: string;
  readonly temperatureC: number;
  readonly rainMm: number;
  readonly color: Rgb;
}

const hex = (text: string): Rgb => [
  Number.parseInt(text.slice(1, 3), 16),
  Number.parseInt(text.slice(3, 5), 16),
  Number.parseInt(text.slice(5, 7), 16),
];

/** What grows at a few climates; everything between is mixed. */
export const SWATCHES: readonly Swatch[] = [
  { name: "polar desert", temperatureC: -16, rainMm: 100, color: hex("#a9a596") },
  { name: "snowfield", temperatureC: -18, rainMm: 1200, color: hex("#c3c8c4") },
  { name: "tundra", temperatureC: -5, rainMm: 350, color: hex("#85835a") },
  { name: "wet tundra", temperatureC: -5, rainMm: 1200, color: hex("#6f7c55") },
  { name: "cold steppe", temperatureC: 5, rainMm: 180, color: hex("#b0a272") },
  { name: "taiga", temperatureC: 2, rainMm: 700, color: hex("#53694a") },
  { name: "wet taiga", temperatureC: 3, rainMm: 1800, color: hex("#46624a") },
  { name: "steppe", temperatureC: 12, rainMm: 350, color: hex("#b3a566") },
  { name: "meadow", temperatureC: 11, rainMm: 750, color: hex("#869a52") },
  { name: "temperate forest", temperatureC: 11, rainMm: 1300, color: hex("#617f44") },
  { name: "temperate rain forest", temperatureC: 12, rainMm: 2600, color: hex("#456b42") },
  { name: "dry shrubs", temperatureC: 18, rainMm: 420, color: hex("#b8a566") },
  { name: "warm meadow", temperatureC: 19, rainMm: 900, color: hex("#929a50") },
  { name: "warm forest", temperatureC: 20, rainMm: 1700, color: hex("#5c7d40") },
  { name: "desert", temperatureC: 25, rainMm: 60, color: hex("#dfb478") },
  { name: "cool desert", temperatureC: 14, rainMm: 90, color: hex("#cbb083") },
  { name: "savanna", temperatureC: 26, rainMm: 650, color: hex("#b9a252") },
  { name: "tropical forest", temperatureC: 26, rainMm: 1900, color: hex("#47723a") },
  { name: "rain forest", temperatureC: 27, rainMm: 3400, color: hex("#315f35") },
];

/**
 * Biomes that are more than their climate, by their numbers in `biome.rs`: a colour, and how much of the ground it
 * takes, 0 to 1. All others are as the climate paints them.
 */
const BIOMES: Readonly<Record<number, readonly [color: Rgb, share: number]>> = {
  3: [hex("#d5dcdf"), 0.85], // ice
  4: [hex("#8b8660"), 0.35], // tundra
  9: [hex("#d9b481"), 0.45], // desert
  12: [hex("#7d7a75"), 0.75], // bare rock
  13: [hex("#b3a48c"), 0.5], // cold desert
  17: [hex("#5d6b3e"), 0.6], // wetland
  18: [hex("#d5dcdf"), 0.85], // sea ice
  21: [hex("#8c9a5a"), 0.45], // alpine meadow
  22: [hex("#d9d3c6"), 0.85], // salt flat
};
const BIOMES_MAX = 32;

const linear = (byte: number): number => {
  const share = byte / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
};

/** For shaders, by number of the biome: colour as linear light, and share. */
export const BIOME_TINTS: readonly Vector4[] = Array.from({ length: BIOMES_MAX }, (_, number) => {
  const [color, share] = BIOMES[number] ?? [[0, 0, 0] as const, 0];
  return new Vector4(linear(color[0]), linear(color[1]), linear(color[2]), share);
});

const COLUMNS = 64;
const ROWS = 64;

/** Where a climate lies in the table, shares 0 to 1: the scales that `mesh.rs` writes. */
export function climateShare(temperatureC: number, rainMm: number): readonly [number, number] {
  const clamp = (x: number) => Math.max(0, Math.min(1, x));
  return [clamp((temperatureC + 40) / 80), Math.sqrt(clamp(rainMm / 4000))];
}

/** Colour of the ground (sRGB, 0 to 255) at a place in the table: swatches weighed by nearness. */
export function groundColor(temperatureShare: number, rainShare: number): Rgb {
  const sum = [0, 0, 0];
  let weights = 0;
  for (const swatch of SWATCHES) {
    const [t, r] = climateShare(swatch.temperatureC, swatch.rainMm);
    // Temperature counts double: its useful part spans half of its scale.
    const away = Math.hypot((temperatureShare - t) * 2, rainShare - r);
    const weight = 1 / (away * away * away + 1e-6);
    weights += weight;
    for (const channel of [0, 1, 2] as const) {
      sum[channel] = (sum[channel] ?? 0) + swatch.color[channel] * weight;
    }
  }
  return [(sum[0] ?? 0) / weights, (sum[1] ?? 0) / weights, (sum[2] ?? 0) / weights];
}

/** The table as a texture: temperature across, rain up. */
export function paletteTexture(): DataTexture {
  const texels = new Uint8Array(COLUMNS * ROWS * 4);
  for (let row = 0; row < ROWS; row += 1) {
    for (let column = 0; column < COLUMNS; column += 1) {
      const color = groundColor((column + 0.5) / COLUMNS, (row + 0.5) / ROWS);
      texels.set([...color.map(Math.round), 255], (row * COLUMNS + column) * 4);
    }
  }
  const texture = new DataTexture(texels, COLUMNS, ROWS, RGBAFormat, UnsignedByteType);
  texture.colorSpace = SRGBColorSpace;
  texture.minFilter = LinearFilter;
  texture.magFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}
