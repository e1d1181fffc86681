/** The material of everything faceted that stands on the ground: people, plants, posts. */
import { type IUniform, ShaderMaterial } from "three";
import { AIR_GLSL, DISPLAY_GLSL } from "./atmosphere.ts";
import { SHADOW_GLSL } from "./shadows.ts";

type Uniforms = Record<string, IUniform>;

/**
 * `declarations` may use the uniforms of the air; `place` is the body of a function that sets `seen` (the vertex
 * relative to the eye, metres), `outward` (its normal) and `albedo`.
 */
export interface LitShape {
  readonly declarations: string;
  readonly place: string;
  /** Light that comes through thin parts such as leaves, 0 to 1. */
  readonly translucence: number;
  /** Makes way where it would stand between the eye and the player; wants the uniform `uPlayer`. */
  readonly makesWay?: boolean;
}

const shared = (shape: LitShape) => /* glsl */ `
#define AIR_STEPS 3
${AIR_GLSL}
uniform float uTimeS;
${shape.declarations}
void place(out vec3 seen, out vec3 outward, out vec3 albedo) {
${shape.place}
}
`;

/** Drops pixels in a fixed pattern, more of them the nearer to the line of sight. */
const MAKE_WAY = /* glsl */ `
uniform vec3 uPlayer;
void makeWay() {
  float reach = length(uPlayer);
  if (reach > 60.0) return;
  float along = clamp(dot(vSeen, uPlayer) / (reach * reach), 0.0, 1.0);
  float aside = length(vSeen - uPlayer * along);
  if (along > 0.93) return;
  float keep = smoothstep(0.9, 2.4, aside);
  float pattern = fract(52.9829189 * fract(dot(floor(gl_FragCoord.xy), vec2(0.06711056, 0.00583715))));
  if (keep < pattern) discard;
}
`;

export function litMaterial(shape: LitShape, uniforms: Uniforms): ShaderMaterial {
  return new ShaderMaterial({
    uniforms,
    vertexShader: /* glsl */ `
${shared(shape)}
varying vec3 vSeen;
varying vec3 vNormal;
varying vec3 vAlbedo;
varying vec3 vSunlight;
varying vec3 vMoonlight;
varying vec3 vSkylight;
varying vec3 vClear;
varying vec3 vHaze;
void main() {
  vec3 seen, outward, albedo;
  place(seen, outward, albedo);
  float distanceM = length(seen);
  vec3 up = normalize(seen * 0.001 - uCenterKm);
  Air air = throughAir(seen / max(distanceM, 1e-3), distanceM * 0.001);
  float cosSun = dot(seen, uSun) / max(distanceM, 1e-3);
  float sunHeight = dot(up, uSun);
  float lambert = dot(outward, uSun);
  vSeen = seen;
  vNormal = outward;
  vAlbedo = albedo;
  vSunlight = lightRow(sunHeight, 0.0) * max(lambert, ${shape.translucence.toFixed(2)} * (0.6 + 0.4 * lambert));
  float moonLambert = dot(outward, uMoon);
  vMoonlight = moonlight(dot(up, uMoon)) * max(moonLambert, ${shape.translucence.toFixed(2)} * (0.6 + 0.4 * moonLambert));
  vSkylight = lightRow(sunHeight, 1.0) * (0.62 + 0.38 * dot(outward, up))
    + lightRow(sunHeight, 0.0) * max(0.0, sunHeight) * 0.10 * (0.5 - 0.5 * dot(outward, up));
  vClear = air.clear;
  vHaze = hazeOf(air, cosSun);
  gl_Position = projectionMatrix * viewMatrix * vec4(seen, 1.0);
}
`,
    fragmentShader: /* glsl */ `
${DISPLAY_GLSL}
${SHADOW_GLSL}
varying vec3 vSeen;
varying vec3 vNormal;
varying vec3 vAlbedo;
varying vec3 vSunlight;
varying vec3 vMoonlight;
varying vec3 vSkylight;
varying vec3 vClear;
varying vec3 vHaze;
${shape.makesWay ? MAKE_WAY : ""}
void main() {
  ${shape.makesWay ? "makeWay();" : ""}
  vec2 shade = shadows(vSeen, vNormal);
  vec3 light = vAlbedo * (vSunlight * shade.x + vMoonlight * shade.y + vSkylight);
  gl_FragColor = display(light * vClear + vHaze);
}
`,
  });
}

/** The same shape for the shadow pass, where only its depth counts. */
export function depthMaterial(shape: LitShape, uniforms: Uniforms): ShaderMaterial {
  return new ShaderMaterial({
    uniforms,
    colorWrite: false,
    vertexShader: /* glsl */ `
${shared(shape)}
void main() {
  vec3 seen, outward, albedo;
  place(seen, outward, albedo);
  gl_Position = projectionMatrix * viewMatrix * vec4(seen, 1.0);
}
`,
    fragmentShader: "void main() {}",
  });
}
