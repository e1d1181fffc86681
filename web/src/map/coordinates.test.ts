import { expect, test } from "vitest";
import { parseCoordinates } from "./coordinates.ts";

const check = (text: string, expected: readonly [number, number] | undefined) => {
  const place = parseCoordinates(text);
  expect(place && [place.latitude_deg, place.longitude_deg], text).toEqual(expected);
};

test("coordinates are read in the forms that people write", () => {
  check("12.5, -40.25", [12.5, -40.25]);
  check("  12.5 -40.25 ", [12.5, -40.25]);
  check("-12.5;40", [-12.5, 40]);
  check("12.5° N, 40.25° W", [12.5, -40.25]);
  check("12.5N 40.25W", [12.5, -40.25]);
  check("40.25 w, 12.5 s", [-12.5, -40.25]);
  check("https://planet.example/#12.50000,-40.25000", [12.5, -40.25]);
});

test("what is no place on the planet is not one", () => {
  for (const text of [
    "",
    "12.5",
    "91, 0",
    "0, 181",
    "12N 13S",
    "12N 13",
    "a, b",
    "1, 2, 3",
    "NaN, 0",
    "1e3,0",
  ]) {
    check(text, undefined);
  }
});
