import { describe, expect, it } from "vitest";
import { dot, length, type Vec3 } from "../geo/vec3.ts";
import { poseAt } from "./camera_place.ts";

const RADIUS_M = 1000;
const hill = () => 30;

describe("a camera without a body", () => {
  it("stands over the ground and looks where it is told", () => {
    const at = { latitude_deg: 0, longitude_deg: 90 };
    const east = poseAt({ at, heightM: 20, headingDeg: 90, pitchDeg: 0 }, hill, RADIUS_M);
    expect(length(east.eye)).toBeCloseTo(1050);
    expect(east.forward[0]).toBeCloseTo(-1);
    expect(east.up[1]).toBeCloseTo(1);
    const north = poseAt({ at, heightM: 20, headingDeg: 0, pitchDeg: -30 }, hill, RADIUS_M);
    expect(north.forward[2]).toBeCloseTo(Math.cos(Math.PI / 6));
    expect(north.forward[1]).toBeCloseTo(-0.5);
  });

  it("looks straight down with the heading up on the screen, at the poles too", () => {
    for (const latitude_deg of [-90, 0, 90]) {
      const at = { latitude_deg, longitude_deg: 0 };
      const { eye, forward, up } = poseAt({ at, heightM: 1, headingDeg: 40, pitchDeg: -90 }, hill, RADIUS_M);
      const straight: Vec3 = [-eye[0] / length(eye), -eye[1] / length(eye), -eye[2] / length(eye)];
      expect(dot(forward, straight)).toBeCloseTo(1);
      expect(dot(forward, up)).toBeCloseTo(0);
      expect(length(up)).toBeCloseTo(1);
    }
  });
});
