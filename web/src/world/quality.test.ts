import { describe, expect, it } from "vitest";
import { QUALITY, type Quality, settingsFor } from "./quality.ts";

const LEVELS: readonly Quality[] = ["low", "medium", "high"];
const desktop = { isPhone: false, memoryGb: 8 };
const phone = { isPhone: true, memoryGb: 4 };

describe("the table of qualities", () => {
  it("costs more from level to level in every column", () => {
    const columns = ["treeRadiusM", "canopyRadiusM", "grassRadiusM", "shadowTexels", "tilesMax"] as const;
    for (const column of columns) {
      const [low, medium, high] = LEVELS.map((level) => QUALITY[level][column]);
      expect(low, column).toBeLessThan(medium ?? 0);
      expect(medium, column).toBeLessThan(high ?? 0);
    }
  });

  it("is as it stands where there is memory, or where the browser does not tell", () => {
    for (const level of LEVELS) {
      expect(settingsFor(level, desktop)).toBe(QUALITY[level]);
      expect(settingsFor(level, { isPhone: false, memoryGb: undefined })).toBe(QUALITY[level]);
    }
  });

  it("keeps a phone and a small machine within their memory at every level", () => {
    for (const level of LEVELS) {
      for (const device of [phone, { isPhone: false, memoryGb: 2 }]) {
        const { tilesMax, canopyRadiusM, shadowTexels } = settingsFor(level, device);
        expect(tilesMax).toBeLessThanOrEqual(360);
        expect(canopyRadiusM).toBeLessThanOrEqual(700);
        expect(shadowTexels).toBeLessThanOrEqual(1024);
      }
    }
  });
});
