import { expect, test } from "vitest";
import { Names } from "./names.ts";

const ann = { accountId: "a", name: "Ann", color: 0xff0000 };

test("each body is asked about once, and again only when no answer came", () => {
  const names = new Names();
  expect(names.toAsk([1, 2, 3], 0, 2)).toEqual([1, 2]);
  // Not in every frame: a crowd that arrives at once is asked about bit by bit.
  expect(names.toAsk([1, 2, 3], 240, 64)).toEqual([]);
  expect(names.toAsk([1, 2, 3], 250, 64)).toEqual([3]);
  names.learn(1, ann);
  expect(names.toAsk([1, 2, 3], 2_999, 64)).toEqual([]);
  expect(names.toAsk([1, 2, 3], 3_000, 64)).toEqual([2]);
  expect(names.get(1)).toEqual(ann);
});

test("a long walk through crowds does not fill the memory", () => {
  const names = new Names();
  for (let id = 0; id <= Names.PEOPLE_MAX; id += 1) names.learn(id, ann);
  expect(names.get(0)).toBeUndefined();
  expect(names.get(1)).toEqual(ann);
});

test("after a new connection nothing is known", () => {
  const names = new Names();
  names.learn(1, ann);
  names.clear();
  expect(names.get(1)).toBeUndefined();
  expect(names.toAsk([1], 0, 64)).toEqual([1]);
});
