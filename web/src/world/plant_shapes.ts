/** Trees, rocks and grass as a few dozen facets each; the kinds are those of `plants.rs`. */
import { InstancedBufferGeometry } from "three";
import { add, normalize, type Vec3 } from "../geo/vec3.ts";
import { Facets, paint, type Ring, ring } from "./facets.ts";
import type { LitShape } from "./lit_material.ts";
import type { Rgb } from "./palette.ts";

export interface PlantKind {
  /** Full detail, and what stands for it far away; without the second it is drawn near only. */
  readonly near: () => InstancedBufferGeometry;
  readonly far?: () => InstancedBufferGeometry;
  /** Trees, bushes and stones cast shadows and are seen from far; herbs are not. */
  readonly isTree: boolean;
}

// `tag` is how far a part goes with the wind, 0 to 1; below 0 it is also not tinted like leaves.
const STILL = -1;
const BARK = paint("#6b5140");
const PALE_BARK = paint("#8a7358");
const NEEDLES = paint("#47694a");
const LEAVES = paint("#6d8f48");
const FRONDS = paint("#7a9648");
const BUSH = paint("#6f8a4c");
const CACTUS = paint("#5d8a50");
const STONE = paint("#8f8a83");
const BLADE = paint("#8f9f58");
const DARK_BARK = paint("#5a4a3c");
const WHITE_BARK = paint("#d3cec2");
const ACACIA = paint("#7d8a45");
const RAIN_LEAVES = paint("#3f6b3a");
const BIRCH_LEAVES = paint("#93a04e");
const REED = paint("#7f8c4a");
const REED_HEAD = paint("#6b4a31");
const STRAW = paint("#bfa968");
const HEATH = paint("#76803f");
const PETALS: readonly Rgb[] = [paint("#f4f0e6"), paint("#f2c744"), paint("#d87fb0"), paint("#8f7fd8")];

const shade = (color: Rgb, share: number): Rgb => [color[0] * share, color[1] * share, color[2] * share];

const GOLDEN = (1 + Math.sqrt(5)) / 2;
const ICOSAHEDRON: readonly Vec3[] = [
  [-1, GOLDEN, 0],
  [1, GOLDEN, 0],
  [-1, -GOLDEN, 0],
  [1, -GOLDEN, 0],
  [0, -1, GOLDEN],
  [0, 1, GOLDEN],
  [0, -1, -GOLDEN],
  [0, 1, -GOLDEN],
  [GOLDEN, 0, -1],
  [GOLDEN, 0, 1],
  [-GOLDEN, 0, -1],
  [-GOLDEN, 0, 1],
];
const ICOSAHEDRON_FACES = [
  [0, 11, 5],
  [0, 5, 1],
  [0, 1, 7],
  [0, 7, 10],
  [0, 10, 11],
  [1, 5, 9],
  [5, 11, 4],
  [11, 10, 2],
  [10, 7, 6],
  [7, 1, 8],
  [3, 9, 4],
  [3, 4, 2],
  [3, 2, 6],
  [3, 6, 8],
  [3, 8, 9],
  [4, 9, 5],
  [2, 4, 11],
  [6, 2, 10],
  [8, 6, 7],
  [9, 8, 1],
] as const;

type Triangle = readonly [Vec3, Vec3, Vec3];

/** The twenty faces of a ball of radius 1, or eighty. */
function ballFaces(isFine: boolean): readonly Triangle[] {
  const faces = ICOSAHEDRON_FACES.flatMap(([ia, ib, ic]): Triangle[] => {
    const [a, b, c] = [ICOSAHEDRON[ia], ICOSAHEDRON[ib], ICOSAHEDRON[ic]];
    return a && b && c ? [[normalize(a), normalize(b), normalize(c)]] : [];
  });
  if (!isFine) return faces;
  return faces.flatMap(([a, b, c]): Triangle[] => {
    const [ab, bc, ca] = [normalize(add(a, b)), normalize(add(b, c)), normalize(add(c, a))];
    return [
      [a, ab, ca],
      [ab, b, bc],
      [ca, bc, c],
      [ab, bc, ca],
    ];
  });
}

/** An uneven ball, darker below: a crown, a bush or a stone. */
function blob(
  facets: Facets,
  center: Vec3,
  radius: Vec3,
  color: Rgb,
  tag: number,
  salt: number,
  isFine = false,
): void {
  // The bumps follow from the direction alone, so that faces that share a corner agree on it.
  const place = ([x, y, z]: Vec3): Vec3 => {
    const bump =
      1 +
      0.13 * Math.sin(x * 4.1 + salt * 2.1) * Math.cos(y * 3.7 + salt) +
      0.11 * Math.sin(z * 5.3 + x * 2.9 + salt);
    return [
      center[0] + x * bump * radius[0],
      center[1] + y * bump * radius[1],
      center[2] + z * bump * radius[2],
    ];
  };
  for (const corners of ballFaces(isFine)) {
    const [a, b, c] = [place(corners[0]), place(corners[1]), place(corners[2])];
    const height = ((a[2] + b[2] + c[2]) / 3 - center[2]) / radius[2];
    facets.triangle(a, b, c, shade(color, 0.82 + 0.24 * height), tag);
  }
}

function cone(facets: Facets, base: Ring, tip: Vec3, color: Rgb, tag: number): void {
  facets
    .tip(base, tip, true, color, tag)
    .tip(base, [tip[0], tip[1], (base[0]?.[2] ?? 0) + 0.12], false, shade(color, 0.55), tag);
}

function shape(build: (facets: Facets) => void): () => InstancedBufferGeometry {
  return () => {
    const facets = new Facets();
    build(facets);
    const geometry = new InstancedBufferGeometry();
    facets.writeTo(geometry);
    return geometry;
  };
}

const conifer = shape((facets) => {
  facets.tube([ring(5, -0.4, 0.24), ring(5, 1.6, 0.15)], BARK, STILL);
  const floors = [
    [1.0, 1.75, 3.2],
    [2.3, 1.4, 4.6],
    [3.7, 1.02, 5.9],
    [5.0, 0.62, 7.2],
  ] as const;
  floors.forEach(([low, radius, high], floor) => {
    const base = ring(7, low, radius, radius, floor * 0.37).map(
      ([x, y, z], side): Vec3 => [
        x * (side % 2 ? 0.86 : 1.06),
        y * (side % 2 ? 0.86 : 1.06),
        z - (side % 2 ? 0 : 0.16),
      ],
    );
    cone(facets, base, [0, 0, high], shade(NEEDLES, 0.85 + floor * 0.1), 0.25 + floor * 0.2);
  });
});

const coniferFar = shape((facets) => {
  cone(facets, ring(5, 0.6, 1.5), [0, 0, 7], NEEDLES, 0.4);
});

const broadleaf = shape((facets) => {
  facets.tube([ring(5, -0.4, 0.3), ring(5, 0.7, 0.2), ring(5, 2.4, 0.16, 0.16, 0, 0.1)], BARK, STILL);
  facets.tube([ring(4, 1.7, 0.1, 0.1, 0, 0.1), ring(4, 2.9, 0.06, 0.06, 0, -0.75, 0.2)], BARK, STILL);
  blob(facets, [0.15, 0, 3.9], [1.75, 1.65, 1.5], LEAVES, 0.6, 1, true);
  blob(facets, [-1.0, 0.35, 3.1], [1.15, 1.1, 0.95], shade(LEAVES, 0.9), 0.5, 2);
  blob(facets, [0.95, -0.6, 3.0], [1.1, 1.15, 0.9], shade(LEAVES, 0.94), 0.5, 3);
});

const broadleafFar = shape((facets) => {
  const low = ring(5, 2.6, 1.6);
  const high = ring(5, 4.2, 1.5, 1.5, 0.5);
  facets.tip(low, [0, 0, 2.0], false, shade(LEAVES, 0.6), 0.5);
  facets.band(low, high, shade(LEAVES, 0.95), 0.5).tip(high, [0, 0, 5.2], true, shade(LEAVES, 1.1), 0.5);
  facets.band(ring(3, -0.4, 0.26), ring(3, 2.4, 0.2), BARK, STILL);
});

const palm = shape((facets) => {
  const bend = (z: number): Ring => ring(5, z, 0.2 - z * 0.014, 0.2 - z * 0.014, 0, z * z * 0.025, 0);
  facets.tube([bend(-0.4), bend(1.4), bend(3), bend(4.5), bend(5.9)], PALE_BARK, STILL);
  const top: Vec3 = [5.9 * 5.9 * 0.025, 0, 5.9];
  for (let frond = 0; frond < 8; frond += 1) {
    const turn = (frond / 8) * Math.PI * 2 + (frond % 2) * 0.2;
    const along = (reach: number, rise: number, aside: number): Vec3 => [
      top[0] + Math.cos(turn) * reach - Math.sin(turn) * aside,
      Math.sin(turn) * reach + Math.cos(turn) * aside,
      top[2] + rise,
    ];
    const [root, middle, tip] = [
      along(0.1, 0.1, 0),
      along(1.3, 0.55 - (frond % 2) * 0.3, 0),
      along(2.6, -0.75, 0),
    ];
    const [left, right] = [
      along(1.35, 0.2 - (frond % 2) * 0.3, 0.42),
      along(1.35, 0.2 - (frond % 2) * 0.3, -0.42),
    ];
    const color = shade(FRONDS, 0.85 + (frond % 3) * 0.12);
    facets.triangle(root, middle, left, color, 0.8).triangle(middle, tip, left, color, 1);
    facets
      .triangle(root, right, middle, shade(color, 0.85), 0.8)
      .triangle(middle, right, tip, shade(color, 0.85), 1);
  }
});

const palmFar = shape((facets) => {
  facets.band(ring(3, -0.4, 0.2), ring(3, 5.9, 0.12, 0.12, 0, 0.8), PALE_BARK, STILL);
  facets.tip(ring(6, 5.3, 2.2, 2.2, 0, 0.85), [0.85, 0, 6.3], true, FRONDS, 0.8);
});

const shrub = shape((facets) => {
  blob(facets, [0, 0, 0.3], [0.55, 0.5, 0.42], BUSH, 0.3, 4);
  blob(facets, [0.42, 0.2, 0.22], [0.4, 0.36, 0.32], shade(BUSH, 0.9), 0.3, 5);
  blob(facets, [-0.3, 0.34, 0.2], [0.34, 0.36, 0.28], shade(BUSH, 1.1), 0.3, 8);
});

const cactus = shape((facets) => {
  const column = (z: number, radius: number, x = 0): Ring => ring(7, z, radius, radius, 0, x);
  facets.tube([column(-0.3, 0.26), column(1.9, 0.3), column(2.5, 0.16)], CACTUS, STILL);
  for (const [side, low] of [
    [1, 0.9],
    [-1, 1.25],
  ] as const) {
    facets.tube(
      [ring(5, low, 0.13, 0.13, 0, side * 0.25), ring(5, low + 0.12, 0.15, 0.15, 0, side * 0.62)],
      CACTUS,
      STILL,
    );
    facets.tube(
      [ring(5, low + 0.05, 0.15, 0.15, 0, side * 0.62), ring(5, low + 0.9, 0.15, 0.15, 0, side * 0.64)],
      shade(CACTUS, 1.08),
      STILL,
    );
  }
});

const rock = shape((facets) => {
  blob(facets, [0, 0, 0.25], [0.85, 0.68, 0.58], STONE, STILL, 6);
  blob(facets, [0.6, 0.35, 0.08], [0.4, 0.36, 0.3], shade(STONE, 0.92), STILL, 7);
});

const grass = shape((facets) => {
  for (let blade = 0; blade < 6; blade += 1) {
    const turn = blade * 2.4;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    const [x, y] = [c * 0.09 * (blade % 3), s * 0.09 * (blade % 3)];
    const height = 0.2 + 0.09 * (blade % 3);
    facets.triangle(
      [x - s * 0.032, y + c * 0.032, -0.03],
      [x + s * 0.032, y - c * 0.032, -0.03],
      [x + c * 0.13, y + s * 0.13, height],
      shade(BLADE, 0.82 + 0.1 * (blade % 4)),
      0.9,
    );
  }
});

const flower = shape((facets) => {
  for (let stalk = 0; stalk < 4; stalk += 1) {
    const turn = stalk * 1.9 + 0.4;
    const [x, y, z] = [Math.cos(turn) * 0.14 * stalk, Math.sin(turn) * 0.14 * stalk, 0.26 + 0.07 * stalk];
    facets.triangle([x - 0.012, y, -0.03], [x + 0.012, y, -0.03], [x, y, z], shade(BLADE, 0.8), 0.7);
    const head = ring(5, z + 0.02, 0.065, 0.065, stalk * 0.3, x, y);
    facets.tip(head, [x, y, z - 0.015], true, PETALS[stalk] ?? STONE, STILL * (0.5 + stalk * 0.01));
  }
});

const acacia = shape((facets) => {
  facets.tube(
    [ring(5, -0.4, 0.3), ring(5, 1.3, 0.18, 0.18, 0, 0.12), ring(5, 2.3, 0.15, 0.15, 0, 0.3)],
    DARK_BARK,
    STILL,
  );
  for (const [x, y, z] of [
    [1.5, 0.3, 3.5],
    [-1.1, 0.6, 3.7],
    [0.1, -1.1, 3.4],
  ] as const) {
    facets.tube([ring(4, 2.0, 0.11, 0.11, 0, 0.25), ring(4, z, 0.05, 0.05, 0, x, y)], DARK_BARK, STILL);
  }
  blob(facets, [0.3, 0.1, 4.0], [2.5, 2.3, 0.42], ACACIA, 0.5, 11, true);
  blob(facets, [-1.2, 0.7, 4.25], [1.3, 1.2, 0.3], shade(ACACIA, 1.08), 0.6, 12);
});

const acaciaFar = shape((facets) => {
  const rim = ring(6, 3.85, 2.3, 2.2);
  facets.tip(rim, [0.2, 0, 4.5], true, ACACIA, 0.5).tip(rim, [0.2, 0, 3.4], false, shade(ACACIA, 0.6), 0.5);
  facets.band(ring(3, -0.4, 0.24), ring(3, 3.5, 0.12, 0.12, 0, 0.3), DARK_BARK, STILL);
});

const rainTree = shape((facets) => {
  // Roots like boards, then a trunk without a branch up to the light.
  for (let board = 0; board < 4; board += 1) {
    const turn = (board / 4) * Math.PI * 2 + 0.3;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    facets.triangle(
      [c * 1.1, s * 1.1, -0.3],
      [c * 0.2, s * 0.2, 2.2],
      [c * 0.2 - s * 0.12, s * 0.2 + c * 0.12, -0.3],
      DARK_BARK,
      STILL,
    );
    facets.triangle(
      [c * 1.1, s * 1.1, -0.3],
      [c * 0.2 + s * 0.12, s * 0.2 - c * 0.12, -0.3],
      [c * 0.2, s * 0.2, 2.2],
      DARK_BARK,
      STILL,
    );
  }
  facets.tube([ring(6, -0.4, 0.36), ring(6, 3.5, 0.25), ring(6, 7.6, 0.2, 0.2, 0, 0.2)], PALE_BARK, STILL);
  blob(facets, [0.2, 0, 8.9], [2.5, 2.4, 1.35], RAIN_LEAVES, 0.6, 21, true);
  blob(facets, [1.5, 0.9, 7.9], [1.5, 1.4, 0.9], shade(RAIN_LEAVES, 0.88), 0.5, 22);
  blob(facets, [-1.5, -0.5, 8.0], [1.5, 1.5, 0.95], shade(RAIN_LEAVES, 1.1), 0.5, 23);
  blob(facets, [0.1, -1.6, 7.7], [1.2, 1.2, 0.8], shade(RAIN_LEAVES, 0.94), 0.5, 24);
});

const rainTreeFar = shape((facets) => {
  const [low, high] = [ring(6, 7.4, 2.4), ring(6, 9.1, 2.0, 2.0, 0.5)];
  facets
    .tip(low, [0, 0, 6.9], false, shade(RAIN_LEAVES, 0.6), 0.5)
    .band(low, high, shade(RAIN_LEAVES, 0.95), 0.5);
  facets.tip(high, [0, 0, 10.2], true, shade(RAIN_LEAVES, 1.15), 0.5);
  facets.band(ring(3, -0.4, 0.3), ring(3, 7.2, 0.2), PALE_BARK, STILL);
});

const birch = shape((facets) => {
  facets.tube(
    [ring(5, -0.4, 0.17), ring(5, 2.2, 0.12, 0.12, 0, 0.06), ring(5, 5.2, 0.05, 0.05, 0, 0.2)],
    WHITE_BARK,
    STILL,
  );
  blob(facets, [0.15, 0, 5.0], [0.95, 0.9, 1.5], BIRCH_LEAVES, 0.7, 31, true);
  blob(facets, [-0.4, 0.3, 3.6], [0.8, 0.75, 0.9], shade(BIRCH_LEAVES, 0.9), 0.6, 32);
  blob(facets, [0.6, -0.3, 3.3], [0.65, 0.65, 0.75], shade(BIRCH_LEAVES, 0.95), 0.6, 33);
});

const birchFar = shape((facets) => {
  const rim = ring(5, 3.8, 1.05);
  facets
    .tip(rim, [0, 0, 2.5], false, shade(BIRCH_LEAVES, 0.7), 0.6)
    .tip(rim, [0.1, 0, 6.4], true, BIRCH_LEAVES, 0.7);
  facets.band(ring(3, -0.4, 0.14), ring(3, 2.8, 0.1), WHITE_BARK, STILL);
});

/** Blades that spread from one foot. */
function tuft(
  facets: Facets,
  blades: number,
  height: number,
  spread: number,
  width: number,
  color: Rgb,
): void {
  for (let blade = 0; blade < blades; blade += 1) {
    const turn = blade * 2.4;
    const [c, s] = [Math.cos(turn), Math.sin(turn)];
    const out = spread * (0.5 + (0.5 * ((blade * 7) % 5)) / 4);
    const [x, y] = [c * 0.05 * (blade % 3), s * 0.05 * (blade % 3)];
    const top = height * (0.7 + 0.3 * (((blade * 3) % 4) / 3));
    facets.triangle(
      [x - s * width, y + c * width, -0.05],
      [x + s * width, y - c * width, -0.05],
      [x + c * out, y + s * out, top],
      shade(color, 0.8 + 0.1 * (blade % 4)),
      0.95,
    );
  }
}

const reed = shape((facets) => {
  tuft(facets, 9, 1.5, 0.3, 0.022, REED);
  for (let stalk = 0; stalk < 2; stalk += 1) {
    const [x, y] = [0.09 - stalk * 0.2, 0.06 + stalk * 0.07];
    facets.tube([ring(4, 1.2, 0.02, 0.02, 0, x, y), ring(4, 1.42, 0.018, 0.018, 0, x, y)], REED_HEAD, 0.9);
    facets.triangle([x - 0.012, y, -0.05], [x + 0.012, y, -0.05], [x, y, 1.2], shade(REED, 0.8), 0.8);
  }
});

const tallGrass = shape((facets) => tuft(facets, 9, 0.72, 0.26, 0.026, STRAW));

const cushion = shape((facets) => {
  blob(facets, [0, 0, 0.02], [0.26, 0.24, 0.11], HEATH, 0.1, 41);
  blob(facets, [0.22, 0.1, 0], [0.16, 0.17, 0.08], shade(HEATH, 1.15), 0.1, 42);
});

/** Indexed by `Kind` in `growth.rs`. */
export const PLANT_KINDS: readonly PlantKind[] = [
  { near: conifer, far: coniferFar, isTree: true },
  { near: broadleaf, far: broadleafFar, isTree: true },
  { near: palm, far: palmFar, isTree: true },
  { near: shrub, isTree: true },
  { near: cactus, isTree: true },
  { near: rock, isTree: true },
  { near: grass, isTree: false },
  { near: flower, isTree: false },
  { near: acacia, far: acaciaFar, isTree: true },
  { near: rainTree, far: rainTreeFar, isTree: true },
  { near: birch, far: birchFar, isTree: true },
  { near: reed, isTree: false },
  { near: tallGrass, isTree: false },
  { near: cushion, isTree: false },
];

/**
 * Instances: `iPlace` (relative to the patch of ground that `modelMatrix` places, and the size), `iLook` (turn, tint,
 * lean, the distance from the player in metres where it has shrunk to nothing), `iClimate` (temperature and rain for the
 * colour of leaves, the distance where it begins to grow: 0 except for woods far away, which stand in for near trees).
 */
export const PLANT_SHAPE: LitShape = {
  translucence: 0.32,
  makesWay: true,
  declarations: /* glsl */ `
attribute vec3 color;
attribute float tag;
attribute vec4 iPlace;
attribute vec4 iLook;
attribute vec3 iClimate;
uniform sampler2D uPalette;
uniform vec3 uPlayer;
uniform vec3 uGround;
`,
  place: /* glsl */ `
  vec3 foot = iPlace.xyz + modelMatrix[3].xyz;
  vec3 up = normalize(foot * 0.001 - uCenterKm);
  vec3 side = normalize(cross(up, abs(up.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0)));
  vec3 ahead = cross(up, side);
  float c = cos(iLook.x * 6.2831853), s = sin(iLook.x * 6.2831853);
  // Everything leans a little its own way, so that no two stand alike.
  vec3 axis = normalize(up + (iLook.z - 0.5) * 0.16 * (side * s + ahead * c));
  side = normalize(cross(ahead, axis));
  ahead = cross(axis, side);
  mat3 frame = mat3(side * c + ahead * s, ahead * c - side * s, axis);
  float away = length(foot - uPlayer);
  float size = iPlace.w * (1.0 - smoothstep(iLook.w * 0.86, iLook.w, away));
  if (iClimate.z > 0.0) size *= smoothstep(iClimate.z * 0.86, iClimate.z, away);
  vec3 p = position;
  float gust = sin(uTimeS * 1.1 + iPlace.x * 0.09 + iPlace.y * 0.07) + 0.4 * sin(uTimeS * 3.1 + iPlace.y * 0.4);
  p.xy += max(0.0, tag) * 0.045 * uGround.z * gust * min(1.0, p.z * 0.4 + 0.2);
  seen = foot + frame * p * size;
  outward = frame * normal;
  vec3 local = texture(uPalette, iClimate.xy).rgb;
  bool isLeaf = tag >= 0.0;
  vec3 own = color * (0.78 + 0.44 * iLook.y);
  albedo = isLeaf ? mix(own, own * 0.35 + local * 0.62, tag > 0.85 && color.g > 0.2 ? 0.75 : 0.38) * mix(vec3(1.0), vec3(1.22, 1.02, 0.72), iLook.z * iLook.z) : own;
  // Wet leaves are darker; new snow lies on whatever looks up.
  albedo *= 1.0 - 0.22 * uGround.x;
  albedo = mix(albedo, vec3(0.62, 0.66, 0.72), uGround.y * smoothstep(-0.1, 0.6, dot(outward, up)) * (0.5 + 0.5 * iLook.y));
`,
};
