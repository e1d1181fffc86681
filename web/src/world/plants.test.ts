import { describe, expect, it } from "vitest";
import { addScaled, normalize, scale, type Vec3 } from "../geo/vec3.ts";
import { cellAt, cellKey } from "./cells.ts";
import { cellsAround } from "./plants.ts";

const RADIUS_M = 796_375;

describe("patches around the player", () => {
  for (const [name, center] of [
    ["on a face", [1, 0.2, 0.3]],
    ["at a pole", [0, 0, 1]],
    ["at a corner of the cube", [1, 1, 1]],
  ] as const satisfies readonly (readonly [string, Vec3])[]) {
    it(`leave no gap ${name}`, () => {
      const at = scale(normalize(center), RADIUS_M);
      const keys = new Set(cellsAround(at, 200, 14, RADIUS_M).map(cellKey));
      for (let index = 0; index < 2000; index += 1) {
        const reach = 200 * Math.sqrt(index / 2000);
        const side: Vec3 = [Math.sin(index * 2.4), Math.cos(index * 2.4), Math.sin(index * 1.7)];
        const up = normalize(center);
        const flat = normalize(addScaled(side, up, -(side[0] * up[0] + side[1] * up[1] + side[2] * up[2])));
        expect(keys.has(cellKey(cellAt(addScaled(at, flat, reach), 14)))).toBe(true);
      }
    });
  }
});
