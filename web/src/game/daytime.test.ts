import { expect, test } from "vitest";
import { dot, type Vec3 } from "../geo/vec3.ts";
import { type DaytimeQuestion, heavenShown, parseFixedTime } from "./daytime.ts";

const eye: Vec3 = [0, 1, 0];
const asked: DaytimeQuestion = {
  eye,
  planetHeaven: () => ({ sun: [0, 1, 0], moon: [0, -1, 0] }),
  daylight: "planet",
  fixedShare: undefined,
};
const height = (question: Partial<DaytimeQuestion>) => dot(eye, heavenShown({ ...asked, ...question }).sun);

test("an address may fix the time, and only with a share of a day", () => {
  expect(parseFixedTime("?time=0.25")).toBe(0.25);
  expect(parseFixedTime("?a=b&time=1")).toBe(1);
  for (const search of ["", "?time=", "?time= ", "?time=-0.1", "?time=1.5", "?time=noon", "?time=NaN"]) {
    expect(parseFixedTime(search), search).toBeUndefined();
  }
});

test("the planet's time is shown, unless an everlasting day is wanted; a fixed time beats both", () => {
  expect(height({})).toBe(1);
  expect(height({ planetHeaven: () => ({ sun: [0, -1, 0], moon: [0, 1, 0] }) })).toBe(-1);
  expect(height({ daylight: "day" })).toBeCloseTo(Math.sin((40 * Math.PI) / 180));
  expect(height({ daylight: "day", fixedShare: 0 })).toBeLessThan(-0.8);
});
