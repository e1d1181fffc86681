import { expect, test } from "vitest";
import { parseSettings } from "./settings.ts";

test("what was kept comes back, what does not read is the default", () => {
  expect(parseSettings('{"quality":"low","daylight":"day","isWelcomed":true}', "high")).toEqual({
    quality: "low",
    daylight: "day",
    isWelcomed: true,
  });
  for (const text of [null, "", "{", "null", "[]", '{"quality":"ultra","daylight":1,"isWelcomed":"yes"}']) {
    expect(parseSettings(text, "high"), String(text)).toEqual({
      quality: "high",
      daylight: "planet",
      isWelcomed: false,
    });
  }
  expect(parseSettings(null, "medium").quality).toBe("medium");
});
