import { expect, test } from "vitest";
import { Deframer, framed } from "./framing.ts";

const MESSAGES = [[1], [2, 3, 4], Array.from({ length: 700 }, (_, index) => index & 255)];

test("messages come out as they went in, however the stream was cut", () => {
  const stream = MESSAGES.flatMap((message) => [...framed(Uint8Array.from(message))]);
  for (const piece of [1, 2, 3, 5, 100, stream.length]) {
    const deframer = new Deframer(1_000);
    const found: number[][] = [];
    for (let at = 0; at < stream.length; at += piece) {
      for (const message of deframer.push(Uint8Array.from(stream.slice(at, at + piece))))
        found.push([...message]);
    }
    expect(found, `in pieces of ${piece}`).toEqual(MESSAGES);
  }
});

test("a length that cannot be is an error, not a wait for gigabytes", () => {
  expect(() => new Deframer(1_000).push(Uint8Array.of(255, 255, 255, 127))).toThrow(RangeError);
  expect(() => new Deframer(1_000).push(Uint8Array.of(0, 0, 0, 0))).toThrow(RangeError);
});
