import { describe, expect, it } from "vitest";
import { latLngToUnit } from "../geo/lat_lng.ts";
import { dot, length, type Vec3 } from "../geo/vec3.ts";
import { eternalMorning, heavenAtLocalTime, moonPhase } from "./daylight.ts";

describe("a fixed local time", () => {
  const places: readonly Vec3[] = [
    latLngToUnit({ latitude_deg: 0, longitude_deg: 0 }),
    latLngToUnit({ latitude_deg: 47, longitude_deg: -120 }),
    latLngToUnit({ latitude_deg: -89.99, longitude_deg: 10 }),
    [0, 0, 1],
  ];
  const height = (at: Vec3, share: number) => dot(at, heavenAtLocalTime(at, share).sun);

  it("has the sun on the horizon at a quarter and three quarters, high at noon, deep at midnight", () => {
    for (const at of places) {
      expect(height(at, 0.25)).toBeCloseTo(0);
      expect(height(at, 0.75)).toBeCloseTo(0);
      expect(height(at, 0.5)).toBeCloseTo(Math.cos(Math.PI / 6));
      expect(height(at, 0)).toBeLessThan(-0.8);
      expect(dot(at, heavenAtLocalTime(at, 0).moon)).toBeGreaterThan(0.7);
    }
  });

  it("rises in the east", () => {
    const at: Vec3 = [1, 0, 0];
    expect(heavenAtLocalTime(at, 0.26).sun[1]).toBeGreaterThan(0.9);
    expect(heavenAtLocalTime(at, 0.74).sun[1]).toBeLessThan(-0.9);
  });

  it("and the everlasting morning are unit vectors everywhere", () => {
    for (const at of places) {
      for (const { sun, moon } of [heavenAtLocalTime(at, 0.3), eternalMorning(at)]) {
        expect(length(sun)).toBeCloseTo(1);
        expect(length(moon)).toBeCloseTo(1);
      }
    }
  });
});

it("the moon is full opposite the sun and new beside it", () => {
  expect(moonPhase({ sun: [1, 0, 0], moon: [-1, 0, 0] })).toBe(1);
  expect(moonPhase({ sun: [1, 0, 0], moon: [1, 0, 0] })).toBe(0);
  expect(moonPhase({ sun: [1, 0, 0], moon: [0, 1, 0] })).toBe(0.5);
});
