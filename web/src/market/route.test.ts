import { expect, test } from "vitest";
import { formatRoute, parseRoute, type Route, tabHref } from "./route.ts";

const back = (route: Route) => parseRoute(new URL(formatRoute(route), "http://x").search);

test("every place has an address that leads back to it", () => {
  const places: Route[] = [
    { tab: "search", filters: {} },
    {
      tab: "search",
      filters: {
        kind: "auction",
        price_max_minor: 500_00,
        area_min_m2: 1_000,
        biome: "temperate forest",
        near: "10.5,-20.25",
        near_name: "Lake Ümla",
        radius_m: 5_000,
        front: "river",
        ends_within_s: 3_600,
        sort: "ending",
      },
    },
    { tab: "parcel", token: "4be64c3c" },
    { tab: "wallet" },
    { tab: "wallet", payTo: "019aa5c3-1f00-7000-8000-000000000001", payName: "Ann & Bob" },
    { tab: "notices" },
    { tab: "webhooks" },
  ];
  for (const place of places) expect(back(place)).toEqual(place);
  expect(tabHref("search")).toBe("/market");
});

test("an address made up by somebody leads to the search, without what makes no sense", () => {
  expect(parseRoute("?tab=admin")).toEqual({ tab: "search", filters: {} });
  expect(parseRoute("?parcel=<script>")).toEqual({ tab: "search", filters: {} });
  expect(parseRoute("?price_min_minor=-4&price_max_minor=1e9&kind=theft&near=a,b&area_min_m2=7")).toEqual({
    tab: "search",
    filters: { area_min_m2: 7 },
  });
});
