/** Where land is that matters to the person, seen from the globe: a needle each, with a head of its own per state. */
import {
  InstancedBufferAttribute,
  InstancedBufferGeometry,
  Mesh,
  type Scene,
  type ShaderMaterial,
} from "three";
import { subtract, type Vec3 } from "../geo/vec3.ts";
import { Facets, paint, ring } from "./facets.ts";
import { type LitShape, litMaterial } from "./lit_material.ts";

/** A piece of land to point out. */
export interface LandPin {
  /** On the ground, metres from the planet's centre. */
  readonly at: Vec3;
  readonly state: "mine" | "sale" | "auction";
}

const PINS_MAX = 256;
const KIND = { mine: 0, sale: 1, auction: 2 } as const;
const NEEDLE = 3;

/** Every instance has all heads and draws the one that is its own. */
const SHAPE: LitShape = {
  translucence: 1,
  declarations: /* glsl */ `
attribute vec3 color;
attribute float tag;
attribute vec4 iPlace;
uniform float uPinsGrown;
`,
  place: /* glsl */ `
  vec3 foot = iPlace.xyz + modelMatrix[3].xyz;
  vec3 up = normalize(foot * 0.001 - uCenterKm);
  vec3 side = normalize(cross(up, abs(up.z) < 0.9 ? vec3(0.0, 0.0, 1.0) : vec3(1.0, 0.0, 0.0)));
  mat3 frame = mat3(side, cross(up, side), up);
  bool isOwn = tag > 2.5 || abs(tag - iPlace.w) < 0.5;
  float size = isOwn ? length(foot) * 0.011 * uPinsGrown : 0.0;
  seen = foot + frame * position * size;
  outward = frame * normal;
  albedo = color;
`,
};

export class LandPins {
  private readonly geometry = new InstancedBufferGeometry();
  private readonly material: ShaderMaterial;
  private readonly mesh: Mesh;
  private readonly place = new InstancedBufferAttribute(new Float32Array(PINS_MAX * 4), 4);
  private readonly grown = { value: 0 };
  private anchor: Vec3 = [0, 0, 0];

  constructor(scene: Scene, uniforms: Record<string, { value: unknown }>) {
    heads().writeTo(this.geometry);
    this.geometry.setAttribute("iPlace", this.place);
    this.geometry.instanceCount = 0;
    this.material = litMaterial(SHAPE, { ...uniforms, uPinsGrown: this.grown });
    this.material.transparent = true;
    this.mesh = new Mesh(this.geometry, this.material);
    this.mesh.frustumCulled = false;
    this.mesh.matrixAutoUpdate = false;
    this.mesh.matrixWorldAutoUpdate = false;
    // After the clouds, like the pin of the person.
    this.mesh.renderOrder = 13;
    scene.add(this.mesh);
  }

  set(pins: readonly LandPin[]): void {
    const shown = pins.slice(0, PINS_MAX);
    // Near the first, so that single precision is enough for the difference.
    this.anchor = shown[0]?.at ?? [0, 0, 0];
    shown.forEach(({ at, state }, index) => {
      this.place.setXYZW(index, ...subtract(at, this.anchor), KIND[state]);
    });
    this.geometry.instanceCount = shown.length;
    this.place.needsUpdate = true;
  }

  /** `grown` is 0 on the ground and 1 at the globe. */
  update(eye: Vec3, grown: number): void {
    this.grown.value = grown;
    this.mesh.visible = grown > 0 && this.geometry.instanceCount > 0;
    const { elements } = this.mesh.matrixWorld;
    [elements[12], elements[13], elements[14]] = subtract(this.anchor, eye);
  }

  dispose(): void {
    this.mesh.removeFromParent();
    this.geometry.dispose();
    this.material.dispose();
  }
}

/** Round for one's own, a block for what is for sale, a spinning top for auctions. */
function heads(): Facets {
  const facets = new Facets();
  facets.tip(ring(6, 1.0, 0.1), [0, 0, 0], false, paint("#2a2f33"), NEEDLE);
  const mine = paint("#f5a623");
  facets.tube(
    [ring(8, 0.9, 0.2), ring(8, 1.1, 0.44), ring(8, 1.4, 0.5), ring(8, 1.7, 0.36), ring(8, 1.85, 0.1)],
    mine,
    KIND.mine,
  );
  const sale = paint("#2fae62");
  facets.tube([ring(4, 0.95, 0.62, 0.62, 0.5), ring(4, 1.75, 0.62, 0.62, 0.5)], sale, KIND.sale);
  const auction = paint("#b057de");
  const rim = ring(6, 1.35, 0.62);
  facets
    .tip(rim, [0, 0, 0.75], false, auction, KIND.auction)
    .tip(rim, [0, 0, 2.1], true, auction, KIND.auction);
  return facets;
}
