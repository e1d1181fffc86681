import { describe, expect, it } from "vitest";
import { distance, normalize, type Vec3 } from "../geo/vec3.ts";
import {
  cellAt,
  cellKey,
  cellOf,
  directionAt,
  directionIn,
  parseToken,
  shareOn,
  stToUv,
  tokenOf,
  uvToSt,
} from "./cells.ts";

/** Even over the sphere, the same every time. */
function* directions(count: number): Generator<Vec3> {
  for (let index = 0; index < count; index += 1) {
    const z = 1 - (2 * (index + 0.5)) / count;
    const ring = Math.sqrt(1 - z * z);
    yield [ring * Math.cos(index * 2.399963), ring * Math.sin(index * 2.399963), z];
  }
}

describe("cells", () => {
  it("are named as s2geometry names them", () => {
    // From the published tests of S2: face cells, and the leaf at 0°, 0°.
    expect(tokenOf({ face: 0, level: 0, i: 0, j: 0 })).toBe("1");
    expect(tokenOf({ face: 5, level: 0, i: 0, j: 0 })).toBe("b");
    expect(tokenOf(cellAt([1, 0, 0], 30))).toBe("1000000000000001");
  });

  it("come back from their tokens and keys at every level", () => {
    for (const direction of directions(60)) {
      for (let level = 0; level <= 22; level += 1) {
        const cell = cellAt(direction, level);
        expect(parseToken(tokenOf(cell))).toEqual(cell);
        expect(cellOf(cellKey(cell))).toEqual(cell);
      }
    }
  });

  it("hold the direction they were found by", () => {
    for (const direction of directions(500)) {
      const cell = cellAt(direction, 14);
      const reach = distance(directionIn(cell, 0, 0), directionIn(cell, 1, 1));
      expect(distance(directionIn(cell, 0.5, 0.5), direction)).toBeLessThan(reach);
      const [s, t] = shareOn(cell.face, direction) ?? [];
      expect(distance(directionAt(cell.face, s ?? 0, t ?? 0), direction)).toBeLessThan(1e-12);
    }
  });

  it("meet at the edges of the cube", () => {
    // Face 0 ends where face 1 begins; over the pole, face 2 meets face 3.
    for (const t of [0, 0.3, 1]) {
      expect(distance(directionAt(0, 1, t), directionAt(1, 0, t))).toBeLessThan(1e-12);
      expect(distance(directionAt(2, t, 0), directionAt(1, t, 1))).toBeLessThan(1e-12);
    }
  });

  it("refuse what is no token", () => {
    for (const text of ["", "0", "X", "G1", "11111111111111111", "d", "ffff"])
      expect(parseToken(text)).toBeUndefined();
  });

  it("project and unproject", () => {
    for (let s = 0; s <= 1; s += 1 / 64) expect(uvToSt(stToUv(s))).toBeCloseTo(s, 14);
    expect(normalize(directionAt(4, 0.5, 0.5))[1]).toBe(-1);
  });
});
