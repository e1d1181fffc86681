import { describe, expect, it } from "vitest";
import { latLngOf, latLngToUnit } from "../geo/lat_lng.ts";
import { dot, length, type Vec3 } from "../geo/vec3.ts";
import { eternalMorning, heavenAt, heavenAtLocalTime, moonPhase } from "./daylight.ts";

const DAY_S = 5400;
const over = (v: Vec3) => latLngOf(v);

describe("planet time", () => {
  it("puts the sun over longitude 0 at the beginning of time and lets it go west", () => {
    expect(over(heavenAt(0, DAY_S).sun).longitude_deg).toBeCloseTo(0);
    expect(over(heavenAt(DAY_S / 4, DAY_S).sun).longitude_deg).toBeCloseTo(-90);
    expect(over(heavenAt(DAY_S * 7 + DAY_S / 8, DAY_S).sun).longitude_deg).toBeCloseTo(-45);
  });

  it("brings the sun 18° north a quarter of a year of sixty days on, and back south", () => {
    expect(over(heavenAt(15 * DAY_S, DAY_S).sun).latitude_deg).toBeCloseTo(18);
    expect(over(heavenAt(30 * DAY_S, DAY_S).sun).latitude_deg).toBeCloseTo(0);
    expect(over(heavenAt(45 * DAY_S, DAY_S).sun).latitude_deg).toBeCloseTo(-18);
  });

  it("is as smooth today as at the beginning of time", () => {
    const now = 1.79e9;
    const step = dot(heavenAt(now, DAY_S).sun, heavenAt(now + 1, DAY_S).sun);
    expect(Math.acos(step)).toBeCloseTo((2 * Math.PI) / DAY_S, 4);
  });

  it("has a full moon, a new moon and a full moon again within a month", () => {
    const phase = (day: number) => moonPhase(heavenAt(day * DAY_S, DAY_S));
    expect(phase(0)).toBeGreaterThan(0.98);
    expect(phase(4)).toBeLessThan(0.05);
    expect(phase(8)).toBeGreaterThan(0.95);
  });
});

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
