import { expect, test } from "vitest";
import { linesOf } from "./readable.ts";

test("an answer of any shape is lines of words", () => {
  const answer = {
    version: "0.1.0",
    is_ready: true,
    limits: { api_per_min: 1200, names: ["a", "b"], none: [] },
    zones: [{ zone_id: 7 }],
    secret: null,
  };
  expect(linesOf(answer).map(({ name, text, depth }) => `${"  ".repeat(depth)}${name}: ${text}`)).toEqual([
    "Version: 0.1.0",
    "Is ready: yes",
    "Limits: ",
    "  Api per min: 1,200",
    "  Names: a, b",
    "  None: none",
    "Zones: ",
    "  1.: ",
    "    Zone id: 7",
    "Secret: —",
  ]);
});
