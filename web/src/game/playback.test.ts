import { describe, expect, test } from "vitest";
import { PlaybackClock } from "./playback.ts";

const TICK_MS = 1000 / 30;

/** Plays `seconds` of frames every third tick, each late by `late(index)` ms; gives what was drawn, 60 times a second. */
function play(
  clock: PlaybackClock,
  seconds: number,
  late: (index: number) => number,
  { fromS = 0, tickMs = TICK_MS, firstTick = 0, frameTicks = 3 } = {},
): number[] {
  const arrivals = Array.from(
    { length: Math.floor((seconds * 1000) / (tickMs * frameTicks)) },
    (_, index) => ({
      tick: firstTick + index * frameTicks,
      atMs: fromS * 1000 + index * frameTicks * tickMs + late(index),
    }),
  ).sort((a, b) => a.atMs - b.atMs);
  const drawn: number[] = [];
  for (let nowMs = fromS * 1000; nowMs < (fromS + seconds) * 1000; nowMs += 1000 / 60) {
    for (let next = arrivals[0]; next && next.atMs <= nowMs; next = arrivals[0]) {
      arrivals.shift();
      clock.observe(next.tick, next.atMs);
    }
    const tick = clock.at(nowMs);
    if (tick !== undefined) drawn.push(tick);
  }
  return drawn;
}

const isRising = (drawn: readonly number[]) =>
  drawn.every((tick, index) => index === 0 || tick > (drawn[index - 1] ?? 0));
/** How far behind the server's own time the last moment drawn is, if messages took no time at all. */
const behindMs = (drawn: readonly number[], seconds: number) =>
  (seconds - 1 / 60) * 1000 - (drawn.at(-1) ?? 0) * TICK_MS;

describe("the moment drawn", () => {
  test("is hardly behind a steady network, whatever its delay", () => {
    const clock = new PlaybackClock(TICK_MS);
    const drawn = play(clock, 30, () => 150);
    expect(isRising(drawn)).toBe(true);
    expect(behindMs(drawn, 30)).toBeGreaterThan(150);
    expect(behindMs(drawn, 30)).toBeLessThan(175);
  });

  test("falls back by what the jitter needs, never backwards, and comes nearer again when it is over", () => {
    const clock = new PlaybackClock(TICK_MS);
    const shaky = play(clock, 20, (index) => 60 + ((index * 37) % 90));
    expect(isRising(shaky)).toBe(true);
    expect(clock.jitterMs).toBeGreaterThan(70);
    expect(behindMs(shaky, 20)).toBeGreaterThan(125);
    const calm = play(clock, 40, () => 60, { fromS: 20, firstTick: 600 });
    expect(isRising(calm)).toBe(true);
    expect(behindMs(calm, 60)).toBeLessThan(90);
  });

  test("bears stalls of a third of a second, as of a lost packet, without standing still", () => {
    const clock = new PlaybackClock(TICK_MS);
    // Every thirtieth frame is lost, and holds up what follows it until it has been sent again.
    const drawn = play(clock, 60, (index) => 75 + Math.max(0, 330 - (index % 30) * 100));
    expect(isRising(drawn)).toBe(true);
    expect(clock.allowanceMs).toBeLessThan(350);
  });

  test("does not change for frames that come once a second while nothing happens", () => {
    const clock = new PlaybackClock(TICK_MS);
    const drawn = play(clock, 20, () => 40, { frameTicks: 30 });
    expect(isRising(drawn)).toBe(true);
    expect(behindMs(drawn, 20)).toBeLessThan(75);
  });

  test("runs slower with the server's time, and by its own rate again afterwards", () => {
    const clock = new PlaybackClock(TICK_MS);
    play(clock, 10, () => 50);
    clock.stretch(2, 300);
    const slow = play(clock, 10, () => 50, { fromS: 10, firstTick: 300, tickMs: TICK_MS * 2 });
    expect(isRising(slow)).toBe(true);
    expect((slow.at(-1) ?? 0) - (slow.at(-61) ?? 0)).toBeCloseTo(15, 0);
    clock.stretch(1, 450);
    const quick = play(clock, 10, () => 50, { fromS: 20, firstTick: 450 });
    expect((quick.at(-1) ?? 0) - (quick.at(-61) ?? 0)).toBeCloseTo(30, 0);
  });

  test("is unknown before the first frame, and jumps over a long gap", () => {
    const clock = new PlaybackClock(TICK_MS);
    expect(clock.at(0)).toBeUndefined();
    clock.observe(30_000, 0);
    expect(clock.at(0)).toBeLessThan(30_000);
    for (let index = 0; index < 4; index += 1) clock.observe(60_000 + index * 3, 20_000 + index * 100);
    expect(clock.at(20_300)).toBeGreaterThan(59_990);
  });
});
