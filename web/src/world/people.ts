/** Everybody on the screen, in one draw call. */
import {
  DynamicDrawUsage,
  InstancedBufferAttribute,
  type InstancedBufferGeometry,
  Mesh,
  type Scene,
  type ShaderMaterial,
} from "three";
import { subtract, type Vec3 } from "../geo/vec3.ts";
import { depthMaterial, litMaterial } from "./lit_material.ts";
import { PERSON_SHAPE, personGeometry } from "./person_shape.ts";

/** How a body is to be shown this frame; positions are metres from the planet's centre, at the feet. */
export interface BodyView {
  readonly id: number;
  readonly position: Vec3;
  readonly facing: Vec3;
  readonly mode: "grounded" | "airborne" | "swimming";
  readonly speedMps: number;
  /** 0xrrggbb */
  readonly color: number;
}

/** The most people drawn; beyond it the farthest are left out. */
const PEOPLE_MAX = 1024;
/** Metres of one full cycle, two steps, when standing still and per metre per second. */
const CYCLE_M = 1.15;
const CYCLE_PER_MPS_M = 0.26;

/** What goes on from frame to frame, so that feet match the ground and poses flow into each other. */
interface Motion {
  phase: number;
  stride: number;
  run: number;
  swim: number;
  air: number;
  seenAt: number;
}

export class People {
  private readonly geometry: InstancedBufferGeometry = personGeometry();
  private readonly material: ShaderMaterial;
  private readonly depth: ShaderMaterial;
  private readonly meshes: readonly Mesh[];
  private readonly motions = new Map<number, Motion>();
  private readonly place = instanced(3);
  private readonly facing = instanced(3);
  private readonly color = instanced(3);
  private readonly gait = instanced(4);
  private readonly pose = instanced(2);
  private turn = 0;

  constructor(scene: Scene, shadowScene: Scene, uniforms: Record<string, { value: unknown }>) {
    this.material = litMaterial(PERSON_SHAPE, uniforms);
    this.depth = depthMaterial(PERSON_SHAPE, uniforms);
    this.geometry.setAttribute("iPlace", this.place);
    this.geometry.setAttribute("iFacing", this.facing);
    this.geometry.setAttribute("iColor", this.color);
    this.geometry.setAttribute("iGait", this.gait);
    this.geometry.setAttribute("iPose", this.pose);
    this.meshes = [new Mesh(this.geometry, this.material), new Mesh(this.geometry, this.depth)];
    const [lit, shade] = this.meshes;
    if (lit) scene.add(lit);
    if (shade) shadowScene.add(shade);
    for (const mesh of this.meshes) {
      mesh.frustumCulled = false;
      mesh.matrixAutoUpdate = false;
    }
  }

  /** Poses everybody for this frame. */
  update(bodies: readonly BodyView[], eye: Vec3, dtS: number): void {
    this.turn += 1;
    const shown = bodies.length > PEOPLE_MAX ? nearest(bodies, eye) : bodies;
    shown.forEach((body, index) => {
      const motion = this.advance(body, dtS);
      this.place.setXYZ(index, ...subtract(body.position, eye));
      this.facing.setXYZ(index, ...body.facing);
      this.color.setXYZ(index, channel(body.color >> 16), channel(body.color >> 8), channel(body.color));
      this.gait.setXYZW(index, motion.phase, motion.stride, motion.run, motion.swim);
      this.pose.setXY(index, motion.air, ownNumber(body.id));
    });
    for (const attribute of [this.place, this.facing, this.color, this.gait, this.pose]) {
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, shown.length * attribute.itemSize);
      attribute.needsUpdate = true;
    }
    this.geometry.instanceCount = shown.length;
    for (const mesh of this.meshes) mesh.visible = shown.length > 0;
    for (const [id, motion] of this.motions) if (motion.seenAt !== this.turn) this.motions.delete(id);
  }

  dispose(): void {
    for (const mesh of this.meshes) mesh.removeFromParent();
    this.geometry.dispose();
    this.material.dispose();
    this.depth.dispose();
  }

  private advance(body: BodyView, dtS: number): Motion {
    const known = this.motions.get(body.id);
    const motion = known ?? { phase: ownNumber(body.id) * 6, stride: 0, run: 0, swim: 0, air: 0, seenAt: 0 };
    if (!known) this.motions.set(body.id, motion);
    const { speedMps, mode } = body;
    const ease = 1 - Math.exp(-dtS * 9);
    const towards = (from: number, to: number) => from + (to - from) * ease;
    motion.stride = towards(motion.stride, Math.min(1, speedMps / 2.2));
    motion.run = towards(motion.run, Math.max(0, Math.min(1, (speedMps - 3.4) / 2.6)));
    motion.swim = towards(motion.swim, mode === "swimming" ? 1 : 0);
    motion.air = towards(motion.air, mode === "airborne" ? 1 : 0);
    const cyclesPerS =
      mode === "swimming" ? 0.35 + speedMps * 0.3 : speedMps / (CYCLE_M + CYCLE_PER_MPS_M * speedMps);
    motion.phase = (motion.phase + cyclesPerS * dtS * Math.PI * 2) % (Math.PI * 2);
    motion.seenAt = this.turn;
    return motion;
  }
}

function instanced(size: number): InstancedBufferAttribute {
  const attribute = new InstancedBufferAttribute(new Float32Array(PEOPLE_MAX * size), size);
  attribute.setUsage(DynamicDrawUsage);
  return attribute;
}

function nearest(bodies: readonly BodyView[], eye: Vec3): readonly BodyView[] {
  const away = (body: BodyView) => {
    const [x, y, z] = subtract(body.position, eye);
    return x * x + y * y + z * z;
  };
  return bodies.toSorted((a, b) => away(a) - away(b)).slice(0, PEOPLE_MAX);
}

/** Linear light of one sRGB byte. */
function channel(byte: number): number {
  return ((byte & 255) / 255) ** 2.2;
}

/** A number 0 to 1 that stays a person's own: skin, hair and the beat of their breath. */
function ownNumber(id: number): number {
  return (Math.imul(id + 1, 0x9e3779b1) >>> 8) / 2 ** 24;
}
