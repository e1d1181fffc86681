/**
 * The air: one model of scattered light for the sky, the haze over the land and the rim of the globe,
 * so that they meet without a seam at any height.
 *
 * Single scattering by two exponential layers (Nishita et al. 1993), the view ray in straight segments whose optical
 * depth is exact for a linear change of height, the way to the sun by Schüler's approximation of the Chapman function
 * (GPU Pro 3). {@link throughAir} here and `throughAir` in {@link AIR_GLSL} are the same formulas: the page computes the
 * light table with the first, the shaders everything that depends on the view with the second, per vertex.
 */
import {
  DataTexture,
  DataUtils,
  HalfFloatType,
  LinearFilter,
  RGBAFormat,
  Vector2,
  Vector3,
  Vector4,
} from "three";
import { addScaled, cross, dot, length, normalize, scale, type Vec3 } from "../geo/vec3.ts";

/** What the air of a planet is made of; lengths in kilometres. */
export interface Air {
  readonly radiusKm: number;
  /** Above this there is none. */
  readonly topKm: number;
  readonly rayleighHeightKm: number;
  readonly mieHeightKm: number;
  /** Scattered share per kilometre at sea level, red, green and blue. */
  readonly rayleighPerKm: Vec3;
  readonly miePerKm: number;
  /** What ozone takes from the sun's light, over the layer of the first: it keeps the sky of an evening blue. */
  readonly ozonePerKm: Vec3;
}

/** Brightness of the sun above the air, in the unit in which a sunlit meadow is about 1. */
export const SUN_STRENGTH = 15;

/**
 * Low light goes through this many times more air than the planet's size gives: the smaller the planet, the shorter the
 * way along its horizon, and a sunset should be as red as on Earth.
 */
const LOW_SUN_STRETCH = 2.6;

/** Moonlight as a share of sunlight: brighter and bluer than ours, as an eye used to the dark sees it. */
export const MOON_TINT: Vec3 = [0.052, 0.068, 0.1];

/** How much of the light that a ray loses on its way counts: the rest is scattered again, some of it to the eye. */
const SECOND_CHANCE = 0.4;

/** The layers keep Earth's depth overhead; on a smaller planet they are a larger share of it, which gives a soft rim. */
export function airOf(radiusM: number): Air {
  const radiusKm = radiusM / 1000;
  const rayleighHeightKm = radiusKm * 0.01;
  const mieHeightKm = radiusKm * 0.0022;
  const overhead: Vec3 = [0.05, 0.115, 0.262];
  return {
    radiusKm,
    topKm: rayleighHeightKm * 7,
    rayleighHeightKm,
    mieHeightKm,
    rayleighPerKm: scale(overhead, 1 / rayleighHeightKm),
    miePerKm: 0.034 / mieHeightKm,
    ozonePerKm: scale([0.009, 0.03, 0.002], 1 / rayleighHeightKm),
  };
}

/** Depth of an exponential layer from a place to space, in units of its density at sea level times kilometres. */
function depthToSpace(heightKm: number, layerKm: number, radiusKm: number, cosZenith: number): number {
  const x = radiusKm / layerKm;
  const h = heightKm / layerKm;
  const c = Math.sqrt(x + h);
  if (cosZenith >= 0) return (layerKm * c * Math.exp(-h)) / (c * cosZenith + 1);
  const nearest = Math.sqrt(Math.max(0, 1 - cosZenith * cosZenith)) * (x + h);
  const below = 2 * Math.sqrt(nearest) * Math.exp(Math.min(x - nearest, 30));
  return layerKm * (below - (c * Math.exp(-h)) / (1 - c * cosZenith));
}

/** How much longer the way of light that comes from so high is made. */
function stretchOf(cosZenith: number): number {
  const low = Math.max(0, Math.min(1, (0.34 - cosZenith) / 0.44));
  return 1 + (LOW_SUN_STRETCH - 1) * low * low;
}

/** Share of the sun's light that reaches a place, by colour; `p` is in kilometres from the planet's centre. */
export function sunThroughAir(air: Air, p: Vec3, sun: Vec3): Vec3 {
  const r = length(p);
  const cosZenith = dot(p, sun) / r;
  const h = Math.max(0, r - air.radiusKm);
  const rayleigh = depthToSpace(h, air.rayleighHeightKm, air.radiusKm, cosZenith) * stretchOf(cosZenith);
  const mie = depthToSpace(h, air.mieHeightKm, air.radiusKm, cosZenith) * air.miePerKm * 1.1;
  const share = (channel: 0 | 1 | 2) =>
    Math.exp(-Math.max(0, rayleigh * (air.rayleighPerKm[channel] + air.ozonePerKm[channel]) + mie));
  return [share(0), share(1), share(2)];
}

/** Mean of exp(-h / layer) on a segment between two heights. */
function meanDensity(h0: number, h1: number, layer: number): number {
  const a = Math.exp(-Math.max(0, h0) / layer);
  const b = Math.exp(-Math.max(0, h1) / layer);
  const drop = (Math.max(0, h1) - Math.max(0, h0)) / layer;
  return Math.abs(drop) < 1e-3 ? (a + b) / 2 : (a - b) / drop;
}

/** Light scattered into a ray from `eye` (kilometres from the centre) over `distanceKm`. */
export function throughAir(air: Air, eye: Vec3, direction: Vec3, distanceKm: number, sun: Vec3): Vec3 {
  const STEPS = 16;
  const b = dot(eye, direction);
  const top = air.radiusKm + air.topKm;
  const reach = b * b - dot(eye, eye) + top * top;
  if (reach <= 0) return [0, 0, 0];
  const from = Math.max(0, -b - Math.sqrt(reach));
  const to = Math.min(distanceKm, -b + Math.sqrt(reach));
  if (to <= from) return [0, 0, 0];
  const step = (to - from) / STEPS;
  const cosSun = dot(direction, sun);
  const rayleighPhase = (3 / (16 * Math.PI)) * (1 + cosSun * cosSun);
  const sum = [0, 0, 0];
  const depth = [0, 0];
  let h0 = length(addScaled(eye, direction, from)) - air.radiusKm;
  for (let index = 0; index < STEPS; index += 1) {
    const end = addScaled(eye, direction, from + step * (index + 1));
    const middle = addScaled(eye, direction, from + step * (index + 0.5));
    const h1 = length(end) - air.radiusKm;
    const rayleigh = meanDensity(h0, h1, air.rayleighHeightKm) * step;
    const mie = meanDensity(h0, h1, air.mieHeightKm) * step;
    const light = sunThroughAir(air, middle, sun);
    const behind = [(depth[0] ?? 0) + rayleigh / 2, (depth[1] ?? 0) + mie / 2] as const;
    for (const channel of [0, 1, 2] as const) {
      const beta = air.rayleighPerKm[channel];
      const clear = Math.exp(-beta * SECOND_CHANCE * behind[0] - air.miePerKm * behind[1]);
      const scattered = beta * rayleigh * rayleighPhase + (air.miePerKm * mie) / (4 * Math.PI);
      sum[channel] = (sum[channel] ?? 0) + light[channel] * clear * scattered;
    }
    depth[0] = (depth[0] ?? 0) + rayleigh;
    depth[1] = (depth[1] ?? 0) + mie;
    h0 = h1;
  }
  return scale([sum[0] ?? 0, sum[1] ?? 0, sum[2] ?? 0], SUN_STRENGTH);
}

/** Rows of the light table; each runs over the cosine of the sun's zenith angle, -1 to 1. */
export const LIGHT_ROWS = 4;
const LIGHT_COLUMNS = 128;

/**
 * Light at sea level by the height of the sun: sunlight, skylight on level ground, the sky overhead and the sky low
 * over the horizon. It depends on nothing else, so that one table serves the day and night side of the globe.
 */
export function lightTable(air: Air): DataTexture {
  const texels = new Uint16Array(LIGHT_COLUMNS * LIGHT_ROWS * 4);
  const eye: Vec3 = [0, 0, air.radiusKm + 0.002];
  const put = (row: number, column: number, color: Vec3) => {
    const at = (row * LIGHT_COLUMNS + column) * 4;
    for (const channel of [0, 1, 2] as const) texels[at + channel] = DataUtils.toHalfFloat(color[channel]);
    texels[at + 3] = DataUtils.toHalfFloat(1);
  };
  for (let column = 0; column < LIGHT_COLUMNS; column += 1) {
    const cosZenith = (column / (LIGHT_COLUMNS - 1)) * 2 - 1;
    const sun = normalize([Math.sqrt(Math.max(0, 1 - cosZenith * cosZenith)), 0, cosZenith]);
    const skyAt = (heightRad: number, turnRad: number) =>
      throughAir(
        air,
        eye,
        [
          Math.cos(heightRad) * Math.cos(turnRad),
          Math.cos(heightRad) * Math.sin(turnRad),
          Math.sin(heightRad),
        ],
        1e6,
        sun,
      );
    const around = (heightRad: number): Vec3 => {
      const turns = [0.4, 1.2, 2, 2.8];
      return turns
        .map((turn) => skyAt(heightRad, turn))
        .reduce<Vec3>((sum, c) => addScaled(sum, c, 1 / turns.length), [0, 0, 0]);
    };
    const zenith = skyAt(Math.PI / 2, 0);
    const middle = around(0.7);
    const horizon = around(0.06);
    // Light that was scattered more than once, which the single scattering above leaves out; and starlight.
    const night: Vec3 = [0.082, 0.104, 0.15];
    const mean: Vec3 = addScaled(addScaled(scale(zenith, 0.35), middle, 0.45), horizon, 0.2);
    put(0, column, scale(sunThroughAir(air, eye, sun), (SUN_STRENGTH * 0.58) / Math.PI));
    put(1, column, addScaled(night, mean, 1.45));
    put(2, column, addScaled(night, zenith, 1));
    put(3, column, addScaled(night, horizon, 1));
  }
  const texture = new DataTexture(texels, LIGHT_COLUMNS, LIGHT_ROWS, RGBAFormat, HalfFloatType);
  texture.minFilter = LinearFilter;
  texture.magFilter = LinearFilter;
  texture.needsUpdate = true;
  return texture;
}

/** What a light table says, for the page: the light of a row when the sun stands so high. */
export function lightFrom(table: DataTexture, cosZenith: number, row: number): Vec3 {
  const texels = table.image.data as Uint16Array;
  const at = Math.min(LIGHT_COLUMNS - 1, Math.max(0, (cosZenith * 0.5 + 0.5) * (LIGHT_COLUMNS - 1)));
  const first = Math.min(LIGHT_COLUMNS - 2, Math.floor(at));
  const value = (column: number, channel: number) =>
    DataUtils.fromHalfFloat(texels[(row * LIGHT_COLUMNS + column) * 4 + channel] ?? 0);
  const between = (channel: number) => {
    const from = value(first, channel);
    return from + (value(first + 1, channel) - from) * (at - first);
  };
  return [between(0), between(1), between(2)];
}

/** Uniforms that every shader with air in it shares; the values are updated in place once a frame. */
export function airUniforms(air: Air, table: DataTexture) {
  return {
    /** The planet's centre seen from the eye, kilometres. */
    uCenterKm: { value: new Vector3() },
    uSun: { value: new Vector3(0, 0, 1) },
    uMoon: { value: new Vector3(0, 0, -1) },
    /** Moonlight as shares of sunlight, by the moon's phase. */
    uMoonTint: { value: new Vector3(...MOON_TINT) },
    /** What the air itself shines at night. */
    uNightAir: { value: new Vector3() },
    uPlanetKm: { value: new Vector3(air.radiusKm, air.radiusKm + air.topKm, SUN_STRENGTH) },
    uLayerKm: { value: new Vector3(air.rayleighHeightKm, air.mieHeightKm, 0) },
    uRayleigh: { value: new Vector3(...air.rayleighPerKm) },
    uOzone: { value: new Vector3(...air.ozonePerKm) },
    uMie: { value: air.miePerKm },
    uLight: { value: table },
    uTimeS: { value: 0 },
    uExposure: { value: 1 },
    /** 1 where the eye sees by night, when colours fade to blue. */
    uNightEye: { value: 0 },
    /** What clouds over the eye do: the share of direct light that they take, and how grey they make the rest. */
    uGloom: { value: new Vector2() },
    /** Light of the fog, and how much of what is behind it a kilometre takes. */
    uFog: { value: new Vector4() },
    /** Height over the sea on which the fog lies, and over which it thins, kilometres. */
    uFogLayer: { value: new Vector2(0, 0.1) },
    /** Of the ground about the eye: how wet it is, how much new snow lies, and how the wind moves what grows. */
    uGround: { value: new Vector3(0, 0, 1) },
  };
}
export type AirUniforms = ReturnType<typeof airUniforms>;

/** Two unit vectors that make a frame with `up`. */
export function frameOf(up: Vec3, towards: Vec3): readonly [Vec3, Vec3] {
  const side = cross(up, towards);
  const first = normalize(length(side) > 1e-6 ? side : cross(up, [up[1], up[2], -up[0]]));
  return [first, cross(first, up)];
}

/** Skylight when clouds stand before the sun: what of its light comes through is everywhere, and has no colour. */
export const GLOOM_GLSL = /* glsl */ `
vec3 underClouds(vec3 skylight, vec3 sunlight, float gloom) {
  float grey = dot(skylight * 0.72 + sunlight * 0.30, vec3(0.3, 0.42, 0.28));
  return mix(skylight, grey * vec3(0.94, 1.0, 1.07), gloom);
}
`;

/** Declarations and functions for vertex shaders. `AIR_STEPS` must be defined. */
export const AIR_GLSL = /* glsl */ `
uniform vec3 uCenterKm;
uniform vec3 uSun;
uniform vec3 uMoon;
uniform vec3 uMoonTint;
uniform vec3 uNightAir;
uniform vec3 uPlanetKm;
uniform vec3 uLayerKm;
uniform vec3 uRayleigh;
uniform vec3 uOzone;
uniform float uMie;
uniform sampler2D uLight;

uniform vec2 uGloom;
uniform vec4 uFog;
uniform vec2 uFogLayer;

const float SECOND_CHANCE = ${SECOND_CHANCE.toFixed(2)};
struct Air { vec3 rayleigh; vec3 mie; vec3 clear; vec3 fog; };

// Fog lies on the ground about the eye and thins exponentially with height; a ray meets this share of it.
float fogOn(vec3 direction, float distanceKm) {
  if (uFog.a <= 0.0) return 0.0;
  float r = length(uCenterKm);
  float thinner = exp(-clamp((r - uPlanetKm.x - uFogLayer.x) / uFogLayer.y, 0.0, 30.0));
  float rise = -dot(direction, uCenterKm) / r / uFogLayer.y;
  float way = rise * min(distanceKm, 200.0);
  float mean = abs(way) < 1e-3 ? min(distanceKm, 200.0) : (1.0 - exp(-clamp(way, -20.0, 40.0))) / rise;
  return 1.0 - exp(-min(uFog.a * thinner * mean, 30.0));
}

float depthToSpace(float h, float layer, float cosZenith) {
  float x = uPlanetKm.x / layer;
  h /= layer;
  float c = sqrt(x + h);
  if (cosZenith >= 0.0) return layer * c * exp(-h) / (c * cosZenith + 1.0);
  float nearest = sqrt(max(0.0, 1.0 - cosZenith * cosZenith)) * (x + h);
  return layer * (2.0 * sqrt(nearest) * exp(min(x - nearest, 30.0)) - c * exp(-h) / (1.0 - c * cosZenith));
}

vec3 sunThroughAir(vec3 p) {
  float r = length(p);
  float cosZenith = dot(p, uSun) / r;
  float h = max(0.0, r - uPlanetKm.x);
  float low = clamp((0.34 - cosZenith) / 0.44, 0.0, 1.0);
  float rayleigh = depthToSpace(h, uLayerKm.x, cosZenith) * (1.0 + ${(LOW_SUN_STRETCH - 1).toFixed(2)} * low * low);
  float mie = depthToSpace(h, uLayerKm.y, cosZenith);
  return exp(-max(vec3(0.0), (uRayleigh + uOzone) * rayleigh + uMie * 1.1 * mie));
}

float meanDensity(float h0, float h1, float layer) {
  h0 = max(0.0, h0) / layer;
  h1 = max(0.0, h1) / layer;
  float a = exp(-h0), b = exp(-h1), drop = h1 - h0;
  return abs(drop) < 1e-3 ? (a + b) * 0.5 : (a - b) / drop;
}

Air throughAir(vec3 direction, float distanceKm) {
  Air air = Air(vec3(0.0), vec3(0.0), vec3(1.0), vec3(0.0));
  vec3 eye = -uCenterKm;
  float b = dot(eye, direction);
  float reach = b * b - dot(eye, eye) + uPlanetKm.y * uPlanetKm.y;
  if (reach <= 0.0) return air;
  float from = max(0.0, -b - sqrt(reach));
  float to = min(distanceKm, -b + sqrt(reach));
  if (to <= from) return air;
  float stepKm = (to - from) / float(AIR_STEPS);
  float h0 = length(eye + direction * from) - uPlanetKm.x;
  vec2 depth = vec2(0.0);
  for (int index = 0; index < AIR_STEPS; index++) {
    float along = from + stepKm * float(index);
    float h1 = length(eye + direction * (along + stepKm)) - uPlanetKm.x;
    vec2 piece = vec2(meanDensity(h0, h1, uLayerKm.x), meanDensity(h0, h1, uLayerKm.y)) * stepKm;
    vec2 behind = depth + piece * 0.5;
    vec3 light = sunThroughAir(eye + direction * (along + stepKm * 0.5));
    light *= exp(-uRayleigh * SECOND_CHANCE * behind.x - uMie * behind.y);
    air.rayleigh += light * piece.x;
    air.mie += light * piece.y;
    depth += piece;
    h0 = h1;
  }
  air.rayleigh *= uRayleigh * uPlanetKm.z;
  air.mie *= uMie * uPlanetKm.z;
  air.clear = exp(-uRayleigh * depth.x - uMie * 1.1 * depth.y);
  // Below a closed sky the air has no sun to scatter: it is dimmer, and grey.
  float under = uGloom.y * 0.86;
  air.rayleigh = mix(air.rayleigh, vec3(dot(air.rayleigh, vec3(0.25, 0.4, 0.35)) * 0.5), under);
  air.mie *= 1.0 - under;
  float fog = fogOn(direction, distanceKm);
  air.fog = uFog.rgb * fog;
  air.rayleigh *= 1.0 - fog;
  air.mie *= 1.0 - fog;
  air.clear *= 1.0 - fog;
  return air;
}

float rayleighPhase(float cosSun) { return 0.0596831 * (1.0 + cosSun * cosSun); }

// Henyey-Greenstein with a touch of even light, which stands for what is scattered more than once.
float miePhase(float cosSun) {
  const float g = 0.76;
  return 0.015 + 0.0795775 * (1.0 - g * g) / pow(1.0 + g * g - 2.0 * g * cosSun, 1.5) * 0.75;
}

// What the air adds on the way: daylight scattered into the ray, and at night its own faint shine.
vec3 hazeOf(Air air, float cosSun) {
  return air.rayleigh * rayleighPhase(cosSun) + air.mie * miePhase(cosSun) + (1.0 - air.clear) * uNightAir + air.fog;
}

vec3 lightOver(float cosZenith, float row) {
  return texture(uLight, vec2(cosZenith * 0.4961 + 0.5, (row + 0.5) / 4.0)).rgb;
}

${GLOOM_GLSL}

// The same below the clouds that are over the eye.
vec3 lightRow(float cosZenith, float row) {
  vec3 light = lightOver(cosZenith, row);
  return row < 0.5 ? light * (1.0 - uGloom.x) : underClouds(light, lightOver(cosZenith, 0.0) * max(cosZenith, 0.0), uGloom.y);
}

vec3 moonlight(float cosZenith) { return lightRow(cosZenith, 0.0) * uMoonTint; }
`;

/** For fragment shaders: from light to what the screen shows (filmic curve after Narkowicz 2015, then sRGB). */
export const DISPLAY_GLSL = /* glsl */ `
uniform float uExposure;
uniform float uNightEye;
vec4 display(vec3 light) {
  vec3 x = max(light, vec3(0.0)) * uExposure;
  // A little off full colour, as film has it; and in the dark an eye sees hardly any.
  float grey = dot(x, vec3(0.2126, 0.7152, 0.0722));
  x = mix(vec3(grey), x, 0.92);
  x = mix(x, grey * vec3(0.70, 0.93, 1.60), uNightEye * 0.5 * (1.0 - smoothstep(0.05, 0.5, grey)));
  x = x * (2.51 * x + 0.03) / (x * (2.43 * x + 0.59) + 0.14);
  x = clamp(x, 0.0, 1.0);
  return vec4(mix(1.055 * pow(x, vec3(1.0 / 2.4)) - 0.055, x * 12.92, vec3(lessThan(x, vec3(0.0031308)))), 1.0);
}
`;
