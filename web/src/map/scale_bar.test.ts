import { expect, test } from "vitest";
import { formatDistance } from "../net/domain.ts";
import { forgetPreferences, keepPreferences } from "../net/preferences.ts";
import { metresPerPixel, roundLength, roundLengthM } from "./scale_bar.ts";

test("lengths are round and not longer than asked for", () => {
  expect([1, 1.9, 2, 4.9, 7, 99, 100, 123_456].map(roundLength)).toEqual([1, 1, 2, 2, 5, 50, 100, 100_000]);
});

test("in feet and miles they are round as well", () => {
  const read = (metres: number) => {
    const lengthM = roundLengthM(metres, "imperial");
    keepPreferences({ units: "imperial", reduces_motion: false });
    return formatDistance(lengthM);
  };
  expect([3, 100, 160, 900, 5_000, 90_000].map(read)).toEqual([
    "5 ft",
    "200 ft",
    "500 ft",
    "0.5 mi",
    "2.0 mi",
    "50.0 mi",
  ]);
  forgetPreferences();
  expect(roundLengthM(123, "metric")).toBe(100);
});

test("the world is as wide as the planet's equator, and half of it at 60 degrees", () => {
  const equatorM = 2 * Math.PI * 796_375;
  expect(metresPerPixel(796_375, 0, 0) * 512).toBeCloseTo(equatorM, 3);
  expect(metresPerPixel(796_375, 3, 60) * 512 * 8 * 2).toBeCloseTo(equatorM, 3);
});
