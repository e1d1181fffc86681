import { describe, expect, it } from "vitest";
import { type CellId, tryCellId } from "../geo/cell_id.ts";
import type { Planet } from "./planet.ts";
import type { PackedTile, TileSource } from "./tile_source.ts";
import { WalkedGround } from "./walked_ground.ts";

const ids = [1n, 2n, 3n]
  .map((face) => tryCellId((face << 61n) | (1n << 60n)))
  .filter((id) => id !== undefined);
const [NEAR, BESIDE, FAR] = ids as [CellId, CellId, CellId];

/** A planet that wants two tiles to stand on and one more to look ahead, and takes only good bytes. */
function setUp(bytesOf: (id: CellId, refusals: number) => number) {
  const inserted: CellId[] = [];
  const refusals = new Map<CellId, number>();
  const asked: CellId[] = [];
  const planet = {
    groundAt: () => ({ elevationM: 0, waterM: undefined, isExact: inserted.includes(NEAR) }),
    missingAround: (_point: unknown, radiusM: number) =>
      (radiusM < 1000 ? [NEAR, BESIDE] : [NEAR, BESIDE, FAR]).filter((id) => !inserted.includes(id)),
    insertTile: (id: CellId, packed: Uint8Array) => {
      if (packed[0] === 0) return false;
      inserted.push(id);
      return true;
    },
  } as unknown as Planet;
  const source = {
    tile: (id: CellId): Promise<PackedTile> => {
      asked.push(id);
      const count = refusals.get(id) ?? 0;
      return Promise.resolve({ id, refusals: count, bytes: Uint8Array.from([bytesOf(id, count)]) });
    },
    refuse: ({ id, refusals: count }: PackedTile) => {
      refusals.set(id, count + 1);
      return Promise.resolve();
    },
  } as unknown as TileSource;
  return { ground: new WalkedGround(planet, source), inserted, asked };
}

describe("the ground under a body", () => {
  it("is prepared before anybody stands on it, each tile asked for once", async () => {
    const { ground, asked, inserted } = setUp(() => 1);
    expect(ground.isReady([1, 0, 0])).toBe(false);
    await Promise.all([ground.prepare([1, 0, 0]), ground.prepare([1, 0, 0])]);
    expect(ground.isReady([1, 0, 0])).toBe(true);
    expect(asked).toEqual([NEAR, BESIDE]);
    await ground.lookAhead([1, 0, 0]);
    expect(inserted).toEqual([NEAR, BESIDE, FAR]);
  });

  it("is asked for again when it is not what the manifest says", async () => {
    const { ground, asked } = setUp((id, refusals) => (id === BESIDE && refusals === 0 ? 0 : 1));
    await ground.prepare([1, 0, 0]);
    expect(asked).toEqual([NEAR, BESIDE, BESIDE]);
  });
});
