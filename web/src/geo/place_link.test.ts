import { expect, test } from "vitest";
import { formatLatLng, latLngOf, latLngToUnit } from "./lat_lng.ts";
import { formatPlaceLink, parsePlaceLink } from "./place_link.ts";

test("links name a place or a lot and survive a round trip", () => {
  for (const hash of ["#12.34500,-5.60000", "#-90.00000,180.00000", "#lot=89c25a31"]) {
    const link = parsePlaceLink(hash);
    expect(link, hash).toBeDefined();
    if (link) expect(formatPlaceLink(link)).toBe(hash);
  }
  expect(parsePlaceLink("#12.5%2C-3")).toEqual({
    kind: "place",
    place: { latitude_deg: 12.5, longitude_deg: -3 },
  });
});

test("anything else in the address is no place", () => {
  for (const hash of [
    "",
    "#",
    "#90.1,0",
    "#0,180.5",
    "#1e3,0",
    "#NaN,NaN",
    "#1,2,3",
    "#lot=",
    "#lot=zz",
    "#lot=0",
    "#%",
  ]) {
    expect(parsePlaceLink(hash), hash).toBeUndefined();
  }
});

test("latitude and longitude go to a point and back, at the poles and the antimeridian too", () => {
  for (const [latitude_deg, longitude_deg] of [
    [0, 0],
    [45, -120],
    [90, 0],
    [-90, 0],
    [12, 180],
    [-33.5, 179.999],
  ] as const) {
    const back = latLngOf(latLngToUnit({ latitude_deg, longitude_deg }));
    expect(back.latitude_deg).toBeCloseTo(latitude_deg, 9);
    if (Math.abs(latitude_deg) < 90) expect(back.longitude_deg).toBeCloseTo(longitude_deg, 9);
  }
  expect(formatLatLng({ latitude_deg: -1.5, longitude_deg: 2 })).toBe("1.5000° S, 2.0000° E");
});
