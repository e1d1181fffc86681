import { expect, test } from "vitest";
import { parseSettings, qualityOf } from "./settings.ts";

test("what was kept comes back, what does not read is the default", () => {
  expect(parseSettings('{"quality":"low","daylight":"day","isWelcomed":true,"showsVitals":true}')).toEqual({
    quality: "low",
    daylight: "day",
    isWelcomed: true,
    showsVitals: true,
  });
  const unreadable = '{"quality":"ultra","daylight":1,"isWelcomed":"yes"}';
  for (const text of [null, "", "{", "null", "[]", unreadable]) {
    expect(parseSettings(text), String(text)).toEqual({
      quality: "auto",
      daylight: "planet",
      isWelcomed: false,
      showsVitals: false,
    });
  }
});

test("auto suits the machine, and a choice is a choice", () => {
  const desktop = { isPhone: false, memoryGb: undefined };
  const phone = { isPhone: true, memoryGb: 8 };
  expect(qualityOf("auto", "hardware", desktop)).toBe("high");
  expect(qualityOf("auto", "hardware", phone)).toBe("medium");
  expect(qualityOf("auto", "hardware", { isPhone: false, memoryGb: 4 })).toBe("medium");
  expect(qualityOf("auto", "software", desktop)).toBe("low");
  expect(qualityOf("high", "software", phone)).toBe("high");
});
