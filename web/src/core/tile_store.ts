/**
 * What the browser keeps of a planet between visits: raster tiles by their address, in the Cache API.
 *
 * The cache is named by the planet's hash, so another planet's bytes can never be taken for this one's. Nothing depends
 * on it: where it is missing, full or broken, tiles come from the server each time.
 */

/** Keeps bytes under an address; never fails, only forgets. */
export interface TileStore {
  get(url: string): Promise<Uint8Array<ArrayBuffer> | undefined>;
  put(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  delete(url: string): Promise<void>;
}

const NAME_PREFIX = "terrane-planet/";

/** Opens the cache of a planet and deletes those of others. */
export async function openTileStore(planetHash: string): Promise<TileStore> {
  const name = NAME_PREFIX + planetHash;
  try {
    const cache = await caches.open(name);
    for (const other of await caches.keys()) {
      if (other.startsWith(NAME_PREFIX) && other !== name) await caches.delete(other);
    }
    return new CachedTiles(cache);
  } catch {
    // No Cache API outside a secure context, and none in some private windows.
    return NO_STORE;
  }
}

class CachedTiles implements TileStore {
  /** Once the browser gives no more room there is no use in asking again. */
  #isFull = false;

  constructor(private readonly cache: Cache) {}

  async get(url: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
    try {
      const response = await this.cache.match(url);
      return response && new Uint8Array(await response.arrayBuffer());
    } catch {
      return undefined;
    }
  }

  async put(url: string, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.#isFull) return;
    try {
      await this.cache.put(url, new Response(bytes));
    } catch {
      this.#isFull = true;
    }
  }

  async delete(url: string): Promise<void> {
    try {
      await this.cache.delete(url);
      this.#isFull = false;
    } catch {
      // Then it stays, and is found to be wrong again the next time.
    }
  }
}

/** Keeps nothing. */
export const NO_STORE: TileStore = {
  get: () => Promise.resolve(undefined),
  put: () => Promise.resolve(),
  delete: () => Promise.resolve(),
};
