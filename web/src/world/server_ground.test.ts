import { describe, expect, it } from "vitest";
import { tokenOf } from "./cells.ts";
import { type Built, type Job, readPlants, readTile } from "./messages.ts";
import { ServerGround } from "./server_ground.ts";

const QUADS = 32;
const tile = (i: number, j: number): Job => ({
  kind: "tile",
  key: i * 100 + j,
  cell: { face: 0, level: 5, i, j },
  quads: QUADS,
});

const flat = (value: number) => Array.from({ length: 65 * 65 }, () => value);
const CHUNK = {
  elevation_m: flat(12),
  water_m: flat(0).map(() => null),
  temperature_c: flat(10),
  rain_mm: flat(600),
  biome: flat(6),
};

function setUp() {
  const asked: { url: string; answer: (response: Response) => void; fail: () => void }[] = [];
  const built: Built[] = [];
  const failed: string[] = [];
  const later: { work: () => void; ms: number }[] = [];
  const ground = new ServerGround(
    {
      planetHash: "ab",
      radiusM: 796_375,
      fetch: (url) =>
        new Promise((resolve, reject) => {
          asked.push({ url, answer: resolve, fail: () => reject(new TypeError("offline")) });
        }),
      later: (work, ms) => later.push({ work, ms }),
      random: () => 0,
      nowMs: () => 0,
    },
    { onBuilt: (one) => built.push(one), onFailed: (reason) => failed.push(reason) },
  );
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  return { ground, asked, built, failed, later, settle };
}

describe("ground from the server", () => {
  it("asks once for the chunk of four sisters and builds them all", async () => {
    const { ground, asked, built, settle } = setUp();
    const sisters = [tile(4, 6), tile(5, 6), tile(4, 7), tile(5, 7)];
    ground.want(sisters);
    ground.want(sisters);
    const token = tokenOf({ face: 0, level: 4, i: 2, j: 3 });
    expect(asked.map(({ url }) => url)).toEqual([`/api/v1/planet/ab/chunks/${token}?format=json`]);
    asked[0]?.answer(Response.json(CHUNK));
    await settle();
    expect(built.map(({ key }) => key)).toEqual([406, 506, 407, 507]);
    const first = readTile(built[0]?.bytes ?? new ArrayBuffer(0), QUADS);
    expect([first.lowestM, first.highestM]).toEqual([12, 12]);
    expect(ground.pendingCount).toBe(0);
  });

  it("answers for plants that there are none", () => {
    const { ground, built } = setUp();
    ground.want([
      { kind: "plants", key: 7, cell: { face: 0, level: 14, i: 0, j: 0 }, slots: 16, layer: "trees" },
    ]);
    expect(built.map(({ key, bytes }) => [key, readPlants(bytes).plants])).toEqual([[7, []]]);
  });

  it("waits after a failure, and asks again", async () => {
    const { ground, asked, built, later, settle } = setUp();
    ground.want([tile(0, 0)]);
    asked[0]?.fail();
    await settle();
    expect([asked.length, later.map(({ ms }) => ms)]).toEqual([1, [250]]);
    later.shift()?.work();
    asked[1]?.answer(Response.json({ ...CHUNK, biome: [] }));
    await settle();
    expect(later.map(({ ms }) => ms)).toEqual([500]);
    later.shift()?.work();
    asked[2]?.answer(Response.json(CHUNK));
    await settle();
    expect(built).toHaveLength(1);
  });

  it("fails where the server knows no ground", async () => {
    const { ground, asked, failed, settle } = setUp();
    ground.want([tile(0, 0)]);
    asked[0]?.answer(new Response(null, { status: 404 }));
    await settle();
    expect(failed).toHaveLength(1);
  });
});
