import { expect, test } from "vitest";
import { tokenOf } from "../world/cells.ts";
import { mercator, pictureOf } from "./picture.ts";

const LEVEL = 15;
const token = (i: number, j: number, face = 0) => tokenOf({ face, level: LEVEL, i, j });
const MIDDLE = 2 ** (LEVEL - 1);

test("the whole map is a square from 0 to 1", () => {
  expect(mercator(0, 0)).toEqual([0.5, 0.5]);
  expect(mercator(85.0511, -180)[0]).toBe(0);
  expect(mercator(85.0511, -180)[1]).toBeCloseTo(0, 5);
  expect(mercator(90, 0)[1]).toBeCloseTo(0, 5);
});

test("a lot lies in the middle of its picture, and tiles cover all of it", () => {
  const picture = pictureOf([token(MIDDLE + 700, MIDDLE + 900)], 320, 160);
  if (!picture) throw new Error("no picture");
  const [cell] = picture.cells;
  expect(cell?.center[0]).toBeCloseTo(160, 0);
  expect(cell?.center[1]).toBeCloseTo(80, 0);
  const covers = (x: number, y: number) =>
    picture.tiles.some(({ left, top, size }) => left <= x && x <= left + size && top <= y && y <= top + size);
  for (const [x, y] of [
    [0, 0],
    [319, 0],
    [0, 159],
    [319, 159],
  ] as const) {
    expect(covers(x, y)).toBe(true);
  }
  expect(picture.tiles.every(({ z }) => z <= 14)).toBe(true);
  expect(picture.outline.startsWith("M")).toBe(true);
});

test("land on both sides of the antimeridian stays in one piece", () => {
  // Face 3 has the antimeridian in its middle.
  const picture = pictureOf([token(700, MIDDLE - 1, 3), token(700, MIDDLE, 3)], 320, 160);
  const centers = picture?.cells.map(({ center }) => center[0]) ?? [];
  expect(Math.abs((centers[0] ?? 0) - (centers[1] ?? 0))).toBeLessThan(200);
  for (const { x, z } of picture?.tiles ?? []) expect(x).toBeLessThan(2 ** z);
});

test("what is no token is left out", () => {
  expect(pictureOf(["xyz"], 10, 10)).toBeUndefined();
  expect(pictureOf([], 10, 10)).toBeUndefined();
});
