import { describe, expect, it } from "vitest";
import { normalize, type Vec3 } from "../geo/vec3.ts";
import { airOf, sunThroughAir, throughAir } from "./atmosphere.ts";

const air = airOf(796_375);
const ground: Vec3 = [0, 0, air.radiusKm + 0.002];
const sunAt = (heightDeg: number): Vec3 => {
  const height = (heightDeg * Math.PI) / 180;
  return [Math.cos(height), 0, Math.sin(height)];
};
const sum = (c: Vec3) => c[0] + c[1] + c[2];

describe("the air", () => {
  it("makes a high sky blue and a setting sun red", () => {
    const zenith = throughAir(air, ground, [0, 0, 1], 1e6, sunAt(50));
    expect(zenith[2]).toBeGreaterThan(zenith[0] * 1.5);
    const sunset = sunThroughAir(air, ground, sunAt(1));
    expect(sunset[0]).toBeGreaterThan(sunset[2] * 2);
    expect(sum(sunThroughAir(air, ground, sunAt(60)))).toBeGreaterThan(2);
  });

  it("is dark at night and absent in space", () => {
    expect(sum(throughAir(air, ground, [0, 0, 1], 1e6, sunAt(-40)))).toBeLessThan(1e-3);
    const space: Vec3 = [0, 0, air.radiusKm * 3];
    expect(throughAir(air, space, [0, 0, 1], 1e6, sunAt(50))).toEqual([0, 0, 0]);
    // A ray that passes the limb far outside meets none either.
    expect(throughAir(air, space, normalize([1, 0, -0.5]), 1e6, sunAt(50))).toEqual([0, 0, 0]);
  });

  it("thickens with distance, without end and without a jump", () => {
    const along = normalize([0, 1, 0.01]);
    let last = 0;
    for (let km = 0.01; km < 200; km *= 1.3) {
      const light = sum(throughAir(air, ground, along, km, sunAt(40)));
      expect(light).toBeGreaterThanOrEqual(last * 0.999);
      expect(Number.isFinite(light)).toBe(true);
      last = light;
    }
  });
});
