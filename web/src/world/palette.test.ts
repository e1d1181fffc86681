import { describe, expect, it } from "vitest";
import { climateShare, groundColor, type Rgb, SWATCHES } from "./palette.ts";

const away = (a: Rgb, b: Rgb) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);

describe("the palette", () => {
  it("gives every named climate its own colour", () => {
    for (const { name, temperatureC, rainMm, color } of SWATCHES) {
      expect(away(groundColor(...climateShare(temperatureC, rainMm)), color), name).toBeLessThan(3);
    }
  });

  it("runs smoothly from one to the next", () => {
    for (let t = 0; t < 1; t += 0.01) {
      for (let r = 0; r < 1; r += 0.01) {
        expect(away(groundColor(t, r), groundColor(t + 0.01, r))).toBeLessThan(45);
      }
    }
  });

  it("keeps climates off the scale on its edge", () => {
    expect(climateShare(-200, -5)).toEqual([0, 0]);
    expect(climateShare(200, 1e6)).toEqual([1, 1]);
  });
});
