import { describe, expect, it } from "vitest";
import { normalize, type Vec3 } from "../geo/vec3.ts";
import { cellAt, directionIn, tokenOf } from "./cells.ts";
import { LotOverlay } from "./lot_overlay.ts";

const LEVEL = 15;
const SIDE = 32;

/** What the texture says at the place where the terrain shader would read it for `p`. */
function readAt(overlay: LotOverlay, p: Vec3): readonly number[] | undefined {
  const tile = cellAt(p, LEVEL + 2);
  const place = overlay.placeOf(tile);
  if (!place) return undefined;
  const [i, j] = [Math.floor(place[0]), Math.floor(place[1])];
  const texels = overlay.texture.image.data as Uint8Array;
  const at = (j * SIDE + i) * 4;
  return [...texels.subarray(at, at + 4)];
}

describe("the lot grid on the ground", () => {
  for (const [name, here] of [
    ["in the middle of a face", [1, 0.31, -0.2]],
    ["across an edge of the cube", [1, 1, 0.2]],
    ["round a corner of the cube", [1, 1, 1]],
  ] as const satisfies readonly (readonly [string, Vec3])[]) {
    it(`shows each lot's state where the lot is, ${name}`, () => {
      const overlay = new LotOverlay(LEVEL);
      const center = normalize(here);
      const near = Array.from({ length: 40 }, (_, index): Vec3 => {
        const [a, b] = [((index % 8) - 3.5) * 4e-5, (Math.floor(index / 8) - 2) * 4e-5];
        return normalize([center[0] + a, center[1] - a + b, center[2] - b]);
      });
      const tokens = [...new Set(near.map((p) => tokenOf(cellAt(p, LEVEL))))];
      const states = ["free", "taken", "mine", "sale", "auction"] as const;
      const codes = { free: 40, taken: 80, mine: 120, sale: 160, auction: 200 };
      const stateOf = new Map(tokens.map((token, index) => [token, states[index % 5] ?? "free"]));
      overlay.moveTo(center);
      overlay.setLots([...stateOf].map(([token, state]) => ({ token, state })));
      for (const p of near) {
        const state = stateOf.get(tokenOf(cellAt(p, LEVEL)));
        expect(readAt(overlay, p)?.[0]).toBe(state && codes[state]);
      }
      const [looked] = near;
      if (!looked) throw new Error("there are places");
      overlay.lookAt(tokenOf(cellAt(looked, LEVEL)));
      expect(readAt(overlay, looked)?.[1]).toBe(255);
      overlay.lookAt(undefined);
      expect(readAt(overlay, looked)?.[1]).toBe(0);
      overlay.dispose();
    });
  }

  it("shows that lots belong together, lights all of them up, and marks those that are picked", () => {
    const overlay = new LotOverlay(LEVEL);
    const here = cellAt([1, 0.31, -0.2], LEVEL);
    const centerOf = (i: number) => directionIn({ ...here, i: here.i + i }, 0.5, 0.5);
    const token = (i: number) => tokenOf({ ...here, i: here.i + i });
    overlay.moveTo(centerOf(0));
    overlay.setLots([
      { token: token(0), state: "mine", parcel: "a" },
      { token: token(1), state: "mine", parcel: "a" },
      { token: token(2), state: "mine", parcel: "b" },
      { token: token(3), state: "free", isPicked: true },
    ]);
    const [first, second, third, fourth] = [0, 1, 2, 3].map((i) => readAt(overlay, centerOf(i)) ?? []);
    expect(first?.[3]).toBeGreaterThan(0);
    expect(second?.[3]).toBe(first?.[3]);
    expect(third?.[3]).not.toBe(first?.[3]);
    expect([third?.[2], fourth?.[2]]).toEqual([0, 255]);
    overlay.lookAt(token(1));
    expect([0, 1, 2].map((i) => readAt(overlay, centerOf(i))?.[1])).toEqual([255, 255, 0]);
    expect(overlay.owned()).toHaveLength(3);
    overlay.dispose();
  });

  it("says nothing about tiles far away or larger than its window", () => {
    const overlay = new LotOverlay(LEVEL);
    overlay.moveTo([1, 0, 0]);
    expect(overlay.placeOf(cellAt([0, 0, 1], 17))).toBeUndefined();
    expect(overlay.placeOf(cellAt([1, 0.1, 0], 17))).toBeUndefined();
    expect(overlay.placeOf(cellAt([1, 0, 0], 3))).toBeUndefined();
  });
});
