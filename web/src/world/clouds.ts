/** A layer of clouds round the planet: one sphere, seen from below as a sky and from above as weather. */
import {
  type BufferAttribute,
  BufferGeometry,
  DoubleSide,
  Mesh,
  type Scene,
  ShaderMaterial,
  SphereGeometry,
  Vector2,
  Vector4,
} from "three";
import { length, type Vec3 } from "../geo/vec3.ts";
import { AIR_GLSL, DISPLAY_GLSL } from "./atmosphere.ts";
import type { Defines } from "./quality.ts";

/** How much each octave of the clouds' noise changes in a second, the broadest first. */
const CHANGES_PER_S = [4e-6, 1e-5, 4e-5, 1.2e-4, 4e-4, 8e-4] as const;
/** How fast clouds drift, to the east and to the west. */
const WESTERLIES_MPS = 22;
const TRADES_MPS = 14;

/** How high the layer is: above the highest peaks, which stand out more from a smaller planet. */
export function cloudHeightM(radiusM: number, reliefM: number): number {
  return Math.max(radiusM * 0.0052, reliefM * 1.3);
}

/**
 * How thick the clouds over a place are. Where there are any, and how dark, the planet's weather says (`uWeather`, six
 * pictures of the whole planet); their form comes from noise that drifts with the winds.
 */
const CLOUD_GLSL = /* glsl */ `
uniform samplerCube uWeather;
/** Cover, precipitation and weight of a weather that is fixed for the eye's surroundings. */
uniform vec3 uWeatherHere;
uniform vec3 uCenterKm;
/** How far each octave of the noise has changed. */
uniform float uCloudAge[6];
/** Cosine and sine of the way that clouds of the westerlies have drifted, and of the trade winds. */
uniform vec4 uCloudDrift;

/** Cloud cover and precipitation over a place. */
vec2 weatherOver(vec3 direction) {
  vec2 weather = texture(uWeather, direction).rg;
  float near = smoothstep(0.30, 0.16, length(direction - normalize(-uCenterKm))) * uWeatherHere.z;
  return mix(weather, uWeatherHere.xy, near);
}

// Banks and tufts, about 0 to 1. Coordinates are turned between octaves, so that the lattice does not show.
float cloudForm(vec3 direction, float detail) {
  const mat3 TURN = mat3(0.00, 0.80, 0.60, -0.80, 0.36, -0.48, -0.60, -0.48, 0.64);
  // Banks curl: the place is bent by slow noise before anything is read there.
  vec3 bend = texture(uNoise, direction * 0.11 + vec3(0.0, 0.0, uCloudAge[0])).rgb - 0.5;
  vec3 p = direction * 0.72 + bend * 0.3 + vec3(0.3, 0.1, 0.0);
  // They stretch along the winds.
  p.z *= 1.6;
  float sum = texture(uNoise, p + vec3(0.0, 0.0, uCloudAge[1])).g * 0.26;
  p = TURN * p * 2.6;
  sum += texture(uNoise, p + uCloudAge[2]).b * 0.24;
  p = TURN * p * 2.7;
#ifdef FINE
  sum += texture(uNoise, p + uCloudAge[3]).a * 0.22;
  p = TURN * p * 2.9;
  sum += mix(0.5, texture(uNoise, p + uCloudAge[4]).r, detail) * 0.16;
  p = TURN * p * 3.1;
  sum += mix(0.5, texture(uNoise, p + uCloudAge[5]).g, detail) * 0.12;
#else
  sum += texture(uNoise, p + uCloudAge[3]).a * 0.30;
  p = TURN * p * 2.9;
  sum += texture(uNoise, p + uCloudAge[4]).r * 0.20;
#endif
  return sum;
}

vec3 drifted(vec3 direction, vec2 turn) {
  return vec3(turn.x * direction.x - turn.y * direction.y, turn.x * direction.y + turn.y * direction.x, direction.z);
}

/** The form of the clouds over a place, carried by the winds of its latitude. */
float formOver(vec3 direction, float detail) {
  float westerly = smoothstep(0.50, 0.58, abs(direction.z));
  float form = cloudForm(drifted(direction, westerly > 0.5 ? uCloudDrift.xy : uCloudDrift.zw), detail);
  if (westerly <= 0.0 || westerly >= 1.0) return form;
  float other = cloudForm(drifted(direction, westerly > 0.5 ? uCloudDrift.zw : uCloudDrift.xy), detail);
  return mix(form, other, 0.5 - abs(westerly - 0.5));
}

/** How thick clouds of a form are where the weather covers so much of the sky. */
float thicknessOf(float form, float cover) {
  float edge = mix(0.67, 0.20, cover);
  return smoothstep(edge, edge + mix(0.16, 0.24, cover), form);
}
`;

const VERTEX = /* glsl */ `
#define AIR_STEPS 8
${AIR_GLSL}
uniform float uShellKm;
varying vec3 vDirection;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vSkylight;
varying float vForward;
void main() {
  vec3 seenKm = position * uShellKm + uCenterKm;
  float distanceKm = length(seenKm);
  vec3 ray = seenKm / distanceKm;
  Air air = throughAir(ray, distanceKm);
  float cosSun = dot(ray, uSun);
  vDirection = position;
  vClear = air.clear;
  vHaze = hazeOf(air, cosSun);
  float height = dot(position, uSun);
  // Over the clouds there are none.
  vSunlight = lightOver(height, 0.0) + lightOver(dot(position, uMoon), 0.0) * uMoonTint;
  vSkylight = lightOver(height, 1.0);
  vForward = pow(max(0.0, cosSun), 8.0);
  gl_Position = projectionMatrix * viewMatrix * vec4(seenKm * 1000.0, 1.0);
}
`;

const FRAGMENT = /* glsl */ `
precision highp sampler3D;
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform sampler3D uNoise;
/** How solid the layer is, and 1 seen from below. */
uniform vec2 uLayer;
varying vec3 vDirection;
varying vec3 vClear;
varying vec3 vHaze;
varying vec3 vSunlight;
varying vec3 vSkylight;
varying float vForward;
${CLOUD_GLSL}
void main() {
  vec3 direction = normalize(vDirection);
  vec2 weather = weatherOver(direction);
  float form = formOver(direction, 1.0);
  float thick = thicknessOf(form, weather.x);
  if (thick < 0.01) discard;
  // Thicker towards the sun means shade on this side.
  vec3 aside = normalize(uSun - direction * dot(uSun, direction)) * mix(0.012, 0.0022, uLayer.y);
#ifdef FINE
  float formTowards = formOver(direction + aside, 0.0);
#else
  float formTowards = form;
#endif
  float towards = thicknessOf(formTowards, weather.x);
  float below = uLayer.y;
  float height = dot(direction, uSun);
  float closed = smoothstep(0.55, 0.95, weather.x);
  float shade = clamp(1.0 - (towards * 0.7 + thick * 0.3) * mix(0.35, 0.60, below), 0.3, 1.0);
  // Where the layer is whole, its folds still have a bright side and a dark one.
  shade *= 1.0 + clamp((form - formTowards) * 3.0, -0.35, 0.25) * (1.0 - below * closed);
  // From below one sees the light that comes through: a closed sky is grey, brighter where it is thin, dark before rain.
  float through = mix(shade * mix(0.78, 0.50, below), (0.25 - 0.13 * thick) * (1.0 - 0.5 * weather.y), closed * below);
  vec3 light = vSunlight * (through * mix(1.0, 0.35 + 0.65 * smoothstep(-0.05, 0.45, height), closed * below) + vForward * (1.0 - thick) * 0.9);
  // By night neither moon nor stars are behind a closed sky.
  float night = 1.0 - smoothstep(-0.22, 0.02, height);
  light += vSkylight * mix(0.85, (0.60 - 0.25 * weather.y) * (1.0 - 0.6 * night), closed * below);
  // Folds in the grey.
  light *= 1.0 + (form - 0.5) * mix(0.5, -1.7, closed * below);
  light = mix(light, dot(light, vec3(0.3, 0.4, 0.3)) * vec3(0.92, 1.0, 1.09), closed * below * 0.9);
  // From above thin cloud lets the land through, and much of a broad sheet is thin.
  float solid = mix(smoothstep(0.16, 0.62, form) * thick, thick * (0.62 + 0.38 * thick), below);
  float cover = solid * mix(0.94, mix(0.88, 1.0, closed), below) * uLayer.x;
  // Far away the air takes over, but not so that one could look through a closed sky.
  float clear = clamp(dot(vClear, vec3(0.45)), 0.0, 1.0);
  cover *= mix(clear, max(clear, 0.9), closed * below);
  gl_FragColor = vec4(display(light * vClear + vHaze).rgb, cover);
}
`;

export class Clouds {
  private readonly mesh: Mesh<BufferGeometry, ShaderMaterial>;
  private readonly shellM: number;
  private readonly layer = new Vector2(1, 0);

  constructor(
    scene: Scene,
    uniforms: Record<string, { value: unknown }>,
    radiusM: number,
    private readonly heightM: number,
    defines: Defines,
  ) {
    this.shellM = radiusM + heightM;
    this.mesh = new Mesh(
      shellGeometry(),
      new ShaderMaterial({
        defines,
        vertexShader: VERTEX,
        fragmentShader: FRAGMENT,
        uniforms: {
          ...uniforms,
          uShellKm: { value: this.shellM / 1000 },
          uLayer: { value: this.layer },
          uCloudAge: { value: CHANGES_PER_S.map(() => 0) },
          uCloudDrift: { value: new Vector4(1, 0, 1, 0) },
        },
        transparent: true,
        depthWrite: false,
        side: DoubleSide,
      }),
    );
    this.mesh.frustumCulled = false;
    this.mesh.matrixAutoUpdate = false;
    this.mesh.renderOrder = 12;
    scene.add(this.mesh);
  }

  /**
   * `ageS` is how long clouds have drifted, seconds; the same for everybody, so that all see the same ones.
   */
  update(eye: Vec3, ageS: number): void {
    const { uCloudAge, uCloudDrift } = this.mesh.material.uniforms;
    if (uCloudAge) uCloudAge.value = CHANGES_PER_S.map((perS) => (perS * ageS) % 1);
    const turn = (speedMps: number) => ((speedMps * ageS) / this.shellM) % (2 * Math.PI);
    // Against the drift: where the air that is here now has been.
    const [west, trade] = [-turn(WESTERLIES_MPS), turn(TRADES_MPS)];
    if (uCloudDrift) uCloudDrift.value.set(Math.cos(west), Math.sin(west), Math.cos(trade), Math.sin(trade));
    const overShell = (length(eye) - this.shellM) / this.heightM;
    // Nobody flies through the sheet itself: it is gone while the eye is near it.
    const nearness = Math.abs(overShell);
    const solid = overShell < 0 ? (nearness - 0.08) / 0.3 : (nearness - 0.2) / 1.5;
    this.layer.set(Math.max(0, Math.min(1, solid)), overShell < 0 ? 1 : 0);
    this.mesh.visible = this.layer.x > 0;
  }

  dispose(): void {
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}

function shellGeometry(): BufferGeometry {
  const sphere = new SphereGeometry(1, 128, 80);
  const geometry = new BufferGeometry();
  // Only places and triangles; the poles of the mesh lie on the equator, where nobody looks for them.
  geometry.setAttribute("position", sphere.getAttribute("position") as BufferAttribute);
  geometry.setIndex(sphere.getIndex());
  return geometry;
}
