/** The messages of `crates/wire/tests/golden`, as the server's own tests keep them. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  dispatch,
  encodeHello,
  encodeLeave,
  encodePing,
  encodeSay,
  encodeWhoIs,
  MalformedMessage,
  type ServerHandlers,
  type ServerMessages,
} from "./messages.ts";

const golden = new Map<string, string>();
const file = new URL("../../../crates/wire/tests/golden/messages.txt", import.meta.url);
for (const line of readFileSync(file, "utf8").split("\n")) {
  const [, name, hex] = /^(\w+) ([0-9a-f]+)$/.exec(line) ?? [];
  if (name && hex) golden.set(name, hex);
}
const bytesOf = (name: string) => Uint8Array.from(Buffer.from(golden.get(name) ?? "", "hex"));
const hexOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

/** Decodes one message and says which handler got what. */
function decode(bytes: Uint8Array): [keyof ServerMessages, unknown] {
  const heard: [keyof ServerMessages, unknown][] = [];
  const hear =
    <K extends keyof ServerMessages>(name: K) =>
    (message: ServerMessages[K]) =>
      void heard.push([name, message]);
  const handlers: ServerHandlers = {
    welcome: hear("welcome"),
    frame: hear("frame"),
    said: hear("said"),
    people: hear("people"),
    pong: hear("pong"),
    refused: hear("refused"),
    lotChanged: hear("lotChanged"),
    bye: hear("bye"),
    event: hear("event"),
    fences: hear("fences"),
    pace: hear("pace"),
  };
  dispatch(bytes, handlers);
  const [only] = heard;
  if (!only || heard.length > 1) throw new Error(`${heard.length} handlers were called`);
  return only;
}

describe("what we send is what the server's own encoder makes", () => {
  test.each([
    [
      "Hello",
      encodeHello({
        protocolVersion: 1,
        protocolHash: 81985529216486895n,
        accessToken: "header.claims.signature",
        resumeToken: Uint8Array.from({ length: 16 }, (_, index) => index),
        arriveAt: { latitudeDeg: 12.5, longitudeDeg: -45.25 },
      }),
    ],
    ["Say", encodeSay("hello, world")],
    ["WhoIs", encodeWhoIs([7, 300, 70000])],
    ["Ping", encodePing(1234.5)],
    ["Leave", encodeLeave()],
  ] as const)("%s", (name, bytes) => {
    expect(hexOf(bytes)).toBe(golden.get(name));
  });
});

describe("what the server sends reaches its handler", () => {
  test.each([
    [
      "Welcome",
      "welcome",
      {
        entityId: 7,
        resumed: true,
        tickHz: 30,
        lastInputSeq: 999,
        planet: { seed: 1n, shift: 3 },
        body: { px: 796000.25, py: -1024.5, vy: 3, mode: 1 },
      },
    ],
    ["Said", "said", { entityId: 7, displayName: "Ann", text: "hello, world" }],
    ["People", "people", { people: [{ entityId: 7, displayName: "Ann", color: 0x336699 }] }],
    ["Pong", "pong", { clientTimeMs: 1234.5, serverTimeMs: 1.7e12, tick: 90n }],
    ["Refused", "refused", { code: "too_fast", detail: "slow down" }],
    ["LotChanged", "lotChanged", { lotToken: "89c25985", ownerName: "Ann", lotName: "Meadow" }],
    ["Bye", "bye", { code: "too_slow", detail: "bye", mayReconnect: true }],
    ["Event", "event", { kind: "market.outbid", atUs: 1_700_000_000_000_000n }],
  ] as const)("%s", (name, handler, expected) => {
    const [heardBy, message] = decode(bytesOf(name));
    expect(heardBy).toBe(handler);
    expect(message).toMatchObject(expected);
  });

  test.each([
    ["Frame", "frame"],
    ["Fences", "fences"],
  ])("%s, whole", (name, handler) => {
    expect(decode(bytesOf(name))).toEqual([handler, bytesOf(name)]);
  });
});

test("what is no message is refused as such", () => {
  for (const bytes of [[], [0], [1, 2, 3], [255, 255], [67, 255, 255, 255], [68, 10, 200]]) {
    expect(() => decode(Uint8Array.from(bytes)), String(bytes)).toThrow(MalformedMessage);
  }
});
