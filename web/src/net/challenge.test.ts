import { expect, test } from "vitest";
import { challengeFault } from "./challenge.ts";

const expected = { origin: "https://planet.example", publicKey: "a2V5", nonce: "bm9uY2U" };
const message = [
  "terrane-login/1",
  "origin: https://planet.example",
  "key: a2V5",
  "nonce: bm9uY2U",
  "issued: 1795000000",
  "expires: 1795000060",
  "",
].join("\n");

test("the server's own challenge may be signed", () => {
  expect(challengeFault(message, expected)).toBeUndefined();
});

test("a challenge that was passed on or changed is not signed", () => {
  for (const [from, to] of [
    ["https://planet.example", "https://planet.example.evil"],
    ["https://", "http://"],
    ["terrane-login/1", "terrane-transfer/1"],
    ["a2V5", "b3RoZXI"],
    ["bm9uY2U", "b3RoZXI"],
    ["1795000000", "soon"],
    ["1795000060\n", "1795000060"],
    ["1795000060\n", "1795000060\npay: everything\n"],
  ] as const) {
    expect(challengeFault(message.replace(from, to), expected), to).toBeDefined();
  }
});

test("a text that adds a key is signed for the account at hand alone, and never in place of a login", () => {
  const adding = message.replace("terrane-login/1", "terrane-add-key/1").replace(/\n$/, "\naccount: 7\n");
  expect(challengeFault(adding, { ...expected, addsTo: "7" })).toBeUndefined();
  expect(challengeFault(adding, { ...expected, addsTo: "8" })).toBe("it is for another account");
  expect(challengeFault(adding, expected)).toBeDefined();
  expect(challengeFault(message, { ...expected, addsTo: "7" })).toBeDefined();
});
