import { expect, test } from "vitest";
import type { Weather } from "../core/sky.ts";
import { clockAt, clockText, skyLine, weatherText } from "./weather_words.ts";

const calm: Weather = {
  cloudCover: 0.3,
  precipitation: 0,
  snowShare: 0,
  temperatureC: 15.4,
  fog: 0,
  windMps: [1, 2, 2],
  wetness: 0,
  snowLying: 0,
};

test("it is noon under the sun, and later in the east", () => {
  expect(clockAt([1, 0, 0.5], [1, 0, 0])).toBeCloseTo(0.5);
  expect(clockAt([0, 1, 0.5], [1, 0, 0])).toBeCloseTo(0.75);
  expect(clockAt([0, -1, 0], [1, 0, 0])).toBeCloseTo(0.25);
  expect(clockAt([-1, 0, 0], [1, 0, 0]) % 1).toBeCloseTo(0);
});

test("a day has 24 hours, however long it lasts", () => {
  expect([0, 0.25, 0.5, 0.999_99].map(clockText)).toEqual(["00:00", "06:00", "12:00", "23:59"]);
});

test("what matters most is said", () => {
  const said = (change: Partial<Weather>) => weatherText({ ...calm, ...change });
  expect(said({ cloudCover: 0.05 })).toBe("clear");
  expect(said({})).toBe("fair");
  expect(said({ cloudCover: 0.7 })).toBe("cloudy");
  expect(said({ cloudCover: 1 })).toBe("overcast");
  expect(said({ fog: 0.2 })).toBe("mist");
  expect(said({ fog: 0.6 })).toBe("fog");
  expect(said({ fog: 0.6, precipitation: 0.02 })).toBe("drizzle");
  expect(said({ precipitation: 0.1 })).toBe("light rain");
  expect(said({ precipitation: 0.4, snowShare: 0.5 })).toBe("sleet");
  expect(said({ precipitation: 0.9, snowShare: 1 })).toBe("heavy snow");
});

test("a line holds time, weather and warmth, and a gale", () => {
  expect(skyLine(0.6, calm)).toBe("14:24 · fair · 15 °C");
  expect(skyLine(0.6, { ...calm, temperatureC: -3.2, windMps: [0, 12, 0] })).toBe(
    "14:24 · fair, windy · −3 °C",
  );
});
