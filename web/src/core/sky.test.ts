import { beforeAll, describe, expect, it } from "vitest";
import { dot, length, type Vec3 } from "../geo/vec3.ts";
import { coreForTest } from "./core_test_support.ts";
import { Planet } from "./planet.ts";
import { MAP_SIDE, PlanetSky } from "./sky.ts";

let sky: PlanetSky;
beforeAll(async () => {
  const core = await coreForTest();
  sky = new PlanetSky(core, Planet.forTest(core, 7n, 3));
});
const PLACES: readonly Vec3[] = [
  [1, 0, 0],
  [0, 0, 1],
  [0.3, -0.5, 0.6],
  [-0.2, 0.9, -0.4],
];

describe("the planet's sky", () => {
  it("has the sun over longitude 0 at the beginning of time, and a full moon opposite", () => {
    const { sun, moon } = sky.heavenAt(0);
    expect(sun[0]).toBeCloseTo(1);
    expect(dot(sun, moon)).toBeCloseTo(-1);
    expect(sky.heavenAt(0.25).sun[1]).toBeCloseTo(-1, 2);
  });

  it("lacks nothing on a whole planet", () => {
    expect(sky.missing()).toEqual([]);
  });

  it("tells a weather that can be, everywhere", () => {
    for (const place of PLACES) {
      for (let days = 0; days < 30; days += 1.7) {
        const weather = sky.weatherAt(place, 120, days);
        const { cloudCover, precipitation, snowShare, fog, wetness, snowLying } = weather;
        for (const share of [cloudCover, precipitation, snowShare, fog, wetness, snowLying]) {
          expect(share).toBeGreaterThanOrEqual(0);
          expect(share).toBeLessThanOrEqual(1);
        }
        expect(weather.temperatureC).toBeGreaterThan(-80);
        expect(weather.temperatureC).toBeLessThan(60);
        expect(length(weather.windMps)).toBeLessThan(30);
        // Higher up it is colder.
        expect(sky.weatherAt(place, 1500, days).temperatureC).toBeLessThan(weather.temperatureC);
      }
    }
  });

  it("draws six pictures of the planet, which change with time", () => {
    const faces = [0, 1, 2, 3, 4, 5].map((face) => sky.map(face, 3.5));
    for (const face of faces) expect(face.length).toBe(2 * MAP_SIDE * MAP_SIDE);
    expect(sky.map(2, 3.5)).toEqual(faces[2]);
    expect(sky.map(2, 3.8)).not.toEqual(faces[2]);
    expect(() => sky.map(6, 0)).toThrow(RangeError);
  });
});
