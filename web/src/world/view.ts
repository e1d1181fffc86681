/** From where the world is seen: on the ground behind a person, round the globe, or in flight between the two. */

import { addScaled, length, normalize, type Vec3 } from "../geo/vec3.ts";
import { GlobeRig, type GroundM, GroundRig, mixPoses, type Pose } from "./rig.ts";

const FLIGHT_S = 2.6;
const CLEARANCE_M = 0.6;

export class View {
  readonly ground: GroundRig;
  readonly globe: GlobeRig;
  /** 0 on the ground, 1 at the globe. */
  private height = 0;
  private target: 0 | 1 = 0;
  private onLanded: (() => void) | undefined;

  constructor(
    private readonly radiusM: number,
    private readonly groundM: GroundM,
    private readonly reducedMotion: boolean,
    start: Vec3,
  ) {
    this.ground = new GroundRig(start, [0, 0, 1]);
    this.globe = new GlobeRig(radiusM);
    this.globe.center(start);
    this.height = 1;
    this.target = 1;
  }

  get kind(): "ground" | "globe" {
    return this.target === 1 ? "globe" : "ground";
  }

  get isFlying(): boolean {
    return this.height !== this.target;
  }

  /** How far on the way from the ground to the globe, 0 to 1. */
  get heightShare(): number {
    return this.height;
  }

  look(dxRad: number, dyRad: number): void {
    this.endArrival();
    if (this.target === 1) this.globe.look(dxRad, dyRad);
    else this.ground.look(dxRad, dyRad);
  }

  zoom(factor: number): void {
    this.endArrival();
    const stays = this.target === 1 ? this.globe.zoom(factor) : this.ground.zoom(factor);
    if (!stays) this.showGlobe(this.target === 0);
  }

  showGlobe(on: boolean): void {
    if (on === (this.target === 1)) return;
    this.target = on ? 1 : 0;
    if (on && this.height === 0) this.globe.center(this.ground.position);
    // Back from the globe one stands close to oneself again.
    if (!on) this.ground.zoom(6.5 / this.ground.distanceM);
    if (this.reducedMotion) this.height = this.target;
  }

  /** Says where the person is before the first look: the globe is turned there. */
  startAt(position: Vec3, facing: Vec3): void {
    this.ground.place(position, facing);
    this.globe.center(position);
  }

  /** Comes down to a place; resolves on landing, at once with reduced motion or when somebody looks around. */
  arriveAt(position: Vec3, facing: Vec3): Promise<void> {
    this.onLanded?.();
    this.ground.place(position, facing);
    this.globe.center(position);
    this.height = this.reducedMotion ? 0 : 1;
    this.target = 0;
    if (this.reducedMotion) return Promise.resolve();
    return new Promise((resolve) => {
      this.onLanded = resolve;
    });
  }

  pose(dtS: number): Pose {
    if (this.height !== this.target) {
      const step = dtS / FLIGHT_S;
      this.height = this.target === 1 ? Math.min(1, this.height + step) : Math.max(0, this.height - step);
      if (this.height === this.target) this.landed();
    }
    if (this.height === 1) return this.globe.pose();
    const near = this.ground.pose(this.groundM, this.radiusM, dtS);
    if (this.height === 0) return near;
    const share = this.height * this.height * (3 - 2 * this.height);
    const pose = mixPoses(near, this.globe.pose(), share, this.radiusM);
    const lift = CLEARANCE_M - (length(pose.eye) - this.radiusM - Math.max(0, this.groundM(pose.eye)));
    return lift > 0 ? { ...pose, eye: addScaled(pose.eye, normalize(pose.eye), lift) } : pose;
  }

  private endArrival(): void {
    if (!this.onLanded) return;
    this.height = 0;
    this.landed();
  }

  private landed(): void {
    this.onLanded?.();
    this.onLanded = undefined;
  }
}
