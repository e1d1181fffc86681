import { expect, test } from "vitest";
import { SseParser } from "./sse.ts";

const STREAM =
  '\ufeff: hello\r\nid: 7\r\nevent: market.sold\r\ndata: {"a":1}\r\n\r\ndata: first\ndata:second\n\n:\n\nid\ndata: x\revent: odd\r\r';
const EVENTS = [
  { id: "7", event: "market.sold", data: '{"a":1}' },
  { id: "7", event: "message", data: "first\nsecond" },
  { id: "", event: "odd", data: "x" },
];

test("a stream says the same wherever it is cut", () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const parser = new SseParser();
    const events = [...parser.push(STREAM.slice(0, cut)), ...parser.push(STREAM.slice(cut))];
    expect(events, `cut at ${cut}`).toEqual(EVENTS);
  }
  const parser = new SseParser();
  expect([...STREAM].flatMap((letter) => parser.push(letter))).toEqual(EVENTS);
});

test("an event that never ends is not told", () => {
  expect(new SseParser().push("data: half\n")).toEqual([]);
});
