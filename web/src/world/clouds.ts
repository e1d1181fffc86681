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
} from "three";
import { length, type Vec3 } from "../geo/vec3.ts";
import { AIR_GLSL, DISPLAY_GLSL } from "./atmosphere.ts";
import type { Defines } from "./quality.ts";

/** How high the layer is: above the highest peaks, which stand out more from a smaller planet. */
export function cloudHeightM(radiusM: number, reliefM: number): number {
  return Math.max(radiusM * 0.0052, reliefM * 1.3);
}

/** How much of the sun passes the clouds over a place; for shaders that declare `uNoise` and `uTimeS`. */
export const CLOUD_GLSL = /* glsl */ `
// Weather systems, banks and tufts. Coordinates are turned between octaves, so that the lattice does not show.
float cloudDensity(vec3 direction, float detail) {
  const mat3 TURN = mat3(0.00, 0.80, 0.60, -0.80, 0.36, -0.48, -0.60, -0.48, 0.64);
  // Fronts curl: the place is bent by slow noise before anything is read there.
  vec3 bend = texture(uNoise, direction * 0.11 + vec3(0.0, 0.0, uTimeS * 4e-6)).rgb - 0.5;
  vec3 p = direction * 0.30 + bend * 0.16 + vec3(0.3, 0.1, uTimeS * 1e-5);
  // Weather stretches along the winds.
  p.z *= 1.6;
  float sum = texture(uNoise, p).r * 0.34;
  p = TURN * p * 2.4;
  sum += texture(uNoise, p).g * 0.25;
  p = TURN * p * 2.6 + uTimeS * 6e-5;
  sum += texture(uNoise, p).b * 0.16;
  p = TURN * p * 2.7 + uTimeS * 2e-4;
#ifdef FINE
  sum += texture(uNoise, p).a * 0.11;
  p = TURN * p * 2.9 + uTimeS * 6e-4;
  sum += mix(0.5, texture(uNoise, p).r, detail) * 0.08;
  p = TURN * p * 3.1 + uTimeS * 1e-3;
  sum += mix(0.5, texture(uNoise, p).g, detail) * 0.06;
#else
  sum += texture(uNoise, p).a * 0.25;
#endif
  // Rain at the equator, dry belts on both sides of it, the storms of the middle latitudes.
  float belt = abs(direction.z);
  sum += 0.035 * cos(belt * 9.5) - 0.02 * smoothstep(0.85, 1.0, belt);
  float thick = smoothstep(0.49, 0.69, sum);
  return thick * (0.65 + 0.35 * thick);
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
  vSunlight = lightRow(height, 0.0) + moonlight(dot(position, uMoon));
  vSkylight = lightRow(height, 1.0);
  vForward = pow(max(0.0, cosSun), 8.0);
  gl_Position = projectionMatrix * viewMatrix * vec4(seenKm * 1000.0, 1.0);
}
`;

const FRAGMENT = /* glsl */ `
precision highp sampler3D;
${DISPLAY_GLSL}
uniform vec3 uSun;
uniform float uTimeS;
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
  float density = cloudDensity(direction, 1.0);
  if (density < 0.01) discard;
  // Thicker towards the sun means shade on this side.
  vec3 aside = normalize(uSun - direction * dot(uSun, direction)) * mix(0.012, 0.0016, uLayer.y);
#ifdef FINE
  float towards = cloudDensity(direction + aside, 0.0);
#else
  float towards = density;
#endif
  float shade = clamp(1.0 - (towards * 0.75 + density * 0.25) * mix(0.35, 0.62, uLayer.y), 0.3, 1.0);
  vec3 light = vSunlight * (shade * mix(0.78, 0.5, uLayer.y) + vForward * (1.0 - density) * 0.9) + vSkylight * 0.85;
  float cover = density * mix(0.92, 0.86, uLayer.y) * uLayer.x;
  // Far away the air takes over.
  cover *= clamp(dot(vClear, vec3(0.45)), 0.0, 1.0);
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
        uniforms: { ...uniforms, uShellKm: { value: this.shellM / 1000 }, uLayer: { value: this.layer } },
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

  update(eye: Vec3): void {
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
