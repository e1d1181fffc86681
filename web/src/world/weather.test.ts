import { describe, expect, it } from "vitest";
import type { Vec3 } from "../geo/vec3.ts";
import { gloomOf, veilOf, type Weather } from "./weather.ts";

const calm: Weather = {
  cloudCover: 0.3,
  precipitation: 0,
  snowShare: 0,
  temperatureC: 15,
  fog: 0,
  windMps: [0, 0, 0],
  wetness: 0,
  snowLying: 0,
};
const noon = (row: number): Vec3 => (row === 0 ? [2.6, 2.5, 2.2] : [0.6, 0.8, 1.2]);

describe("gloom", () => {
  it("leaves the sun alone between single clouds and takes nearly all of it when the sky closes", () => {
    expect(gloomOf(calm, 1)).toEqual({ direct: 0, grey: 0 });
    const closed = gloomOf({ ...calm, cloudCover: 1 }, 1);
    expect(closed.direct).toBeGreaterThan(0.9);
    expect(closed.direct).toBeLessThan(1);
    expect(closed.grey).toBe(1);
  });

  it("grows with the cover, and from space there is none", () => {
    const covers = [0.5, 0.6, 0.7, 0.8, 0.9, 1].map(
      (cloudCover) => gloomOf({ ...calm, cloudCover }, 1).direct,
    );
    expect(covers).toEqual(covers.toSorted((a, b) => a - b));
    expect(gloomOf({ ...calm, cloudCover: 1 }, 0)).toEqual({ direct: 0, grey: 0 });
  });
});

describe("the veil", () => {
  it("is not there on a fair day", () => {
    expect(veilOf(calm, 1, 0.7, noon).perKm).toBe(0);
  });

  it("of fog hides the next hill, that of rain only the horizon, that of snow more", () => {
    const fog = veilOf({ ...calm, fog: 0.7 }, 1, 0.7, noon);
    const rain = veilOf({ ...calm, precipitation: 0.5 }, 1, 0.7, noon);
    const snow = veilOf({ ...calm, precipitation: 0.5, snowShare: 1 }, 1, 0.7, noon);
    expect(Math.exp(-fog.perKm * 0.2)).toBeLessThan(0.1);
    expect(Math.exp(-rain.perKm)).toBeGreaterThan(0.5);
    expect(snow.perKm).toBeGreaterThan(rain.perKm * 2);
    // Fog lies on the ground, rain reaches up to the clouds.
    expect(fog.heightKm).toBeLessThan(0.15);
    expect(rain.heightKm).toBeGreaterThan(0.8);
  });

  it("glows less by night", () => {
    const by = (height: number) => veilOf({ ...calm, fog: 1 }, 1, height, noon).light[1];
    expect(by(-0.5)).toBeLessThan(by(0.5) * 0.5);
  });

  it("has the colour of the sky without its blue, and rain is darker than fog", () => {
    const [red, , blue] = veilOf({ ...calm, fog: 1 }, 1, 0.7, noon).light;
    expect(blue / red).toBeLessThan(1.5);
    const rain = veilOf({ ...calm, precipitation: 1 }, 1, 0.7, noon).light;
    expect(rain[1]).toBeLessThan(veilOf({ ...calm, fog: 1 }, 1, 0.7, noon).light[1]);
  });
});
