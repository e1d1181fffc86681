import { describe, expect, it } from "vitest";
import { cross, distance, dot, length, normalize, scale, type Vec3 } from "../geo/vec3.ts";
import { basisOf, GlobeRig, GroundRig, gazePoint, isHidden, mixPoses } from "./rig.ts";

const RADIUS_M = 796_375;
const flat = () => 0;
const up = (p: Vec3) => normalize(p);

describe("the camera on the ground", () => {
  it("keeps a straight heading over the pole", () => {
    // Walk along a meridian, over the pole and down the other side: always straight ahead.
    const at = (angle: number): Vec3 => [RADIUS_M * Math.cos(angle), 0, RADIUS_M * Math.sin(angle)];
    const rig = new GroundRig(at(1.5), [-Math.sin(1.5), 0, Math.cos(1.5)]);
    for (let angle = 1.5; angle < 1.65; angle += 1e-4) {
      rig.follow(at(angle));
      expect(dot(rig.heading, [-Math.sin(angle), 0, Math.cos(angle)])).toBeGreaterThan(1 - 1e-9);
      expect(Math.abs(dot(rig.heading, up(rig.position)))).toBeLessThan(1e-9);
    }
  });

  it("turns right for a positive angle, and all the way round", () => {
    const rig = new GroundRig([RADIUS_M, 0, 0], [0, 0, 1]);
    rig.look(Math.PI / 2, 0);
    // Facing north on the prime meridian, right is east.
    expect(dot(rig.heading, [0, 1, 0])).toBeCloseTo(1, 12);
    for (let turn = 0; turn < 3; turn += 1) rig.look(Math.PI / 2, 0);
    expect(dot(rig.heading, [0, 0, 1])).toBeCloseTo(1, 12);
  });

  it("never goes below the ground, wherever it looks", () => {
    // Hills with slopes of 45°, all around.
    const hills = (p: Vec3) => 12 * Math.sin(p[1] / 12) * Math.cos(p[2] / 12);
    const rig = new GroundRig([RADIUS_M + hills([RADIUS_M, 0, 0]), 0, 0], [0, 0, 1]);
    for (let turn = 0; turn < 60; turn += 1) {
      for (const tilt of [-2, 0.3, 0.5, 2]) {
        rig.look(0.1, tilt);
        rig.zoom(turn % 2 ? 1.4 : 0.75);
        const { eye } = rig.pose(hills, RADIUS_M, 0.016);
        expect(length(eye) - RADIUS_M - Math.max(0, hills(eye))).toBeGreaterThan(0.3);
      }
    }
  });

  it("looks at the person, upright", () => {
    const rig = new GroundRig([0, 0, -RADIUS_M], [1, 0, 0]);
    const pose = rig.pose(flat, RADIUS_M, 1);
    const { right, up: screenUp, back } = basisOf(pose);
    expect(dot(cross(right, screenUp), back)).toBeCloseTo(1, 12);
    expect(Math.abs(dot(right, up(pose.eye)))).toBeLessThan(1e-4);
    expect(distance(pose.eye, rig.position)).toBeLessThan(10);
  });

  it("hands over to the globe beyond its farthest", () => {
    const rig = new GroundRig([RADIUS_M, 0, 0], [0, 0, 1]);
    expect(rig.zoom(2)).toBe(true);
    expect(rig.zoom(1000)).toBe(false);
    expect(new GlobeRig(RADIUS_M).zoom(0.001)).toBe(false);
  });
});

describe("the camera at the globe", () => {
  it("turns over the poles without a twist", () => {
    const rig = new GlobeRig(RADIUS_M);
    rig.center([RADIUS_M, 0, 0]);
    for (let step = 0; step < 300; step += 1) {
      rig.look(0, 0.03);
      const pose = rig.pose();
      expect(Math.abs(dot(pose.forward, pose.up))).toBeLessThan(1e-9);
      // It was set over the prime meridian and never leaves that great circle.
      expect(Math.abs(pose.eye[1])).toBeLessThan(1e-3);
    }
  });
});

describe("the flight", () => {
  it("leads from one pose to the other without a jump and never dives under the sea", () => {
    const ground = new GroundRig([RADIUS_M, 0, 0], [0, 0, 1]).pose(flat, RADIUS_M, 1);
    const globe = new GlobeRig(RADIUS_M);
    globe.center([0, RADIUS_M, 0.1 * RADIUS_M]);
    const far = globe.pose();
    expect(mixPoses(ground, far, 0, RADIUS_M)).toBe(ground);
    expect(mixPoses(ground, far, 1, RADIUS_M)).toBe(far);
    let last = ground;
    for (let share = 0; share <= 1; share += 0.001) {
      const pose = mixPoses(ground, far, share, RADIUS_M);
      const height = length(pose.eye) - RADIUS_M;
      expect(height).toBeGreaterThan(1);
      expect(distance(pose.eye, last.eye)).toBeLessThan(Math.max(0.5, height * 0.1));
      expect(Math.abs(dot(pose.forward, pose.up))).toBeLessThan(1e-6);
      last = pose;
    }
  });
});

describe("the line of sight", () => {
  const eye: Vec3 = [RADIUS_M + 10, 0, 0];
  it("meets the ground where it should", () => {
    const forward = normalize([-1, 0, 1]);
    const point = gazePoint({ eye, forward, up: [1, 0, 1] }, flat, RADIUS_M, 100);
    expect(point && length(point)).toBeCloseTo(RADIUS_M, 1);
    expect(point?.[2]).toBeCloseTo(10, 1);
  });

  it("meets nothing in the sky", () => {
    expect(gazePoint({ eye, forward: [1, 0, 0], up: [0, 0, 1] }, flat, RADIUS_M, 100)).toBeUndefined();
  });

  it("is broken by a hill and by the globe, not by a meadow", () => {
    const there: Vec3 = [RADIUS_M + 2, 0, 100];
    const hill = (p: Vec3) => (Math.abs(p[2] - 50) < 20 ? 30 : 0);
    expect(isHidden(eye, there, flat, RADIUS_M)).toBe(false);
    expect(isHidden(eye, there, hill, RADIUS_M)).toBe(true);
    expect(isHidden(scale([1, 0, 0], RADIUS_M * 2), [-RADIUS_M, 0, 0], flat, RADIUS_M)).toBe(true);
  });
});
