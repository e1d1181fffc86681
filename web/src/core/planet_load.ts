/** The planet of this server: its manifest, kept by the browser, and the planet that it makes. */
import { BadManifest, Planet, type PlanetExports } from "./planet.ts";
import type { TileStore } from "./tile_store.ts";

export interface LoadedPlanet {
  readonly planet: Planet;
  /** What workers make theirs from. */
  readonly manifest: Uint8Array<ArrayBuffer>;
}

/**
 * Takes the manifest from the browser, and from the server if it is not there or spoilt; `ask` is `fetch`, or something
 * with its manners. Rejects with {@link BadManifest} when the server's own is not of this planet.
 */
export async function loadPlanet(
  core: PlanetExports,
  planetHash: string,
  store: TileStore,
  ask: (url: string, options: RequestInit) => Promise<Response>,
): Promise<LoadedPlanet> {
  const url = `/api/v1/planet/${planetHash}/manifest`;
  const make = (manifest: Uint8Array<ArrayBuffer>): LoadedPlanet => {
    const planet = Planet.fromManifest(core, manifest);
    if (planet.hash !== planetHash) throw new BadManifest(false);
    return { planet, manifest };
  };
  const kept = await store.get(url);
  if (kept) {
    try {
      return make(kept);
    } catch (error) {
      if (!(error instanceof BadManifest)) throw error;
      await store.delete(url);
    }
  }
  const response = await ask(url, { cache: kept ? "reload" : "default" });
  if (!response.ok) throw new Error(`the planet's manifest could not be loaded (HTTP ${response.status})`);
  const manifest = new Uint8Array(await response.arrayBuffer());
  const loaded = make(manifest);
  void store.put(url, manifest);
  return loaded;
}
