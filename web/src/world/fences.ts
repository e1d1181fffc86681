/** Fences round land that is not open to everyone: posts and rails that follow the ground, near the player only. */
import {
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  type Scene,
  type ShaderMaterial,
} from "three";
import { distance, scale, subtract, type Vec3 } from "../geo/vec3.ts";
import { parseToken } from "./cells.ts";
import { Facets, paint, ring } from "./facets.ts";
import { depthMaterial, type LitShape, litMaterial } from "./lit_material.ts";
import { cornerDirection, outlineOf, type Side } from "./outline.ts";
import type { GroundM } from "./rig.ts";

/** Land with a fence. */
export interface FenceView {
  readonly cells: readonly string[];
  /** Whether it keeps this player out. */
  readonly isClosed: boolean;
}

const PIECES_MAX = 640;
const REACH_M = 70;
/** A lot's side is made of so many pieces, each from post to post. */
const PIECES_A_SIDE = 12;
const WOOD = paint("#8a6d4f");
/** The top rail tells who may enter: not by colour alone, a closed fence has crossed boards too. */
const OPEN_RAIL = paint("#e8dcc0");
const CLOSED_RAIL = paint("#c0402c");

const RAIL = 0;
const TOP_RAIL = 1;
const CROSS = 2;

/** `x` runs from 0 to 1 along the piece, `y` and `z` are metres aside and up. */
const SHAPE: LitShape = {
  translucence: 0,
  declarations: /* glsl */ `
attribute vec3 color;
attribute float tag;
attribute vec4 iFrom;
attribute vec3 iTo;
attribute vec3 iColor;
uniform vec3 uPlayer;
`,
  place: /* glsl */ `
  vec3 from = iFrom.xyz + modelMatrix[3].xyz;
  vec3 to = iTo + modelMatrix[3].xyz;
  vec3 foot = mix(from, to, position.x);
  vec3 up = normalize(foot * 0.001 - uCenterKm);
  vec3 along = normalize(to - from);
  vec3 side = normalize(cross(up, along));
  float size = 1.0 - smoothstep(55.0, 68.0, length(foot - uPlayer));
  if (tag > 1.5) size *= iFrom.w;
  seen = foot + (side * position.y + up * position.z) * size;
  outward = normalize(along * normal.x + side * normal.y + up * normal.z);
  albedo = tag > 0.5 ? iColor : color;
`,
};

export class Fences {
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: ShaderMaterial;
  private readonly depth: ShaderMaterial;
  private readonly meshes: readonly Mesh[];
  private readonly from = new InstancedBufferAttribute(new Float32Array(PIECES_MAX * 4), 4);
  private readonly to = new InstancedBufferAttribute(new Float32Array(PIECES_MAX * 3), 3);
  private readonly color = new InstancedBufferAttribute(new Float32Array(PIECES_MAX * 3), 3);
  private anchor: Vec3 = [0, 0, 0];

  constructor(
    scene: Scene,
    shadowScene: Scene,
    uniforms: Record<string, { value: unknown }>,
    private readonly ground: GroundM,
    private readonly radiusM: number,
  ) {
    piece().writeTo(this.geometry);
    this.geometry.setAttribute("iFrom", this.from);
    this.geometry.setAttribute("iTo", this.to);
    this.geometry.setAttribute("iColor", this.color);
    this.geometry.instanceCount = 0;
    this.material = litMaterial(SHAPE, uniforms);
    this.depth = depthMaterial(SHAPE, uniforms);
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

  /** Builds the fences near `player`. */
  set(fences: readonly FenceView[], player: Vec3): void {
    this.anchor = player;
    let count = 0;
    for (const { cells, isClosed } of fences) {
      const sides = outlineOf(cells.flatMap((token) => parseToken(token) ?? []));
      for (const side of sides) {
        if (distance(this.level(side, 0.5), player) > REACH_M + this.sideM(side)) continue;
        for (const [from, to] of this.pieces(side)) {
          if (count === PIECES_MAX) break;
          if (distance(from, player) > REACH_M) continue;
          this.from.setXYZW(count, ...subtract(from, player), isClosed ? 1 : 0);
          this.to.setXYZ(count, ...subtract(to, player));
          this.color.setXYZ(count, ...(isClosed ? CLOSED_RAIL : OPEN_RAIL));
          count += 1;
        }
      }
    }
    this.geometry.instanceCount = count;
    this.from.needsUpdate = true;
    this.to.needsUpdate = true;
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

  private *pieces(side: Side): Generator<readonly [Vec3, Vec3]> {
    let before = this.standing(side, 0);
    for (let index = 1; index <= PIECES_A_SIDE; index += 1) {
      const next = this.standing(side, index / PIECES_A_SIDE);
      yield [before, next];
      before = next;
    }
  }

  private sideM(side: Side): number {
    return distance(this.level(side, 0), this.level(side, 1));
  }

  /** A point of a side at sea level. */
  private level(side: Side, share: number): Vec3 {
    return scale(directionOn(side, share), this.radiusM);
  }

  /** The same on the ground, or on the water over it. */
  private standing(side: Side, share: number): Vec3 {
    const direction = directionOn(side, share);
    return scale(direction, this.radiusM + this.ground(direction));
  }
}

function directionOn({ face, level, from, to }: Side, share: number): Vec3 {
  const mix = (axis: 0 | 1) => from[axis] + (to[axis] - from[axis]) * share;
  return cornerDirection(face, level, [mix(0), mix(1)]);
}

/** A post, two rails, and the boards of a closed fence. */
function piece(): Facets {
  const facets = new Facets();
  // A post is round in metres, while `x` is a share of some three of them.
  facets.tube(
    [ring(5, -0.5, 0.024, 0.07), ring(5, 1.15, 0.022, 0.065), ring(5, 1.24, 0.004, 0.012)],
    WOOD,
    RAIL,
  );
  facets.tube(beam(0.5, 0.5, 0.05), WOOD, RAIL);
  facets.tube(beam(0.98, 0.98, 0.06), WOOD, TOP_RAIL);
  facets.tube(beam(0.5, 0.98, 0.035), WOOD, CROSS);
  facets.tube(beam(0.98, 0.5, 0.035), WOOD, CROSS);
  return facets;
}

/** The two ends of a board that runs the whole piece, from one height to another. */
function beam(fromZ: number, toZ: number, halfM: number): readonly (readonly Vec3[])[] {
  const end = (x: number, z: number): readonly Vec3[] => [
    [x, -0.03, z - halfM],
    [x, 0.03, z - halfM],
    [x, 0.03, z + halfM],
    [x, -0.03, z + halfM],
  ];
  return [end(0, fromZ), end(1, toZ)];
}
