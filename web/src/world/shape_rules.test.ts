import { expect, test } from "vitest";
import { tokenOf } from "./cells.ts";
import { areNeighbours, isConnected, sidesOf } from "./shape_rules.ts";

const LEVEL = 15;
const SIDE = 2 ** LEVEL;
const lot = (i: number, j: number, face = 0) => tokenOf({ face, level: LEVEL, i, j });

test("a lot touches four others by its sides, also over the seam of two faces", () => {
  expect(new Set(sidesOf(lot(5_000, 5_000)))).toEqual(
    new Set([lot(4_999, 5_000), lot(5_001, 5_000), lot(5_000, 4_999), lot(5_000, 5_001)]),
  );
  const atSeam = sidesOf(lot(SIDE - 1, 5_000));
  expect(atSeam).toContain(lot(SIDE - 2, 5_000));
  for (const other of atSeam) expect(sidesOf(other)).toContain(lot(SIDE - 1, 5_000));
  expect(sidesOf("nothing")).toEqual([]);
});

test("touching at a corner is not enough", () => {
  expect(isConnected([lot(1, 1), lot(2, 1), lot(2, 2)])).toBe(true);
  expect(isConnected([lot(1, 1), lot(2, 2)])).toBe(false);
  expect(isConnected([])).toBe(false);
  expect(areNeighbours([lot(1, 1)], [lot(9, 9), lot(1, 2)])).toBe(true);
  expect(areNeighbours([lot(1, 1)], [lot(2, 2)])).toBe(false);
});
