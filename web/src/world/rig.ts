/**
 * The camera's mathematics: where the eye is and where it looks, on the ground, round the globe and between the two.
 *
 * Headings are tangent vectors carried along the sphere, never angles against north, so that the poles are ordinary.
 */
import {
  add,
  addScaled,
  anyTangent,
  cross,
  distance,
  dot,
  length,
  normalize,
  rotate,
  scale,
  slerp,
  tangent,
  transport,
  type Vec3,
} from "../geo/vec3.ts";

/** An eye, what it looks along, and what is up on its screen; the last two are unit vectors at right angles. */
export interface Pose {
  readonly eye: Vec3;
  readonly forward: Vec3;
  readonly up: Vec3;
}

/** Height of the ground in the direction of a point, metres over the sea; negative for the sea floor. */
export type GroundM = (p: Vec3) => number;

/** How much above ground or water the eye stays. */
const CLEARANCE_M = 0.45;
/** What the eye looks at, above a person's feet. */
const FOCUS_HEIGHT_M = 1.55;
const DISTANCE_MIN_M = 2.2;
/** Beyond this the view belongs to the globe. */
export const DISTANCE_MAX_M = 160;
const PITCH_MIN_RAD = -1.35;
const PITCH_MAX_RAD = 0.6;
const BOOM_STEPS = 10;

/** Orbits a person: turn, tilt, near and far; never in a hill. */
export class GroundRig {
  private focusOn: Vec3;
  private ahead: Vec3;
  private pitchRad = -0.2;
  private wantedDistanceM = 6.5;
  private boomM = 6.5;

  constructor(position: Vec3, facing: Vec3) {
    this.focusOn = position;
    this.ahead = tangent(facing, normalize(position));
  }

  /** The unit vector along the ground that counts as "forward". */
  get heading(): Vec3 {
    return this.ahead;
  }

  get position(): Vec3 {
    return this.focusOn;
  }

  get distanceM(): number {
    return this.wantedDistanceM;
  }

  /** Moves to a place and looks along `facing`. */
  place(position: Vec3, facing: Vec3): void {
    this.focusOn = position;
    this.ahead = tangent(facing, normalize(position));
    this.boomM = this.wantedDistanceM;
  }

  /** Keeps up with the person, carrying the heading along. */
  follow(position: Vec3): void {
    this.ahead = transport(this.ahead, normalize(this.focusOn), normalize(position));
    this.focusOn = position;
  }

  /** Turns to the right by `dxRad` and up by `dyRad`. */
  look(dxRad: number, dyRad: number): void {
    const up = normalize(this.focusOn);
    this.ahead = tangent(rotate(this.ahead, up, -dxRad), up);
    this.pitchRad = Math.max(PITCH_MIN_RAD, Math.min(PITCH_MAX_RAD, this.pitchRad + dyRad));
  }

  /** Goes nearer (below 1) or farther; returns false where farther would be the globe's. */
  zoom(factor: number): boolean {
    const next = this.wantedDistanceM * factor;
    this.wantedDistanceM = Math.max(DISTANCE_MIN_M, Math.min(DISTANCE_MAX_M, next));
    return next <= DISTANCE_MAX_M;
  }

  /** Where the eye is now; `dtS` is the time since the last call, for the boom's way back out. */
  pose(ground: GroundM, radiusM: number, dtS: number): Pose {
    const up = normalize(this.focusOn);
    const forward = normalize(
      add(scale(this.ahead, Math.cos(this.pitchRad)), scale(up, Math.sin(this.pitchRad))),
    );
    const focus = addScaled(this.focusOn, up, FOCUS_HEIGHT_M);
    const free = this.freeDistanceM(focus, forward, ground, radiusM);
    // In at once, so that no hill is ever entered; out gently, so that a passing bump does not jerk.
    this.boomM = free < this.boomM ? free : this.boomM + (free - this.boomM) * (1 - Math.exp(-4 * dtS));
    let eye = addScaled(focus, forward, -this.boomM);
    const clearM = length(eye) - radiusM - Math.max(0, ground(eye));
    if (clearM < CLEARANCE_M) eye = addScaled(eye, normalize(eye), CLEARANCE_M - clearM);
    return { eye, forward, up: normalize(cross(cross(forward, up), forward)) };
  }

  /** How far the boom reaches before it meets the ground. */
  private freeDistanceM(focus: Vec3, forward: Vec3, ground: GroundM, radiusM: number): number {
    let free = Math.min(0.6, this.wantedDistanceM);
    for (let step = 1; step <= BOOM_STEPS; step += 1) {
      const share = step / BOOM_STEPS;
      const along = this.wantedDistanceM * share;
      const at = addScaled(focus, forward, -along);
      // Far from the person the boom may pass over a crest closely; lifting the eye covers the rest.
      if (length(at) - radiusM - Math.max(0, ground(at)) < CLEARANCE_M * 0.6) return Math.max(free, 0.6);
      free = along;
    }
    return free;
  }
}

const ALTITUDE_MAX_SHARE = 3.2;
const ALTITUDE_MIN_SHARE = 0.12;

/** Looks at the whole planet, north up at first; drag turns it. */
export class GlobeRig {
  private facing: Vec3 = [1, 0, 0];
  private screenUp: Vec3 = [0, 0, 1];
  private altitudeShare = 1.55;

  constructor(private readonly radiusM: number) {}

  /** Turns the globe so that `place` is a little below the middle. */
  center(place: Vec3): void {
    const up = normalize(place);
    const north = tangent([0, 0, 1], up);
    this.facing = normalize(addScaled(up, north, 0.18));
    this.screenUp = tangent([0, 0, 1], this.facing);
    this.altitudeShare = 1.55;
  }

  look(dxRad: number, dyRad: number): void {
    const gain = Math.min(1, this.altitudeShare);
    const right = cross(this.screenUp, this.facing);
    const turned = rotate(rotate(this.facing, this.screenUp, -dxRad * gain), right, -dyRad * gain);
    this.screenUp = transport(this.screenUp, this.facing, turned);
    this.facing = normalize(turned);
  }

  /** Returns false where nearer would be the ground's. */
  zoom(factor: number): boolean {
    const next = this.altitudeShare * factor;
    this.altitudeShare = Math.max(ALTITUDE_MIN_SHARE, Math.min(ALTITUDE_MAX_SHARE, next));
    return next >= ALTITUDE_MIN_SHARE;
  }

  pose(): Pose {
    return {
      eye: scale(this.facing, this.radiusM * (1 + this.altitudeShare)),
      forward: scale(this.facing, -1),
      up: this.screenUp,
    };
  }
}

/**
 * A pose on the way from `a` (share 0) to `b` (share 1): the height by factors, as both a step and an orbit are
 * "a bit" in their own world; the place along a great circle; the look by the shortest turn.
 */
export function mixPoses(a: Pose, b: Pose, share: number, radiusM: number): Pose {
  if (share <= 0) return a;
  if (share >= 1) return b;
  const altitude = (pose: Pose) => Math.max(1, length(pose.eye) - radiusM);
  const heightM = Math.exp(Math.log(altitude(a)) * (1 - share) + Math.log(altitude(b)) * share);
  // Sideways in step with the height, or the flight would cross half a continent at the height of a house.
  const sideways = (heightM - altitude(a)) / (altitude(b) - altitude(a));
  const place = slerp(normalize(a.eye), normalize(b.eye), sideways);
  const turn = share * share * (3 - 2 * share);
  const forward = slerp(a.forward, b.forward, turn);
  const up = tangent(slerp(a.up, b.up, turn), forward);
  return { eye: scale(place, radiusM + heightM), forward, up };
}

/** Where the line of sight meets ground or water, stepping outwards; undefined in the sky. */
export function gazePoint(pose: Pose, ground: GroundM, radiusM: number, reachM: number): Vec3 | undefined {
  const above = (along: number) => {
    const at = addScaled(pose.eye, pose.forward, along);
    return length(at) - radiusM - Math.max(0, ground(at));
  };
  let free = 0;
  let along = 0;
  while (along < reachM) {
    along += Math.max(0.8, above(along) * 0.6);
    if (above(along) < 0) {
      let hit = along;
      for (let round = 0; round < 12; round += 1) {
        const middle = (free + hit) / 2;
        if (above(middle) < 0) hit = middle;
        else free = middle;
      }
      return addScaled(pose.eye, pose.forward, hit);
    }
    free = along;
  }
  return undefined;
}

/** Whether ground lies between the eye and a point. */
export function isHidden(eye: Vec3, point: Vec3, ground: GroundM, radiusM: number): boolean {
  const reach = distance(eye, point);
  if (reach < 8) return false;
  const forward = scale([point[0] - eye[0], point[1] - eye[1], point[2] - eye[2]], 1 / reach);
  // The round of the globe first: it needs no heights.
  const nearest = -dot(eye, forward);
  if (nearest > 0 && nearest < reach && length(addScaled(eye, forward, nearest)) < radiusM - 20) return true;
  const samples = Math.min(8, 2 + Math.floor(reach / 20));
  for (let index = 1; index < samples; index += 1) {
    const at = addScaled(eye, forward, (reach * index) / samples);
    const height = length(at) - radiusM;
    if (height < 3000 && height < ground(at) - 0.4) return true;
  }
  return false;
}

/** A frame for a pose whose forward is vertical, or any other: right, up, back as columns of a rotation. */
export function basisOf(pose: Pose): { readonly right: Vec3; readonly up: Vec3; readonly back: Vec3 } {
  const back = scale(pose.forward, -1);
  const side = cross(pose.up, back);
  const right = length(side) > 1e-9 ? normalize(side) : anyTangent(back);
  return { right, up: cross(back, right), back };
}
