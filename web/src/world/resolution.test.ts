import { describe, expect, it } from "vitest";
import { Resolution } from "./resolution.ts";

/** Shows `frames` frames that take `intervalMs` each, from `fromMs`. */
function play(resolution: Resolution, frames: number, intervalMs: number, fromMs = 0): number {
  for (let frame = 1; frame <= frames; frame += 1) resolution.observe(fromMs + frame * intervalMs);
  return fromMs + frames * intervalMs;
}

describe("the resolution of quality auto", () => {
  it("stays whole while frames are quick", () => {
    const resolution = new Resolution();
    play(resolution, 1000, 16.7);
    expect(resolution.share).toBe(1);
  });

  it("falls step by step while they are slow, never below a half", () => {
    const resolution = new Resolution();
    let now = play(resolution, 90, 40);
    expect(resolution.share).toBeLessThan(0.8);
    now = play(resolution, 5000, 40, now);
    expect(resolution.share).toBe(0.5);
    play(resolution, 41, 16.7, now);
    expect(resolution.share).toBe(0.5);
  });

  it("rises again only after a long quick while", () => {
    const resolution = new Resolution();
    const now = play(resolution, 90, 40);
    const low = resolution.share;
    play(resolution, 100, 16.7, now);
    expect(resolution.share).toBe(low);
    play(resolution, 4000, 16.7, now + 100 * 16.7);
    expect(resolution.share).toBe(1);
  });

  it("does not take a hidden page for a slow one", () => {
    const resolution = new Resolution();
    for (let second = 0; second < 500; second += 1) resolution.observe(second * 1000);
    expect(resolution.share).toBe(1);
  });
});
