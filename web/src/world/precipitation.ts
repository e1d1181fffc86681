/** Rain and snow round the eye: a box of drops that goes along with it and yet stands still over the ground. */
import {
  BufferAttribute,
  DoubleSide,
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Matrix3,
  Mesh,
  type Scene,
  ShaderMaterial,
  Vector2,
  Vector3,
  Vector4,
} from "three";
import type { Weather } from "../core/sky.ts";
import { cross, dot, normalize, subtract, tangent, type Vec3 } from "../geo/vec3.ts";
import { AIR_GLSL, DISPLAY_GLSL } from "./atmosphere.ts";

/** Edges of the box along the ground and upwards, metres. */
const BOX_M: Vec3 = [26, 26, 16];
/** The box lies this far ahead of the eye: behind it nobody sees a drop. */
const AHEAD_M = 9;
const RAIN_MPS = 8.5;
const SNOW_MPS = 1.3;
/** What a wind does to drops before one would call it a storm. */
const WIND_SHARE = 0.45;

/** Drops are quads: rain drawn out along its way, snow round. Each has its own place in the box. */
const VERTEX = /* glsl */ `
#define AIR_STEPS 1
${AIR_GLSL}
attribute vec4 own;
uniform mat3 uBoxFrame;
uniform vec3 uBoxM;
/** Along the ground, down for rain, down for flakes. */
uniform vec4 uShift;
uniform vec3 uAhead;
uniform vec3 uFall;
uniform float uTimeS;
uniform float uPixelM;
/** How many of the drops fall, and how many of those are flakes. */
uniform vec2 uMuch;
varying vec2 vAcross;
varying vec4 vColor;
void main() {
  bool isFlake = own.w < uMuch.y;
  vec3 shift = vec3(uShift.xy, isFlake ? uShift.w : uShift.z);
  vec3 at = mod(own.xyz * uBoxM + shift, uBoxM) - uBoxM * 0.5;
  if (isFlake) at.xy += vec2(sin(uTimeS * 0.9 + own.w * 60.0), cos(uTimeS * 0.7 + own.w * 90.0)) * 0.35;
  at += uAhead;
  float distanceM = length(at);
  vec3 along = isFlake ? normalize(cross(at, vec3(0.3, 0.2, 1.0))) : normalize(uFall);
  vec3 aside = normalize(cross(along, at));
  // Thinner than a pixel they would flicker: they are drawn wider and fainter instead.
  float pixelM = distanceM * uPixelM;
  float thin = isFlake ? mix(0.012, 0.024, own.z) : 0.0055;
  float wide = max(thin, pixelM * 0.55);
  float drawn = isFlake ? wide : mix(0.22, 0.46, own.x);
  vec3 place = at + aside * position.x * wide + along * position.y * drawn;
  float faint = min(1.0, thin / wide);
  float near = smoothstep(0.5, 2.0, distanceM);
  float edge = 1.0 - smoothstep(0.34, 0.5, length((at - uAhead).xy / uBoxM.xy));
  float falls = step(fract(own.w * 7.31 + own.x * 3.7), uMuch.x);
  vAcross = position.xy;
  float height = dot(normalize(-uCenterKm), uSun);
  vec3 light = lightRow(height, 1.0) * (isFlake ? 0.95 : 0.9) + lightRow(height, 0.0) * 0.12;
  vColor = vec4(light, falls * near * edge * (isFlake ? 0.85 * sqrt(faint) : 0.62 * sqrt(faint)));
  gl_Position = vColor.a <= 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : projectionMatrix * viewMatrix * vec4(uBoxFrame * place, 1.0);
}
`;

const FRAGMENT = /* glsl */ `
${DISPLAY_GLSL}
varying vec2 vAcross;
varying vec4 vColor;
void main() {
  float soft = smoothstep(1.0, 0.2, length(vAcross * vec2(1.0, 0.9)));
  gl_FragColor = vec4(display(vColor.rgb).rgb, vColor.a * soft);
}
`;

/** What a frame knows of the eye. */
export interface DropsFrame {
  readonly eye: Vec3;
  readonly forward: Vec3;
  /** Radians that a pixel takes. */
  readonly pixelRad: number;
  readonly elapsedS: number;
  readonly weather: Weather;
  /** 1 on the ground, 0 above the clouds. */
  readonly nearness: number;
}

export class Precipitation {
  private readonly mesh: Mesh<InstancedBufferGeometry, ShaderMaterial>;
  private readonly uniforms;
  private lastEye: Vec3 | undefined;
  /** Along the ground, down for rain, down for flakes. */
  private shift: readonly number[] = [0, 0, 0, 0];

  constructor(scene: Scene, uniforms: Record<string, { value: unknown }>, drops: number) {
    this.uniforms = {
      uBoxFrame: { value: new Matrix3() },
      uBoxM: { value: new Vector3(...BOX_M) },
      uShift: { value: new Vector4() },
      uAhead: { value: new Vector3() },
      uFall: { value: new Vector3(0, 0, -1) },
      uPixelM: { value: 1e-3 },
      uMuch: { value: new Vector2() },
    };
    this.mesh = new Mesh(
      dropGeometry(drops),
      new ShaderMaterial({
        vertexShader: VERTEX,
        fragmentShader: FRAGMENT,
        uniforms: { ...uniforms, ...this.uniforms },
        transparent: true,
        depthWrite: false,
        side: DoubleSide,
      }),
    );
    this.mesh.frustumCulled = false;
    this.mesh.matrixAutoUpdate = false;
    this.mesh.visible = false;
    this.mesh.renderOrder = 14;
    scene.add(this.mesh);
  }

  update({ eye, forward, pixelRad, elapsedS, weather, nearness }: DropsFrame): void {
    const much = Math.sqrt(weather.precipitation) * nearness;
    this.mesh.visible = much > 0.02 && this.mesh.geometry.instanceCount > 0;
    const before = this.lastEye;
    this.lastEye = eye;
    if (!this.mesh.visible) return;
    const up = normalize(eye);
    const east = tangent(cross([0, 0, 1], up), up);
    const north = cross(up, east);
    const local = (v: Vec3): Vec3 => [dot(v, east), dot(v, north), dot(v, up)];
    const wind = local(weather.windMps);
    const fall: Vec3 = [wind[0] * WIND_SHARE, wind[1] * WIND_SHARE, -RAIN_MPS];
    const moved = before ? local(subtract(eye, before)) : ([0, 0, 0] as const);
    const speeds = [...fall, -SNOW_MPS];
    this.shift = speeds.map((mps, axis) => {
      const edgeM = BOX_M[Math.min(axis, 2)] ?? 1;
      const nextM = (this.shift[axis] ?? 0) + mps * elapsedS - (moved[Math.min(axis, 2)] ?? 0);
      return ((nextM % edgeM) + edgeM) % edgeM;
    });
    const ahead = local(tangent(forward, up));
    this.uniforms.uBoxFrame.value.set(
      ...([east[0], north[0], up[0]] as const),
      ...([east[1], north[1], up[1]] as const),
      ...([east[2], north[2], up[2]] as const),
    );
    this.uniforms.uShift.value.fromArray([...this.shift]);
    this.uniforms.uAhead.value.set(ahead[0] * AHEAD_M, ahead[1] * AHEAD_M, BOX_M[2] * 0.1);
    this.uniforms.uFall.value.set(...fall);
    this.uniforms.uPixelM.value = pixelRad;
    this.uniforms.uMuch.value.set(0.18 + 0.82 * much, weather.snowShare);
  }

  dispose(): void {
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}

function dropGeometry(count: number): InstancedBufferGeometry {
  const geometry = new InstancedBufferGeometry();
  const corners = new Float32Array([-1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 1, 0]);
  geometry.setAttribute("position", new BufferAttribute(corners, 3));
  geometry.setIndex([0, 1, 2, 0, 2, 3]);
  const own = new Float32Array(count * 4);
  let state = 0x9e3779b9;
  for (let index = 0; index < own.length; index += 1) {
    // xorshift32 (Marsaglia 2003)
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    own[index] = (state >>> 8) / 2 ** 24;
  }
  geometry.setAttribute("own", new InstancedBufferAttribute(own, 4));
  geometry.instanceCount = count;
  return geometry;
}
