import { expect, test } from "vitest";
import { Backoff } from "./backoff.ts";

test("waits double up to the bound and start over after success", () => {
  const backoff = new Backoff(500, 8_000, () => 1);
  const waits = () => Array.from({ length: 7 }, () => backoff.nextMs());
  expect(waits()).toEqual([500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  backoff.reset();
  expect(backoff.nextMs()).toBe(500);
});

test("jitter keeps every wait between half of the bound and the bound", () => {
  const backoff = new Backoff(500, 8_000, () => 0);
  expect(backoff.nextMs()).toBe(250);
  expect(backoff.nextMs()).toBe(500);
});
