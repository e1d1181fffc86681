import { expect, test } from "vitest";
import { Speeds } from "./speeds.ts";

test("a body that walks evenly is soon known by its pace, and by none when it stops", () => {
  const speeds = new Speeds();
  let speed = speeds.of(1, [0, 0, 0], 16);
  expect(speed).toBe(0);
  for (let frame = 1; frame <= 60; frame += 1) speed = speeds.of(1, [frame * 0.05, 0, 0], 16.667);
  expect(speed).toBeCloseTo(3, 1);
  for (let frame = 0; frame < 60; frame += 1) speed = speeds.of(1, [3, 0, 0], 16.667);
  expect(speed).toBeLessThan(0.05);
});

test("one who comes back has no speed from before", () => {
  const speeds = new Speeds();
  speeds.of(1, [0, 0, 0], 16);
  speeds.keep([]);
  expect(speeds.of(1, [100, 0, 0], 16)).toBe(0);
});
