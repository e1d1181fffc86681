/** How the connection and the picture do, for whoever wants to see it. Counts are since the page was opened. */
import type { Tier } from "../core/stream.ts";
import type { LinkKind } from "../net/link.ts";

/** All of them; written out here, as this is read by a chunk that has nothing else of the game. */
export const TIERS: readonly Tier[] = ["own", "near", "mid", "far"];

export interface Vitals {
  readonly atMs: number;
  /** What carries the messages; `undefined` while there is no connection. */
  readonly carrier: LinkKind | undefined;
  readonly roundTripMs: number | undefined;
  /** How much later than the quickest nearly everything arrives. */
  readonly jitterMs: number;
  /** How far in the past those near are drawn, behind what is newest here. */
  readonly behindMs: number;
  readonly tickHz: number;
  readonly sendHz: number;
  /** How much longer than planned the server's ticks take. */
  readonly stretch: number;
  readonly frames: number;
  readonly bytes: number;
  readonly pictures: number;
  readonly tiers: Readonly<Record<Tier, TierVitals>>;
  readonly corrections: number;
  /** By how much our own body was corrected the last time. */
  readonly correctionM: number;
  /** How long the last loss of the connection lasted. */
  readonly lastGapMs: number | undefined;
}

export interface TierVitals {
  readonly bytes: number;
  readonly updates: number;
  /** Bodies drawn now. */
  readonly bodies: number;
}

/** What a second brought, from counts that only grow. */
export interface Rates {
  readonly frames: number;
  readonly bytes: number;
  readonly pictures: number;
  readonly tiers: Readonly<Record<Tier, { readonly bytes: number; readonly updates: number }>>;
}

const WINDOW_MS = 3_000;

/** Turns counts into rates over the last few seconds. */
export class RateMeter {
  #kept: Vitals[] = [];

  /** The rates with this newest count; `undefined` until two are far enough apart. */
  push(vitals: Vitals): Rates | undefined {
    // A new connection counts from zero.
    if ((this.#kept.at(-1)?.tiers.own.bytes ?? 0) > vitals.tiers.own.bytes) this.#kept = [];
    this.#kept.push(vitals);
    while (this.#kept.length > 2 && vitals.atMs - (this.#kept[1]?.atMs ?? 0) > WINDOW_MS) this.#kept.shift();
    const [first] = this.#kept;
    const seconds = (vitals.atMs - (first?.atMs ?? vitals.atMs)) / 1_000;
    if (!first || seconds < 0.2) return undefined;
    const rate = (now: number, then: number) => (now - then) / seconds;
    const tier = (name: Tier) => ({
      bytes: rate(vitals.tiers[name].bytes, first.tiers[name].bytes),
      updates: rate(vitals.tiers[name].updates, first.tiers[name].updates),
    });
    return {
      frames: rate(vitals.frames, first.frames),
      bytes: rate(vitals.bytes, first.bytes),
      pictures: rate(vitals.pictures, first.pictures),
      tiers: { own: tier("own"), near: tier("near"), mid: tier("mid"), far: tier("far") },
    };
  }
}
