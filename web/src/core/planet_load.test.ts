/** The manifest and tiles of the golden artifact of `crates/planet`, through the page's own WebAssembly. */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { cellLevel, tryCellId } from "../geo/cell_id.ts";
import { coreForTest } from "./core_test_support.ts";
import type { PageExports } from "./exports.ts";
import { BadManifest } from "./planet.ts";
import { loadPlanet } from "./planet_load.ts";
import type { TileStore } from "./tile_store.ts";

const file = readFileSync(new URL("../../../crates/planet/src/artifact/golden_v1.trp", import.meta.url));
const artifact = new Uint8Array(file);
const header = new DataView(artifact.buffer);
/** See the layout in `artifact.rs`: header, identity, one size a tile, the tiles. */
const TILES = 6;
const sizesAt = 48 + header.getUint32(12, true);
const manifest = artifact.slice(0, sizesAt + 4 * TILES);
const hash = Buffer.from(artifact.subarray(16, 48)).toString("hex");
const URL_OF_MANIFEST = `/api/v1/planet/${hash}/manifest`;

function storeOf(kept?: Uint8Array<ArrayBuffer>) {
  const stored = new Map(kept ? [[URL_OF_MANIFEST, kept]] : []);
  const store: TileStore = {
    get: (url) => Promise.resolve(stored.get(url)),
    put: async (url, bytes) => void stored.set(url, bytes),
    delete: async (url) => void stored.delete(url),
  };
  return { store, stored };
}

let core: PageExports;
beforeAll(async () => {
  core = await coreForTest();
});

describe("the planet's manifest", () => {
  const load = async (
    kept: Uint8Array<ArrayBuffer> | undefined,
    sent: Uint8Array<ArrayBuffer>,
    name = hash,
  ) => {
    const { store, stored } = storeOf(kept);
    const asked: RequestInit[] = [];
    const loaded = loadPlanet(core, name, store, (_url, options) => {
      asked.push(options);
      return Promise.resolve(new Response(sent));
    });
    return { planet: (await loaded).planet, asked, stored };
  };

  it("comes from the server at first and from the browser later", async () => {
    const first = await load(undefined, manifest);
    expect([first.planet.hash, first.asked.length]).toEqual([hash, 1]);
    expect(first.stored.get(URL_OF_MANIFEST)).toEqual(manifest);
    expect((await load(manifest, manifest)).asked).toEqual([]);
  });

  it("is fetched anew when the browser's is spoilt", async () => {
    const spoilt = manifest.slice();
    spoilt[70] = (spoilt[70] ?? 0) ^ 1;
    const { asked, planet } = await load(spoilt, manifest);
    expect([planet.hash, asked]).toEqual([hash, [{ cache: "reload" }]]);
  });

  it("is refused when it is of another planet, another version or none at all", async () => {
    await expect(load(undefined, manifest, "00".repeat(32))).rejects.toThrow(BadManifest);
    await expect(load(undefined, manifest.slice(0, 90))).rejects.toThrow("damaged");
    const newer = manifest.slice();
    newer[8] = 99;
    await expect(load(undefined, newer)).rejects.toThrow("another version");
  });
});

it("a tile is taken only as the manifest says, and then it is not missing", async () => {
  const { store } = storeOf(manifest);
  const { planet } = await loadPlanet(core, hash, store, () => Promise.reject(new Error("offline")));
  const missing = planet.missingAround([1, 0.2, 0.1], 400);
  let at = sizesAt + 4 * TILES;
  for (let face = 0n; face < TILES; face += 1n) {
    const id = tryCellId((face << 61n) | (1n << 60n));
    if (id === undefined) throw new Error("every face is a cell");
    const size = header.getUint32(sizesAt + 4 * Number(face), true);
    const tile = artifact.slice(at, at + size);
    at += size;
    const spoilt = tile.slice();
    spoilt[size >> 1] = (spoilt[size >> 1] ?? 0) ^ 16;
    expect(planet.insertTile(id, spoilt)).toBe(false);
    expect(planet.insertTile(id, tile)).toBe(true);
  }
  for (const id of missing) expect(cellLevel(id)).toBe(0);
  expect(planet.missingAround([1, 0.2, 0.1], 400)).toEqual([]);
  expect(planet.groundAt([1, 0.2, 0.1]).isExact).toBe(true);
});
