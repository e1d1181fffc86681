import { expect, test } from "vitest";
import { namesOf, unwrapped } from "./style.ts";

test("a river over the antimeridian stays one short line", () => {
  expect(
    unwrapped([
      [178, 1],
      [179.5, 2],
      [-179, 3],
      [-178, 4],
    ]),
  ).toEqual([
    [178, 1],
    [179.5, 2],
    [181, 3],
    [182, 4],
  ]);
  expect(
    unwrapped([
      [-179, 1],
      [179, 2],
    ]),
  ).toEqual([
    [-179, 1],
    [-181, 2],
  ]);
});

test("rivers are named along their course and everything else at a point, in order of importance", () => {
  const center = { lat_deg: 10, lng_deg: 20 };
  const { features } = namesOf([
    { id: "1", kind: "ocean", name: "A", center },
    {
      id: "2",
      kind: "river",
      name: "B",
      center,
      line: [
        [0, 0],
        [1, 1],
      ],
    },
  ]);
  expect(features.map(({ geometry }) => geometry.type)).toEqual(["Point", "LineString"]);
  expect(features.map(({ properties }) => properties?.["rank"])).toEqual([0, 1]);
});
