import { expect, test } from "vitest";
import { formatLeft, formatRelative, formatSpan, nextTickMs, saidLeft } from "./times.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test("a moment is told by how far away it is", () => {
  const now = Date.UTC(2026, 10, 21);
  for (const [awayMs, text] of [
    [0, "now"],
    [-4_000, "now"],
    [-30_000, "30 seconds ago"],
    [-5 * MINUTE, "5 minutes ago"],
    [90 * MINUTE, "in 1 hour"],
    [-DAY, "yesterday"],
    [-3 * DAY, "3 days ago"],
    [70 * DAY, "in 2 months"],
  ] as const) {
    expect(formatRelative(now + awayMs, now)).toBe(text);
  }
});

test("a countdown says zero only when it is over", () => {
  for (const [leftMs, text] of [
    [1, "0:01"],
    [7_000, "0:07"],
    [7_001, "0:08"],
    [4 * MINUTE + 9_000, "4:09"],
    [3 * HOUR + 5 * MINUTE, "3 h 05 min"],
    [2 * DAY + 4 * HOUR, "2 d 4 h"],
    [0, "0:00"],
    [-9_000, "0:00"],
  ] as const) {
    expect(formatLeft(leftMs)).toBe(text);
  }
});

test("a screen reader hears whole units", () => {
  expect(saidLeft(2 * DAY + HOUR)).toBe("2 days left");
  expect(saidLeft(61_000)).toBe("1 minute left");
  expect(saidLeft(59_000)).toBe("less than a minute left");
  expect(saidLeft(0)).toBe("ended");
});

test("a countdown wakes when what it shows changes", () => {
  expect(nextTickMs(7_400)).toBe(400);
  expect(nextTickMs(7_000)).toBe(1_000);
  expect(nextTickMs(3 * DAY)).toBe(MINUTE);
  expect(nextTickMs(0)).toBe(Number.POSITIVE_INFINITY);
});

test("a span is told in its largest whole unit", () => {
  expect(formatSpan(86_400)).toBe("1 day");
  expect(formatSpan(7 * 86_400)).toBe("7 days");
  expect(formatSpan(5_400)).toBe("90 minutes");
  expect(formatSpan(7_200)).toBe("2 hours");
  expect(formatSpan(90)).toBe("90 seconds");
});
