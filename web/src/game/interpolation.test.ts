import { describe, expect, test } from "vitest";
import { Crowd, DELAY_MS, PlaybackClock, type Sighting, Track } from "./interpolation.ts";

const sighting = (timeMs: number, x: number): Sighting => ({
  timeMs,
  position: [x, 0, 796_375],
  facing: [1, 0, 0],
  mode: 0,
});

describe("a track", () => {
  test("passes through what was seen and is even between evenly spaced sightings", () => {
    const track = new Track();
    for (let index = 0; index <= 5; index += 1) track.push(sighting(index * 100, index * 0.3));
    for (const timeMs of [100, 150, 200, 275, 400]) {
      const shown = track.at(timeMs);
      expect(shown?.position[0]).toBeCloseTo(timeMs * 0.003, 9);
      expect(shown?.velocity[0]).toBeCloseTo(3, 6);
    }
  });

  test("has no corner where the pace changes", () => {
    const track = new Track();
    for (const [timeMs, x] of [
      [0, 0],
      [100, 0.3],
      [200, 0.6],
      [300, 0.6],
      [400, 0.6],
    ] as const) {
      track.push(sighting(timeMs, x));
    }
    const before = track.at(199.9)?.velocity[0] ?? Number.NaN;
    const after = track.at(200.1)?.velocity[0] ?? Number.NaN;
    expect(Math.abs(before - after)).toBeLessThan(0.05);
  });

  test("is held still beyond its ends", () => {
    const track = new Track();
    track.push(sighting(100, 1));
    track.push(sighting(200, 2));
    expect(track.at(0)?.position[0]).toBe(1);
    expect(track.at(5_000)?.position[0]).toBe(2);
    expect(track.at(5_000)?.velocity[0]).toBe(0);
  });

  test("ignores what comes late and does not slide across a jump", () => {
    const track = new Track();
    track.push(sighting(200, 2));
    track.push(sighting(100, 99));
    expect(track.at(200)?.position[0]).toBe(2);
    track.push(sighting(300, 500));
    expect(track.at(210)?.position[0]).toBe(500);
  });
});

describe("the playback clock", () => {
  test("stays behind by the delay however the arrivals jitter", () => {
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

  test("starts over after a reset", () => {
    const clock = new PlaybackClock();
    clock.observe(1_000_000, 0);
    expect(clock.at(0)).toBe(1_000_000 - DELAY_MS);
    clock.reset();
    expect(clock.at(1)).toBeUndefined();
    clock.observe(50, 10);
    expect(clock.at(10)).toBe(50 - DELAY_MS);
  });
});

describe("a crowd", () => {
  const seen = (...ids: number[]) => ids.map((id) => ({ ...sighting(100, id), id }));

  test("fades in those who come and out those who leave", () => {
    const crowd = new Crowd();
    crowd.see(seen(1, 2), 0);
    expect([...crowd.shown(100, 150)].map((person) => person.opacity)).toEqual([0.5, 0.5]);
    crowd.see(seen(2), 1_000);
    const later = [...crowd.shown(100, 1_225)];
    expect(later.map(({ id, opacity, isLeaving }) => [id, opacity, isLeaving])).toEqual([
      [1, 0.5, true],
      [2, 1, false],
    ]);
    expect([...crowd.shown(100, 1_450)].map((person) => person.id)).toEqual([2]);
  });

  test("takes back one who returns", () => {
    const crowd = new Crowd();
    crowd.see(seen(1), 0);
    crowd.see([], 1_000);
    crowd.see(seen(1), 1_100);
    expect([...crowd.shown(100, 5_000)]).toMatchObject([{ id: 1, opacity: 1, isLeaving: false }]);
  });
});
