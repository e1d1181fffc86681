/** Things that point something out: posts at the corners of owned lots, and the pin that says "you are here". */
import {
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  type Scene,
  type ShaderMaterial,
  Vector3,
} from "three";
import { addScaled, distance, normalize, scale, subtract, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, directionIn } from "./cells.ts";
import { Facets, paint, ring } from "./facets.ts";
import { depthMaterial, type LitShape, litMaterial } from "./lit_material.ts";
import type { OwnedLot } from "./lot_overlay.ts";
import type { Rgb } from "./palette.ts";
import type { GroundM } from "./rig.ts";

const POSTS_MAX = 512;
const POST_REACH_M = 125;
const MINE = paint("#f5a623");
const TAKEN = paint("#4f82e8");
const WOOD = paint("#7a6048");
const POST_COLORS: Readonly<Record<string, Rgb>> = {
  mine: MINE,
  sale: paint("#2fae62"),
  auction: paint("#a84fd6"),
};
const CORNERS = [
  [0, 0],
  [1, 0],
  [0, 1],
  [1, 1],
] as const;
const cornerKey = (cell: CellAddress, x: number, y: number) => `${cell.face}.${cell.i + x}.${cell.j + y}`;

const STANDING = /* glsl */ `
attribute vec3 color;
attribute float tag;
attribute vec4 iPlace;
attribute vec3 iColor;
uniform vec3 uPlayer;
`;

/** Instances: `iPlace` (relative to the place of `modelMatrix`, and the size) and `iColor`. */
const POST_SHAPE: LitShape = {
  translucence: 0,
  declarations: STANDING,
  place: /* glsl */ `
  vec3 foot = iPlace.xyz + modelMatrix[3].xyz;
  vec3 up = normalize(foot * 0.001 - uCenterKm);
  vec3 side = normalize(cross(up, abs(up.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0)));
  mat3 frame = mat3(side, cross(up, side), up);
  float size = iPlace.w * (1.0 - smoothstep(95.0, 120.0, length(foot - uPlayer)));
  seen = foot + frame * position * size;
  outward = frame * normal;
  albedo = tag > 0.5 ? iColor : color;
`,
};

/** Low posts at the corners of owned lots. */
export class LotPosts {
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: ShaderMaterial;
  private readonly depth: ShaderMaterial;
  private readonly meshes: readonly Mesh[];
  private readonly place = new InstancedBufferAttribute(new Float32Array(POSTS_MAX * 4), 4);
  private readonly color = new InstancedBufferAttribute(new Float32Array(POSTS_MAX * 3), 3);
  private anchor: Vec3 = [0, 0, 0];

  constructor(
    scene: Scene,
    shadowScene: Scene,
    uniforms: Record<string, { value: unknown }>,
    private readonly ground: GroundM,
    private readonly radiusM: number,
  ) {
    const facets = new Facets();
    facets.tube([ring(6, -0.5, 0.11), ring(6, 0.72, 0.09)], WOOD, 0);
    facets.tube([ring(6, 0.72, 0.13), ring(6, 0.86, 0.13), ring(6, 0.98, 0.03)], WOOD, 1);
    facets.writeTo(this.geometry);
    this.geometry.setAttribute("iPlace", this.place);
    this.geometry.setAttribute("iColor", this.color);
    this.geometry.instanceCount = 0;
    this.material = litMaterial(POST_SHAPE, uniforms);
    this.depth = depthMaterial(POST_SHAPE, uniforms);
    const lit = new Mesh(this.geometry, this.material);
    const shade = new Mesh(this.geometry, this.depth);
    scene.add(lit);
    shadowScene.add(shade);
    this.meshes = [lit, shade];
    for (const mesh of this.meshes) {
      mesh.frustumCulled = false;
      mesh.matrixAutoUpdate = false;
      mesh.matrixWorldAutoUpdate = false;
    }
  }

  /** Sets posts for these lots, those near `player` only. */
  set(lots: readonly OwnedLot[], player: Vec3): void {
    this.anchor = player;
    const inside = new Map<string, number>();
    for (const { cell, parcel } of lots) {
      for (const [x, y] of CORNERS) {
        const key = `${parcel}.${cornerKey(cell, x, y)}`;
        inside.set(key, (inside.get(key) ?? 0) + 1);
      }
    }
    const corners = new Map<string, { at: Vec3; color: Rgb }>();
    for (const { cell, state, parcel } of lots) {
      for (const [x, y] of CORNERS) {
        const key = cornerKey(cell, x, y);
        // Where four lots of one piece of land meet is its inside.
        if (inside.get(`${parcel}.${key}`) === 4) continue;
        // One's own post stands where two lots share a corner.
        if (state !== "mine" && corners.has(key)) continue;
        const direction = directionIn(cell, x, y);
        const at = scale(direction, this.radiusM + Math.max(0, this.ground(direction)));
        if (distance(at, player) < POST_REACH_M) corners.set(key, { at, color: POST_COLORS[state] ?? TAKEN });
      }
    }
    let count = 0;
    for (const { at, color } of corners.values()) {
      if (count === POSTS_MAX) break;
      this.place.setXYZW(count, ...subtract(at, player), 1);
      this.color.setXYZ(count, ...color);
      count += 1;
    }
    this.geometry.instanceCount = count;
    this.place.needsUpdate = true;
    this.color.needsUpdate = true;
  }

  update(eye: Vec3, isShown: boolean): void {
    const at = subtract(this.anchor, eye);
    for (const mesh of this.meshes) {
      mesh.visible = isShown && this.geometry.instanceCount > 0;
      const { elements } = mesh.matrixWorld;
      [elements[12], elements[13], elements[14]] = at;
    }
  }

  dispose(): void {
    for (const mesh of this.meshes) mesh.removeFromParent();
    this.geometry.dispose();
    this.material.dispose();
    this.depth.dispose();
  }
}

const PIN = paint("#ff7a3d");
const PIN_SHAPE: LitShape = {
  translucence: 1,
  declarations: /* glsl */ `
attribute vec3 color;
uniform vec3 uPinUp;
uniform float uPinSize;
`,
  place: /* glsl */ `
  vec3 side = normalize(cross(uPinUp, abs(uPinUp.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0)));
  mat3 frame = mat3(side, cross(uPinUp, side), uPinUp);
  seen = modelMatrix[3].xyz + frame * position * uPinSize * (1.0 + 0.06 * sin(uTimeS * 3.0));
  outward = frame * normal;
  albedo = color;
`,
};

/** A pin in the globe, of the same size on the screen from every height. */
export class Pin {
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: ShaderMaterial;
  private readonly mesh: Mesh;
  private readonly up = { value: new Vector3() };
  private readonly size = { value: 1 };

  constructor(scene: Scene, uniforms: Record<string, { value: unknown }>) {
    const facets = new Facets();
    const neck = ring(10, 1.0, 0.34);
    facets.tip(neck, [0, 0, 0], false, PIN, 0);
    facets.band(neck, ring(10, 1.45, 0.42), PIN, 0).band(ring(10, 1.45, 0.42), ring(10, 1.8, 0.26), PIN, 0);
    facets.tip(ring(10, 1.8, 0.26), [0, 0, 1.9], true, paint("#fff3e6"), 0);
    facets.writeTo(this.geometry);
    this.geometry.instanceCount = 1;
    this.material = litMaterial(PIN_SHAPE, { ...uniforms, uPinUp: this.up, uPinSize: this.size });
    this.mesh = new Mesh(this.geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.matrixAutoUpdate = false;
    this.mesh.matrixWorldAutoUpdate = false;
    // After the clouds, which would else lie over it.
    this.mesh.renderOrder = 13;
    this.material.transparent = true;
    scene.add(this.mesh);
  }

  /** `grown` is 0 on the ground and 1 at the globe. */
  update(at: Vec3 | undefined, eye: Vec3, grown: number): void {
    this.mesh.visible = at !== undefined && grown > 0;
    if (!at) return;
    const up = normalize(at);
    this.up.value.set(...up);
    this.size.value = distance(at, eye) * 0.03 * grown;
    const { elements } = this.mesh.matrixWorld;
    [elements[12], elements[13], elements[14]] = subtract(addScaled(at, up, 10), eye);
  }

  dispose(): void {
    this.mesh.removeFromParent();
    this.geometry.dispose();
    this.material.dispose();
  }
}
