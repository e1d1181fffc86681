/** From an empty page to a body on the ground: loads everything side by side and says how far it is. */

import type { PageExports } from "../core/exports.ts";
import { Planet } from "../core/planet.ts";
import { compileCore, instantiateCore } from "../core/wasm.ts";
import { parsePlaceLink } from "../geo/place_link.ts";
import { Api, publicApi } from "../net/api.ts";
import { NoDeviceKey, openDeviceKey } from "../net/device_key.ts";
import { Identity } from "../net/identity.ts";
import { Refusal } from "../net/refusal.ts";
import { ApiError, Unreachable } from "../net/rest.ts";
import { Game, type GameParts } from "./game.ts";
import { probeGraphics, requireBrowser, Unplayable } from "./requirements.ts";
import type { Quality } from "./settings.ts";

/** A processor that draws by itself manages some ten pictures of this size a second. */
const SOFTWARE_PIXELS_MAX = 500_000;

/** What a page brings; the rest is loaded. */
export interface OpenOptions
  extends Pick<
    GameParts,
    | "canvas"
    | "labels"
    | "daylight"
    | "onHud"
    | "onChat"
    | "onAction"
    | "onQuality"
    | "onDaylight"
    | "onBroken"
  > {
  readonly quality: Quality;
  readonly onProgress: (share: number, step: string) => void;
}

/** Rejects with {@link Unplayable} when there is something the person can do about it. */
export async function openGame(options: OpenOptions): Promise<Game> {
  requireBrowser();
  const progress = new Progress(options.onProgress);
  progress.say("Fetching the planet…");
  try {
    const [module, planetInfo, identity, { World }] = await Promise.all([
      compileCore((share) => progress.reach("code", share)),
      publicApi.planet().finally(() => progress.reach("planet", 1)),
      logIn().finally(() => progress.reach("login", 1)),
      import("../world/world.ts").finally(() => progress.reach("renderer", 1)),
    ]);
    progress.say("Raising the land…");
    const { seed, shift } = planetInfo;
    const [core, world] = await Promise.all([
      instantiateCore(module) as Promise<PageExports>,
      World.create({
        canvas: options.canvas,
        module,
        planet: { seed, shift },
        arrival: planetInfo.arrival,
        quality: options.quality,
        reducedMotion: matchMedia("(prefers-reduced-motion: reduce)").matches,
      }),
    ]);
    progress.reach("world", 1);
    progress.say("Finding your feet…");
    const planet = new Planet(core, seed, shift);
    const isSlow = options.quality === "low" && probeGraphics() === "software";
    const pixelsMax = isSlow ? SOFTWARE_PIXELS_MAX : Number.POSITIVE_INFINITY;
    const onWaiting = (reason: string) => progress.say(`Not yet: ${reason}. Trying again…`);
    const parts = {
      ...options,
      onWaiting,
      pixelsMax,
      core,
      planet,
      planetInfo,
      world,
      api: new Api(identity),
      identity,
    };
    const game = new Game(parts, parsePlaceLink(location.hash));
    await game.start();
    progress.reach("arrival", 1);
    return game;
  } catch (error) {
    throw explained(error);
  }
}

async function logIn(): Promise<Identity> {
  const identity = new Identity(await openDeviceKey(), location.origin, () => Date.now());
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
