import { expect, test } from "vitest";
import { outlineOf, ringsOf } from "./outline.ts";

const cell = (i: number, j: number) => ({ face: 0, level: 5, i, j });

test("one cell has four sides, two neighbours six", () => {
  expect(outlineOf([cell(3, 3)])).toHaveLength(4);
  expect(outlineOf([cell(3, 3), cell(4, 3)])).toHaveLength(6);
  expect(outlineOf([])).toEqual([]);
});

test("a hole has a ring of its own", () => {
  const ring = [0, 1, 2]
    .flatMap((i) => [0, 1, 2].map((j) => cell(i, j)))
    .filter(({ i, j }) => i !== 1 || j !== 1);
  const sides = outlineOf(ring);
  expect(sides).toHaveLength(16);
  const rings = ringsOf(sides);
  expect(rings.map((corners) => corners.length).sort((a, b) => a - b)).toEqual([5, 13]);
  for (const corners of rings) expect(corners[0]).toEqual(corners.at(-1));
});

test("every side is used once, also where two cells only touch at a corner", () => {
  const sides = outlineOf([cell(0, 0), cell(1, 1)]);
  const steps = ringsOf(sides).reduce((sum, corners) => sum + corners.length - 1, 0);
  expect(steps).toBe(sides.length);
});
