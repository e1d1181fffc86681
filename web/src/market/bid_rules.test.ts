import { expect, test } from "vitest";
import { type BidSituation, bidFault, spendable, stepAt, suggestions } from "./bid_rules.ts";

const situation = (change: Partial<BidSituation> = {}): BidSituation => ({
  currency: { code: "coin", scale: 2 },
  minimumMinor: 10_500,
  availableMinor: 50_000,
  ownMaxMinor: undefined,
  isLeading: false,
  ...change,
});

test("a bid is at least the next step, and no more than what is free", () => {
  expect(bidFault(10_499, situation())).toMatch(/at least 105\.00 coin/);
  expect(bidFault(10_500, situation())).toBeUndefined();
  expect(bidFault(50_000, situation())).toBeUndefined();
  expect(bidFault(50_001, situation())).toMatch(/500\.00 coin/);
  expect(bidFault(50_001, situation({ availableMinor: undefined }))).toBeUndefined();
});

test("who leads may raise by as little as they like, but not lower", () => {
  const leading = situation({ isLeading: true, ownMaxMinor: 30_000 });
  expect(bidFault(30_000, leading)).toMatch(/You lead with 300\.00 coin/);
  expect(bidFault(30_001, leading)).toBeUndefined();
});

test("what one's own leading bid holds counts as free for the next", () => {
  const leading = situation({ isLeading: true, ownMaxMinor: 30_000, availableMinor: 1_000 });
  expect(spendable(leading)).toBe(31_000);
  expect(bidFault(31_000, leading)).toBeUndefined();
  expect(bidFault(31_001, leading)).toBeDefined();
  // Outbid: its hold was released at once.
  expect(spendable(situation({ ownMaxMinor: 30_000 }))).toBe(50_000);
});

test("the step follows the table", () => {
  const table = [
    { from_minor: 0, step_minor: 5 },
    { from_minor: 100, step_minor: 25 },
    { from_minor: 500, step_minor: 50 },
  ];
  expect([0, 99, 100, 499, 500, 9_999].map((price) => stepAt(price, table))).toEqual([5, 5, 25, 25, 50, 50]);
  expect(suggestions(1_000, 50)).toEqual([1_000, 1_100, 1_250]);
});
