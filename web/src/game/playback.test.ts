import { expect, test } from "vitest";
import { DELAY_MS, PlaybackClock } from "./playback.ts";

test("it stays behind by the delay however the arrivals jitter, and never goes back", () => {
  const clock = new PlaybackClock();
  let shown: number | undefined;
  let last = Number.NEGATIVE_INFINITY;
  for (let frame = 0; frame < 600; frame += 1) {
    const nowMs = 10_000 + frame * 16;
    if (frame % 6 === 0) clock.observe(frame * 16, nowMs + (frame % 5) * 8);
    shown = clock.at(nowMs);
    expect(shown).toBeGreaterThan(last);
    last = shown ?? last;
  }
  expect(shown).toBeCloseTo(599 * 16 - DELAY_MS, -1);
});

test("before the first frame there is no time, and a long gap is jumped", () => {
  const clock = new PlaybackClock();
  expect(clock.at(0)).toBeUndefined();
  clock.observe(1_000_000, 0);
  expect(clock.at(0)).toBe(1_000_000 - DELAY_MS);
  for (let index = 0; index < 30; index += 1) clock.observe(2_000_000, 10);
  expect(clock.at(10)).toBe(2_000_000 - DELAY_MS);
});
