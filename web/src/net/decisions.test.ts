import { expect, test } from "vitest";
import { Decisions } from "./decisions.ts";

function setUp() {
  let count = 0;
  const keys: string[] = [];
  const decisions = new Decisions(() => `key-${++count}`);
  const lost = new Error("lost");
  const refused = new Error("refused");
  const make = (what: string, failure?: Error) =>
    decisions
      .make(
        what,
        async (key) => {
          keys.push(key);
          if (failure) throw failure;
          return key;
        },
        (error) => error === refused,
      )
      .catch(() => undefined);
  return { make, keys, lost, refused };
}

test("a lost answer is asked for again with the same key", async () => {
  const { make, keys, lost } = setUp();
  await make("buy", lost);
  await make("buy", lost);
  await make("buy");
  expect(keys).toEqual(["key-1", "key-1", "key-1"]);
});

test("after an answer, good or bad, the next try is a new decision", async () => {
  const { make, keys, refused } = setUp();
  await make("buy");
  await make("buy", refused);
  await make("buy");
  expect(keys).toEqual(["key-1", "key-2", "key-3"]);
});

test("another amount is another decision", async () => {
  const { make, keys, lost } = setUp();
  await make("bid:100", lost);
  await make("bid:200", lost);
  await make("bid:100");
  expect(keys).toEqual(["key-1", "key-2", "key-1"]);
});
