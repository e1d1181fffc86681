import { expect, test } from "vitest";
import { ServerTime } from "./server_time.ts";

/** A server whose clock is ahead by `aheadMs`, asked at local times with 20 ms there and 20 ms back. */
function ask(time: ServerTime, aheadMs: number, atMs: number): void {
  const answeredMs = atMs + 20 + aheadMs;
  const date = new Date(Math.floor(answeredMs / 1_000) * 1_000).toUTCString();
  time.observe(atMs, atMs + 40, date);
}

test("a few answers find the server's time to a few hundredths of a second", () => {
  const time = new ServerTime();
  expect(time.at(5)).toBe(5);
  for (let index = 0; index < 25; index += 1) ask(time, 3_456, 1_000_000 + index * 1_037);
  expect(Math.abs(time.at(2_000_000) - 2_003_456)).toBeLessThan(60);
});

test("a clock that is set is followed", () => {
  const time = new ServerTime();
  for (let index = 0; index < 10; index += 1) ask(time, 0, 1_000_000 + index * 1_037);
  for (let index = 0; index < 30; index += 1) ask(time, -3_600_000, 1_100_000 + index * 1_037);
  expect(Math.abs(time.at(2_000_000) - (2_000_000 - 3_600_000))).toBeLessThan(150);
});

test("an answer without a date says nothing", () => {
  const time = new ServerTime();
  time.observe(0, 10, null);
  time.observe(0, 10, "yesterday");
  expect(time.at(7)).toBe(7);
});
