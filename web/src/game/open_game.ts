/** From an empty page to a body on the ground: loads everything side by side and says how far it is. */

import type { PageExports } from "../core/exports.ts";
import { BadManifest } from "../core/planet.ts";
import { loadPlanet } from "../core/planet_load.ts";
import { TileSource, TileUnavailable } from "../core/tile_source.ts";
import { openTileStore } from "../core/tile_store.ts";
import { WalkedGround } from "../core/walked_ground.ts";
import { compileCore, instantiateCore } from "../core/wasm.ts";
import { parsePlaceLink } from "../geo/place_link.ts";
import { Api, publicApi } from "../net/api.ts";
import { NoDeviceKey } from "../net/device_key.ts";
import type { Identity } from "../net/identity.ts";
import { anyIdentity } from "../net/open_identity.ts";
import { keepPreferences, movesLittle } from "../net/preferences.ts";
import { Refusal } from "../net/refusal.ts";
import { ApiError, reach, Unreachable } from "../net/rest.ts";
import { WayIn } from "../net/way_in.ts";
import { Game, type GameParts } from "./game.ts";
import { probeGraphics, requireBrowser, Unplayable } from "./requirements.ts";
import { type QualityChoice, qualityOf, thisDevice } from "./settings.ts";

/** A processor that draws by itself manages some ten pictures of this size a second. */
const SOFTWARE_PIXELS_MAX = 500_000;
/** Raster tiles kept as they came, for the page and its workers. */
const KEPT_BYTES_MAX = { low: 2_000_000, medium: 4_000_000, high: 8_000_000 } as const;
/** And unpacked on the page: those round the person, wherever they have been lately. */
const PAGE_RASTER_TILES_MAX = 32;

/** What a page brings; the rest is loaded. */
export interface OpenOptions
  extends Pick<
    GameParts,
    | "canvas"
    | "labels"
    | "daylight"
    | "onHud"
    | "onChat"
    | "onHappened"
    | "onAction"
    | "onQuality"
    | "onDaylight"
    | "onBroken"
  > {
  readonly quality: QualityChoice;
  readonly onProgress: (share: number, step: string) => void;
}

/** Rejects with {@link Unplayable} when there is something the person can do about it. */
export async function openGame(options: OpenOptions): Promise<Game> {
  requireBrowser();
  const progress = new Progress(options.onProgress);
  const device = thisDevice();
  const quality = qualityOf(options.quality, probeGraphics(), device);
  progress.say("Fetching the planet…");
  try {
    const [module, planetInfo, identity, { World }, { Skies }] = await Promise.all([
      compileCore((share) => progress.reach("code", share)),
      publicApi.planet().finally(() => progress.reach("planet", 1)),
      logIn().finally(() => progress.reach("login", 1)),
      import("../world/world.ts").finally(() => progress.reach("renderer", 1)),
      import("./skies.ts"),
    ]);
    progress.say("Raising the land…");
    const wayIn = new WayIn();
    const way = wayIn.prepare(planetInfo.transport, async () => (await publicApi.planet()).transport);
    const { planetHash } = planetInfo;
    const [core, store] = await Promise.all([
      instantiateCore(module) as Promise<PageExports>,
      openTileStore(planetHash),
    ]);
    const { planet, manifest } = await loadPlanet(core, planetHash, store, (url, init) =>
      reach(new Request(url, init)),
    );
    planet.keepTiles(PAGE_RASTER_TILES_MAX);
    // Said in the log of the game, which comes last.
    const unsaid: string[] = [];
    let say = (text: string): void => void unsaid.push(text);
    const tiles = new TileSource({
      planetHash,
      store,
      keptBytesMax: KEPT_BYTES_MAX[quality],
      fetch: (url, init) => fetch(url, init),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random: Math.random,
      onLate: (isLate) =>
        say(isLate ? "The ground is late: the server does not answer." : "The ground comes again."),
    });
    const world = await World.create({
      canvas: options.canvas,
      module,
      planet,
      planetHash,
      manifest,
      tiles,
      arrival: planetInfo.arrival,
      groundFrom: groundFrom(location.search),
      onServerGround: (reason) => {
        console.info(`the ground comes from the server: ${reason}`);
        say("The ground comes from the server: it loads more slowly, and nothing grows on it.");
      },
      quality,
      isAdaptive: options.quality === "auto",
      device,
      reducedMotion: movesLittle(),
    });
    progress.reach("world", 1);
    progress.say("Finding your feet…");
    const isSlow = quality === "low" && probeGraphics() === "software";
    const pixelsMax = isSlow ? SOFTWARE_PIXELS_MAX : Number.POSITIVE_INFINITY;
    const onWaiting = (reason: string) => progress.say(`Not yet: ${reason}. Trying again…`);
    const ground = new WalkedGround(planet, tiles);
    const skies = new Skies(core, planet, planetInfo.dayLengthS, options.daylight, location.search);
    await ground.bring(skies.missing());
    const parts = {
      ...options,
      onWaiting,
      pixelsMax,
      core,
      planet,
      ground,
      skies,
      planetInfo,
      world,
      api: new Api(identity),
      identity,
      wayIn,
    };
    // What was kept here holds until it is heard.
    parts.api.settings().then(keepPreferences, console.warn);
    await way;
    const game = new Game(parts, parsePlaceLink(location.hash));
    say = game.notice;
    unsaid.forEach(say);
    await game.start();
    progress.reach("arrival", 1);
    return game;
  } catch (error) {
    throw explained(error);
  }
}

/** `?terrain=server` has the server build the ground, for browsers whose workers do worse than they say. */
export function groundFrom(search: string): "workers" | "server" {
  return new URLSearchParams(search).get("terrain") === "server" ? "server" : "workers";
}

async function logIn(): Promise<Identity> {
  const identity = await anyIdentity();
  await identity.accessToken();
  return identity;
}

function explained(error: unknown): unknown {
  if (error instanceof Unreachable) {
    return new Unplayable(
      "The planet cannot be reached",
      "The server does not answer. Check the connection and try again.",
    );
  }
  if (error instanceof NoDeviceKey) return new Unplayable("This page cannot keep your key", error.message);
  if (error instanceof Refusal) return new Unplayable("The planet does not let you in", error.detail);
  if (error instanceof ApiError) {
    return new Unplayable("The planet is not well", `${error.detail} Try again in a moment.`);
  }
  if (error instanceof BadManifest) {
    return new Unplayable(
      "This page does not fit the planet",
      error.isOtherVersion
        ? "The planet has changed since this page was made. Reload it."
        : "The planet came damaged. Reload the page; if that does not help, tell whoever runs the server.",
    );
  }
  if (error instanceof TileUnavailable) {
    return new Unplayable("A piece of the planet is missing", `Reload the page: ${error.message}.`);
  }
  return error;
}

/** How much of the way each part is, as measured on a laptop with an empty cache. */
const SHARES = { code: 0.3, planet: 0.05, login: 0.1, renderer: 0.2, world: 0.2, arrival: 0.15 } as const;

class Progress {
  readonly #reached = new Map<keyof typeof SHARES, number>();
  #step = "";

  constructor(private readonly onProgress: OpenOptions["onProgress"]) {}

  say(step: string): void {
    this.#step = step;
    this.#tell();
  }

  reach(part: keyof typeof SHARES, share: number): void {
    this.#reached.set(part, share);
    this.#tell();
  }

  #tell(): void {
    let sum = 0;
    for (const [part, share] of this.#reached) sum += SHARES[part] * share;
    this.onProgress(Math.min(1, sum), this.#step);
  }
}
