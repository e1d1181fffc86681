import { expect, test } from "vitest";
import { RateMeter, type Vitals } from "./vitals.ts";

function vitals(atMs: number, count: number): Vitals {
  const tier = { bytes: count, updates: count, bodies: 1 };
  return {
    atMs,
    carrier: "websocket",
    roundTripMs: 20,
    jitterMs: 3,
    behindMs: 120,
    tickHz: 30,
    sendHz: 10,
    stretch: 1,
    frames: count / 10,
    bytes: count * 5,
    pictures: count / 2,
    tiers: { own: tier, near: tier, mid: tier, far: tier },
    corrections: 0,
    correctionM: 0,
    lastGapMs: undefined,
  };
}

test("rates are those of the last seconds, not of the whole visit", () => {
  const meter = new RateMeter();
  expect(meter.push(vitals(0, 0))).toBeUndefined();
  for (let ms = 500; ms <= 20_000; ms += 500) meter.push(vitals(ms, ms));
  for (let ms = 500; ms <= 4_000; ms += 500) meter.push(vitals(20_000 + ms, 20_000));
  const rates = meter.push(vitals(24_500, 20_100));
  expect(rates?.bytes).toBeCloseTo((100 * 5) / 3.5, 0);
  expect(rates?.tiers.mid.updates).toBeLessThan(50);
});

test("a new connection, which counts from zero, gives no negative rate", () => {
  const meter = new RateMeter();
  for (let ms = 0; ms <= 3_000; ms += 500) meter.push(vitals(ms, ms));
  expect(meter.push(vitals(3_500, 10))).toBeUndefined();
  expect(meter.push(vitals(4_500, 110))?.tiers.own.bytes).toBeCloseTo(100);
});
