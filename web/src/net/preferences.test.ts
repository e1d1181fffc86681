import { afterEach, expect, test } from "vitest";
import { formatDistance, formatHeight } from "./domain.ts";
import { forgetPreferences, keepPreferences, parsePreferences, preferences } from "./preferences.ts";

afterEach(forgetPreferences);

test("what was kept comes back, what does not read is the default", () => {
  const imperial = { units: "imperial", reducesMotion: true };
  expect(parsePreferences(JSON.stringify(imperial))).toEqual(imperial);
  for (const text of [null, "", "{", "null", "7", '{"units":"cubits","reducesMotion":"yes"}']) {
    expect(parsePreferences(text), String(text)).toEqual({ units: "metric", reducesMotion: false });
  }
});

test("distances and heights are shown in the units of whoever reads them", () => {
  expect([formatDistance(7.4), formatDistance(1_234), formatHeight(210.4)]).toEqual([
    "7 m",
    "1.2 km",
    "210 m",
  ]);
  keepPreferences({ units: "imperial", reduces_motion: false });
  expect(preferences().units).toBe("imperial");
  expect([formatDistance(7.4), formatDistance(150), formatDistance(200), formatDistance(16_093)]).toEqual([
    "24 ft",
    "492 ft",
    "0.1 mi",
    "10.0 mi",
  ]);
  expect([formatHeight(210.4), formatHeight(-3), formatHeight(1_000)]).toEqual([
    "690 ft",
    "−10 ft",
    "3,281 ft",
  ]);
  forgetPreferences();
  expect(formatDistance(7.4)).toBe("7 m");
});
