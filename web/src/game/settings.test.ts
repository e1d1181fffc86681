import { expect, test } from "vitest";
import { parseSettings } from "./settings.ts";

test("what was kept comes back, what does not read is the default", () => {
  expect(parseSettings('{"quality":"low","isWelcomed":true}', "high")).toEqual({
    quality: "low",
    isWelcomed: true,
  });
  for (const text of [null, "", "{", "null", "[]", '{"quality":"ultra","isWelcomed":"yes"}']) {
    expect(parseSettings(text, "high"), String(text)).toEqual({ quality: "high", isWelcomed: false });
  }
  expect(parseSettings(null, "medium").quality).toBe("medium");
});
