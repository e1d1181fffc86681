import { afterEach, describe, expect, it, vi } from "vitest";
import { openTileStore } from "./tile_store.ts";

/** A Cache API that holds what the test lets it. */
class StandInCaches {
  readonly all = new Map<string, Map<string, Response>>();
  isFull = false;

  async open(name: string) {
    const entries = this.all.get(name) ?? new Map<string, Response>();
    this.all.set(name, entries);
    return {
      match: async (url: string) => entries.get(url)?.clone(),
      put: async (url: string, response: Response) => {
        if (this.isFull) throw new DOMException("no room", "QuotaExceededError");
        entries.set(url, response);
      },
      delete: async (url: string) => entries.delete(url),
    };
  }

  async keys() {
    return [...this.all.keys()];
  }

  async delete(name: string) {
    return this.all.delete(name);
  }
}

describe("what the browser keeps of a planet", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is there on the next visit, and that of other planets is not", async () => {
    const standIn = new StandInCaches();
    await standIn.open("terrane-planet/old");
    await standIn.open("somebody's else");
    vi.stubGlobal("caches", standIn);
    await (await openTileStore("new")).put("/a", Uint8Array.from([1, 2]));
    const again = await openTileStore("new");
    expect(await again.get("/a")).toEqual(Uint8Array.from([1, 2]));
    expect(await again.get("/b")).toBeUndefined();
    await again.delete("/a");
    expect(await again.get("/a")).toBeUndefined();
    expect([...standIn.all.keys()]).toEqual(["somebody's else", "terrane-planet/new"]);
  });

  it("does without room, and without a cache at all", async () => {
    const standIn = new StandInCaches();
    standIn.isFull = true;
    vi.stubGlobal("caches", standIn);
    const full = await openTileStore("new");
    await full.put("/a", Uint8Array.from([1]));
    expect(await full.get("/a")).toBeUndefined();
    vi.stubGlobal("caches", undefined);
    const none = await openTileStore("new");
    await none.put("/a", Uint8Array.from([1]));
    expect(await none.get("/a")).toBeUndefined();
  });
});
