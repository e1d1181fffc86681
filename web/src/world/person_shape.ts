/** A person of a few dozen facets, and how they move: the joints turn in the vertex shader. */
import { InstancedBufferGeometry } from "three";
import { Facets, paint, type Ring, ring } from "./facets.ts";
import type { LitShape } from "./lit_material.ts";
import type { Rgb } from "./palette.ts";

/** Joints; a part turns about its own and those it hangs from. Left is odd, right is even from `upperArm` on. */
const BONE = {
  body: 0,
  head: 1,
  upperArmRight: 2,
  upperArmLeft: 3,
  foreArmRight: 4,
  foreArmLeft: 5,
  thighRight: 6,
  thighLeft: 7,
  shinRight: 8,
  shinLeft: 9,
} as const;

/** Colours that the shader replaces by the person's own: the first number says which. */
const SHIRT: Rgb = [-1, 0, 0];
const SKIN: Rgb = [-2, 0, 0];
const HAIR: Rgb = [-3, 0, 0];
const TROUSERS: Rgb = [-4, 0, 0];
const PACK: Rgb = [-5, 0, 0];
const SHOES = paint("#3b332e");
const EYES = paint("#20242a");

/** Metres; x to the right, y ahead, z up, feet at the origin. */
export function personGeometry(): InstancedBufferGeometry {
  const facets = new Facets();
  const six = (z: number, rx: number, ry: number, x = 0, y = 0) => ring(6, z, rx, ry, 0.5, x, y);
  // Hips, waist, chest, shoulders.
  facets.tube([six(0.84, 0.155, 0.115), six(0.99, 0.165, 0.115)], TROUSERS, BONE.body);
  facets.tube(
    [six(0.98, 0.155, 0.11), six(1.16, 0.165, 0.115), six(1.36, 0.215, 0.13), six(1.45, 0.15, 0.095)],
    SHIRT,
    BONE.body,
  );
  facets.tube([six(1.44, 0.06, 0.06), six(1.52, 0.055, 0.055)], SKIN, BONE.head);
  // A head with a chin, and hair over its back.
  facets.tube(
    [six(1.49, 0.065, 0.075, 0, 0.015), six(1.56, 0.108, 0.118, 0, 0.01), six(1.67, 0.112, 0.122)],
    SKIN,
    BONE.head,
  );
  facets.tube(
    [six(1.6, 0.122, 0.115, 0, -0.03), six(1.7, 0.126, 0.132, 0, -0.01), six(1.775, 0.075, 0.08, 0, -0.01)],
    HAIR,
    BONE.head,
  );
  for (const x of [-0.043, 0.043]) {
    facets.triangle([x - 0.017, 0.131, 1.6], [x + 0.017, 0.131, 1.6], [x, 0.128, 1.632], EYES, BONE.head);
  }
  // A small pack tells from afar which way somebody looks.
  facets.tube([six(1.08, 0.12, 0.06, 0, -0.17), six(1.38, 0.11, 0.055, 0, -0.17)], PACK, BONE.body);

  for (const side of [1, -1] as const) {
    const right = side === 1;
    const limb = (z: number, radius: number, x: number, y = 0): Ring =>
      ring(5, z, radius, radius, 0.3, x * side, y);
    facets.tube(
      [limb(1.13, 0.05, 0.255), limb(1.41, 0.062, 0.235)],
      SHIRT,
      right ? BONE.upperArmRight : BONE.upperArmLeft,
    );
    const foreArm = right ? BONE.foreArmRight : BONE.foreArmLeft;
    facets.tube([limb(0.93, 0.038, 0.262), limb(1.15, 0.047, 0.255)], SKIN, foreArm);
    facets.tube([limb(0.84, 0.03, 0.262, 0.01), limb(0.93, 0.045, 0.262, 0.005)], SKIN, foreArm);
    facets.tube(
      [limb(0.46, 0.07, 0.095), limb(0.9, 0.098, 0.09)],
      TROUSERS,
      right ? BONE.thighRight : BONE.thighLeft,
    );
    const shin = right ? BONE.shinRight : BONE.shinLeft;
    facets.tube([limb(0.09, 0.052, 0.098), limb(0.48, 0.068, 0.095)], TROUSERS, shin);
    facets.tube(
      [
        ring(6, 0, 0.058, 0.135, 0.5, 0.098 * side, 0.05),
        ring(6, 0.06, 0.056, 0.12, 0.5, 0.098 * side, 0.045),
        ring(6, 0.11, 0.05, 0.06, 0.5, 0.098 * side, 0),
      ],
      SHOES,
      shin,
    );
  }
  const geometry = new InstancedBufferGeometry();
  facets.writeTo(geometry);
  return geometry;
}

/**
 * Instances: `iPlace` feet relative to the eye, `iFacing`, `iColor` linear, `iGait` (phase in radians, stride 0 to 1,
 * run 0 to 1, swim 0 to 1), `iPose` (airborne 0 to 1, an own number 0 to 1).
 */
export const PERSON_SHAPE: LitShape = {
  translucence: 0,
  declarations: /* glsl */ `
attribute vec3 color;
attribute float tag;
attribute vec3 iPlace;
attribute vec3 iFacing;
attribute vec3 iColor;
attribute vec4 iGait;
attribute vec2 iPose;

vec3 p;
vec3 n;

// Turns about the axis to the right, so that what hangs down goes ahead.
void swing(float angle, vec3 joint) {
  float c = cos(angle), s = sin(angle);
  mat3 turn = mat3(1.0, 0.0, 0.0, 0.0, c, s, 0.0, -s, c);
  p = joint + turn * (p - joint);
  n = turn * n;
}
// What is above the hips.
float step01(float z) { return smoothstep(0.85, 1.0, z); }
void spread(float angle, vec3 joint) {
  float c = cos(angle), s = sin(angle);
  mat3 turn = mat3(c, 0.0, -s, 0.0, 1.0, 0.0, s, 0.0, c);
  p = joint + turn * (p - joint);
  n = turn * n;
}
`,
  place: /* glsl */ `
  float phase = iGait.x, stride = iGait.y, run = iGait.z, swim = iGait.w, air = iPose.x, own = iPose.y;
  float afoot = stride * (1.0 - swim) * (1.0 - air);
  p = position;
  n = normal;
  float side = mod(tag, 2.0) < 0.5 ? 1.0 : -1.0;
  float step = phase + (side > 0.0 ? 0.0 : 3.14159265);
  float breath = sin(uTimeS * 1.7 + own * 40.0);

  if (tag >= 5.5) {
    vec3 hip = vec3(0.09 * side, 0.0, 0.9), knee = vec3(0.095 * side, 0.0, 0.47);
    float thigh = afoot * sin(step) * mix(0.46, 0.82, run) + afoot * run * 0.18;
    float bend = afoot * (0.12 + max(0.0, cos(step)) * mix(0.75, 1.55, run)) + afoot * run * 0.25;
    thigh += air * (side > 0.0 ? 0.75 : -0.15) + swim * 0.28 * sin(phase * 2.0 + (side > 0.0 ? 0.0 : 3.14159265));
    bend += air * (side > 0.0 ? 1.1 : 0.6) + swim * 0.2;
    if (tag >= 7.5) swing(-bend, knee);
    swing(thigh, hip);
  } else if (tag >= 1.5) {
    vec3 shoulder = vec3(0.225 * side, 0.0, 1.39), elbow = vec3(0.255 * side, 0.0, 1.14);
    float upper = -afoot * sin(step) * mix(0.42, 0.75, run);
    float bend = 0.12 + afoot * mix(0.22, 1.25, run) + air * 0.5;
    upper = mix(upper, 0.5, air);
    // The crawl: each arm goes over the water and back under it.
    float stroke = 3.14159265 - (phase + (side > 0.0 ? 0.0 : 3.14159265));
    bend = mix(bend, 0.35 + 0.35 * sin(stroke), swim);
    if (tag >= 3.5) swing(bend, elbow);
    spread(-side * (0.06 + 0.02 * breath + air * 0.75), shoulder);
    swing(mix(upper, stroke, swim), shoulder);
  } else if (tag > 0.5) {
    swing(swim * 0.95 + 0.02 * breath, vec3(0.0, 0.0, 1.48));
  }
  // The body leans into a run and lies down to swim.
  swing(-(afoot * mix(0.05, 0.24, run)) * step01(p.z), vec3(0.0, 0.0, 0.9));
  p.x += afoot * 0.018 * sin(phase);
  p.z += afoot * (abs(cos(phase)) - 0.75) * mix(0.035, 0.085, run) + (1.0 - stride) * 0.004 * breath;
  swing(-swim * 1.38, vec3(0.0, 0.0, 0.95));
  p.z -= swim * (0.86 + 0.05 * sin(phase * 2.0));

  vec3 up = normalize(iPlace * 0.001 - uCenterKm);
  vec3 ahead = normalize(iFacing - up * dot(iFacing, up));
  mat3 frame = mat3(cross(ahead, up), ahead, up);
  seen = iPlace + frame * p;
  outward = normalize(frame * n);

  vec3 skins[4] = vec3[4](vec3(0.62, 0.36, 0.23), vec3(0.42, 0.22, 0.13), vec3(0.21, 0.10, 0.055), vec3(0.75, 0.48, 0.34));
  vec3 hairs[4] = vec3[4](vec3(0.035, 0.025, 0.02), vec3(0.12, 0.06, 0.025), vec3(0.36, 0.20, 0.07), vec3(0.02, 0.02, 0.025));
  int pick = int(own * 15.99);
  albedo = color.r > -0.5 ? color
    : color.r > -1.5 ? iColor
    : color.r > -2.5 ? skins[pick & 3]
    : color.r > -3.5 ? hairs[(pick >> 2) & 3]
    : color.r > -4.5 ? mix(vec3(0.045, 0.055, 0.085), vec3(0.20, 0.16, 0.11), float(pick & 1)) + iColor * 0.05
    : iColor * 0.35 + vec3(0.05, 0.04, 0.03);
`,
};
