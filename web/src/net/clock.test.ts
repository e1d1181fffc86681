import { expect, test } from "vitest";
import { ServerClock } from "./clock.ts";

test("the quickest answer sets the clock, a slow one does not disturb it", () => {
  const clock = new ServerClock();
  expect(clock.at(0)).toBeUndefined();
  clock.observe(100, 120, 5_000); // the middle, 110, was 5000
  expect(clock.at(110)).toBe(5_000);
  clock.observe(200, 900, 5_100); // 700 ms on the way, most of them back
  expect(clock.at(110)).toBe(5_000);
  expect(clock.roundTripMs).toBe(700);
});

test("an old quick answer is forgotten after eight newer ones", () => {
  const clock = new ServerClock();
  clock.observe(0, 2, 1_000);
  for (let index = 1; index <= 8; index += 1)
    clock.observe(index * 100, index * 100 + 10, index * 100 + 5 + 2_000);
  expect(clock.at(0)).toBe(2_000);
});

test("an answer from before its question is ignored", () => {
  const clock = new ServerClock();
  clock.observe(100, 90, 1_000);
  clock.observe(100, 110, Number.NaN);
  expect(clock.at(0)).toBeUndefined();
});
