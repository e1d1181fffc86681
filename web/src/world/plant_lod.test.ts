import { describe, expect, it } from "vitest";
import { choosePlant } from "./plant_lod.ts";

const REACH = { treesM: 400, grassM: 60, canopyM: 1500 };
const SLACK_M = 8;
const choose = (layer: "trees" | "grass" | "canopy", awayM: number, hasFarShape = true) =>
  choosePlant(layer, hasFarShape, awayM, REACH, SLACK_M);

describe("the level of detail of plants", () => {
  it("is the full shape near, the simple one far, nothing beyond", () => {
    expect(choose("trees", 10)?.shape).toBe("near");
    expect(choose("trees", 200)?.shape).toBe("far");
    expect(choose("trees", 500)).toBeUndefined();
    expect(choose("grass", 30, false)?.shape).toBe("near");
    expect(choose("grass", 90, false)).toBeUndefined();
  });

  it("leaves no ring bare between the trees and the far woods, even after a few steps", () => {
    for (let awayM = 0; awayM < 1500; awayM += 1) {
      const tree = choose("trees", awayM);
      const wood = choose("canopy", awayM);
      expect(tree ?? wood, `${awayM} m`).toBeDefined();
      // Where the far woods are full size, the trees may go, and not before.
      if (awayM < 400 - SLACK_M) expect(tree).toBeDefined();
      if (awayM > 400 + SLACK_M) expect(wood?.fromM).toBe(400);
    }
    expect(choose("canopy", 1600)).toBeUndefined();
  });

  it("lets small things without a far shape end earlier, and never stand for woods", () => {
    expect(choose("trees", 200, false)).toEqual({ shape: "near", fromM: 0, toM: 240 });
    expect(choose("canopy", 700, false)).toBeUndefined();
  });

  it("draws no far woods where the quality has none", () => {
    for (let awayM = 0; awayM < 2000; awayM += 10) {
      const none = choosePlant("canopy", true, awayM, { ...REACH, canopyM: 0 }, SLACK_M);
      expect(none).toBeUndefined();
    }
  });
});
