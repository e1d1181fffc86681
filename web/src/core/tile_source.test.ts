import { describe, expect, it } from "vitest";
import { type CellId, cellToken, tryCellId } from "../geo/cell_id.ts";
import { TileSource, type TileSourceParts, TileUnavailable } from "./tile_source.ts";
import { NO_STORE, type TileStore } from "./tile_store.ts";

/** A cell of level 3: its tile is of layer 9. */
const cellOf = (number: number): CellId => {
  const id = tryCellId((BigInt(number) << 56n) | (1n << 54n));
  if (id === undefined) throw new Error(`no cell ${number}`);
  return id;
};
const A = cellOf(1);
const B = cellOf(2);

interface Asked {
  readonly url: string;
  readonly options: RequestInit;
  answer(response: Response): void;
  fail(): void;
}

function setUp(parts: Partial<TileSourceParts> = {}) {
  const asked: Asked[] = [];
  const late: boolean[] = [];
  const source = new TileSource({
    planetHash: "ab12",
    store: NO_STORE,
    keptBytesMax: 1000,
    fetch: (url, options) =>
      new Promise((resolve, reject) => {
        asked.push({ url, options, answer: resolve, fail: () => reject(new TypeError("offline")) });
      }),
    sleep: () => Promise.resolve(),
    random: () => 0,
    onLate: (isLate) => late.push(isLate),
    ...parts,
  });
  return { source, asked, late };
}

const bytes = (...values: number[]) => new Response(Uint8Array.from(values));
/** Lets everything that is ready run. */
const settle = async () => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
};

function storeForTest(entries: Record<string, Uint8Array<ArrayBuffer>> = {}) {
  const stored = new Map(Object.entries(entries));
  const store: TileStore = {
    get: (url) => Promise.resolve(stored.get(url)),
    put: async (url, value) => void stored.set(url, value),
    delete: async (url) => void stored.delete(url),
  };
  return { store, stored };
}

const urlOf = (id: CellId) => `/api/v1/planet/ab12/tiles/9/${cellToken(id)}`;

describe("tiles of the planet", () => {
  it("are asked for by layer and cell, once for all who want one", async () => {
    const { source, asked } = setUp();
    const [first, second] = [source.tile(A, 5), source.tile(A, 1)];
    await settle();
    expect(asked.map(({ url }) => url)).toEqual([urlOf(A)]);
    asked[0]?.answer(bytes(1, 2, 3));
    expect((await first).bytes).toEqual(Uint8Array.from([1, 2, 3]));
    expect(await second).toBe(await first);
    expect(await source.tile(A, 1)).toBe(await first);
    expect([asked.length, source.fetchedBytes, source.pendingCount]).toEqual([1, 3, 0]);
  });

  it("come six at a time, the most urgent first", async () => {
    const { source, asked } = setUp();
    for (let number = 0; number < 9; number += 1) void source.tile(cellOf(number), number);
    void source.tile(cellOf(8), 0);
    await settle();
    expect(asked.map(({ url }) => url)).toEqual([0, 1, 2, 3, 4, 5].map((number) => urlOf(cellOf(number))));
    asked[3]?.answer(bytes(1));
    await settle();
    expect(asked.at(-1)?.url).toBe(urlOf(cellOf(8)));
  });

  it("are tried again while the server does not answer, and that is said once", async () => {
    const { source, asked, late } = setUp();
    const tile = source.tile(A, 0);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await settle();
      if (attempt % 2 === 0) asked.at(-1)?.fail();
      else asked.at(-1)?.answer(new Response(null, { status: 503 }));
    }
    await settle();
    expect(late).toEqual([true]);
    asked.at(-1)?.answer(bytes(9));
    expect((await tile).bytes).toEqual(Uint8Array.from([9]));
    expect(late).toEqual([true, false]);
  });

  it("that the server does not know are given up at once, and others go on", async () => {
    const { source, asked } = setUp();
    const [missing, other] = [source.tile(A, 0), source.tile(B, 1)];
    await settle();
    asked[0]?.answer(new Response(null, { status: 404 }));
    await expect(missing).rejects.toThrow(TileUnavailable);
    asked[1]?.answer(bytes(4));
    expect((await other).bytes).toEqual(Uint8Array.from([4]));
  });

  it("are kept by the browser, and then not asked for", async () => {
    const { store, stored } = storeForTest({ [urlOf(A)]: Uint8Array.from([7]) });
    const { source, asked } = setUp({ store });
    expect((await source.tile(A, 0)).bytes).toEqual(Uint8Array.from([7]));
    const tile = source.tile(B, 0);
    await settle();
    expect(asked.map(({ url }) => url)).toEqual([urlOf(B)]);
    asked[0]?.answer(bytes(8));
    await tile;
    expect([...stored.keys()]).toEqual([urlOf(A), urlOf(B)]);
    expect(source.fetchedBytes).toBe(1);
  });

  it("that are spoilt in the browser are fetched once more, past every cache", async () => {
    const { store, stored } = storeForTest({ [urlOf(A)]: Uint8Array.from([0]) });
    const { source, asked } = setUp({ store });
    const spoilt = await source.tile(A, 0);
    await source.refuse(spoilt);
    expect(stored.size).toBe(0);
    const again = source.tile(A, 0);
    await settle();
    expect(asked.map(({ options }) => options.cache)).toEqual(["reload"]);
    asked[0]?.answer(bytes(7));
    const tile = await again;
    expect(tile.bytes).toEqual(Uint8Array.from([7]));
    // A worker that had the spoilt bytes too does not take the good ones away.
    await source.refuse(spoilt);
    expect(await source.tile(A, 0)).toBe(tile);
    await source.refuse(tile);
    await expect(source.tile(A, 0)).rejects.toThrow("wrong tile");
  });

  it("leave the memory, the longest unused first", async () => {
    const { source, asked } = setUp({ keptBytesMax: 4 });
    const get = async (id: CellId) => {
      const before = asked.length;
      const tile = source.tile(id, 0);
      await settle();
      asked[before]?.answer(bytes(1, 2));
      await tile;
      return asked.length > before;
    };
    const C = cellOf(3);
    expect([await get(A), await get(B), await get(A), await get(C)]).toEqual([true, true, false, true]);
    expect([await get(A), await get(B)]).toEqual([false, true]);
  });
});
