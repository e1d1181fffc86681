import { expect, test } from "vitest";
import { metresPerPixel, roundLength } from "./scale_bar.ts";

test("lengths are round and not longer than asked for", () => {
  expect([1, 1.9, 2, 4.9, 7, 99, 100, 123_456].map(roundLength)).toEqual([1, 1, 2, 2, 5, 50, 100, 100_000]);
});

test("the world is as wide as the planet's equator, and half of it at 60 degrees", () => {
  const equatorM = 2 * Math.PI * 796_375;
  expect(metresPerPixel(796_375, 0, 0) * 512).toBeCloseTo(equatorM, 3);
  expect(metresPerPixel(796_375, 3, 60) * 512 * 8 * 2).toBeCloseTo(equatorM, 3);
});
