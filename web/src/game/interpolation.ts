/**
 * Other bodies, a little in the past: the server tells where they are ten times a second, and they are drawn where
 * they were {@link DELAY_MS} ago, on a smooth path between two tellings.
 */
import { add, distance, lerp, normalize, scale, subtract, type Vec3, ZERO } from "../geo/vec3.ts";
import type { Mode } from "./body.ts";

/** The time between two sends of the server. */
export const SEND_INTERVAL_MS = 100;
/** How far in the past others are drawn: enough for one send to come late without a stop. */
export const DELAY_MS = 2.2 * SEND_INTERVAL_MS;
const FADE_IN_MS = 300;
const FADE_OUT_MS = 450;
/** A body that is further from its last place than this was set there: it does not slide. */
const SLIDE_MAX_M = 20;
const SAMPLES_MAX = 12;

/** Where the server said a body was at a tick. */
export interface Sighting {
  readonly timeMs: number;
  readonly position: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
}

/** A body as it is drawn. */
export interface Shown {
  readonly position: Vec3;
  readonly velocity: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
}

/** The last sightings of one body. */
export class Track {
  readonly #sightings: Sighting[] = [];

  /** Takes a sighting; one that is not newer than the last is dropped. */
  push(sighting: Sighting): void {
    const last = this.#sightings.at(-1);
    if (last && sighting.timeMs <= last.timeMs) return;
    if (last && distance(last.position, sighting.position) > SLIDE_MAX_M) this.#sightings.length = 0;
    this.#sightings.push(sighting);
    if (this.#sightings.length > SAMPLES_MAX) this.#sightings.shift();
  }

  /** The body at `timeMs`: on the curve between two sightings, held still before the first and after the last. */
  at(timeMs: number): Shown | undefined {
    const after = this.#sightings.findIndex((sighting) => sighting.timeMs > timeMs);
    const next = this.#sightings[after];
    const held = after === -1 ? this.#sightings.at(-1) : after === 0 ? next : undefined;
    if (held) return { ...held, velocity: ZERO };
    const from = this.#sightings[after - 1];
    if (!from || !next) return undefined;
    const spanS = (next.timeMs - from.timeMs) / 1000;
    const share = (timeMs - from.timeMs) / (next.timeMs - from.timeMs);
    const { position, velocity } = hermite(
      from.position,
      next.position,
      this.#velocityAt(after - 1),
      this.#velocityAt(after),
      spanS,
      share,
    );
    return { position, velocity, facing: normalize(lerp(from.facing, next.facing, share)), mode: from.mode };
  }

  /** Metres per second at a sighting, from its neighbours. */
  #velocityAt(index: number): Vec3 {
    const here = this.#sightings[index];
    const before = this.#sightings[index - 1] ?? here;
    const after = this.#sightings[index + 1] ?? here;
    if (!before || !after || after.timeMs === before.timeMs) return ZERO;
    return scale(subtract(after.position, before.position), 1000 / (after.timeMs - before.timeMs));
  }
}

/**
 * The cubic through two places with given velocities. Places are chords of the planet a metre or so apart, where
 * the sphere is flat to less than a micrometre.
 */
function hermite(p0: Vec3, p1: Vec3, v0: Vec3, v1: Vec3, spanS: number, t: number) {
  const sum = (a: number, b: number, c: number, d: number) =>
    add(add(scale(p0, a), scale(v0, b * spanS)), add(scale(p1, c), scale(v1, d * spanS)));
  const t2 = t * t;
  const t3 = t2 * t;
  return {
    position: sum(2 * t3 - 3 * t2 + 1, t3 - 2 * t2 + t, -2 * t3 + 3 * t2, t3 - t2),
    velocity: scale(
      sum(6 * t2 - 6 * t, 3 * t2 - 4 * t + 1, -6 * t2 + 6 * t, 3 * t2 - 2 * t),
      spanS > 0 ? 1 / spanS : 0,
    ),
  };
}

/**
 * Turns the local clock into the server time to draw: arrivals jitter, so it follows the quickest of them and
 * changes its pace by a tenth at most, never its direction.
 */
export class PlaybackClock {
  static readonly #PACE = 0.1;
  static readonly #SNAP_MS = 1_000;
  readonly #offsetsMs: number[] = [];
  #shownMs: number | undefined;
  #lastNowMs = 0;

  /** A frame of server time `serverMs` arrived at local time `nowMs`. */
  observe(serverMs: number, nowMs: number): void {
    this.#offsetsMs.push(nowMs - serverMs);
    if (this.#offsetsMs.length > 30) this.#offsetsMs.shift();
  }

  /** The server time to draw at local time `nowMs`; `undefined` before the first frame. */
  at(nowMs: number): number | undefined {
    if (this.#offsetsMs.length === 0) return undefined;
    const target = nowMs - Math.min(...this.#offsetsMs) - DELAY_MS;
    const elapsed = nowMs - this.#lastNowMs;
    this.#lastNowMs = nowMs;
    if (this.#shownMs === undefined || Math.abs(target - this.#shownMs) > PlaybackClock.#SNAP_MS) {
      this.#shownMs = target;
    } else {
      const behind = target - (this.#shownMs + elapsed);
      const slack = elapsed * PlaybackClock.#PACE;
      this.#shownMs += elapsed + Math.max(-slack, Math.min(slack, behind));
    }
    return this.#shownMs;
  }

  /** After a new connection ticks may have started over. */
  reset(): void {
    this.#offsetsMs.length = 0;
    this.#shownMs = undefined;
  }
}

/** One other body as it is drawn, with how solid it is. */
export interface ShownPerson extends Shown {
  readonly id: number;
  /** 0 to 1: bodies fade in when they come near and out when they leave. */
  readonly opacity: number;
  readonly isLeaving: boolean;
}

/** All other bodies in sight. */
export class Crowd {
  readonly #bodies = new Map<number, { track: Track; sinceMs: number; leftMs: number | undefined }>();

  /** The bodies now in sight; those missing start to fade. */
  see(sightings: Iterable<Sighting & { readonly id: number }>, nowMs: number): void {
    const missing = new Set(this.#bodies.keys());
    for (const sighting of sightings) {
      missing.delete(sighting.id);
      let body = this.#bodies.get(sighting.id);
      if (!body || body.leftMs !== undefined) {
        body = { track: body?.track ?? new Track(), sinceMs: nowMs, leftMs: undefined };
        this.#bodies.set(sighting.id, body);
      }
      body.track.push(sighting);
    }
    for (const id of missing) {
      const body = this.#bodies.get(id);
      if (body) body.leftMs ??= nowMs;
    }
  }

  /** Everyone to draw at server time `timeMs`; forgets those who have faded away. */
  *shown(timeMs: number, nowMs: number): Generator<ShownPerson> {
    for (const [id, body] of this.#bodies) {
      const leaving = body.leftMs === undefined ? 0 : (nowMs - body.leftMs) / FADE_OUT_MS;
      const shown = body.track.at(timeMs);
      if (leaving >= 1 || !shown) {
        if (leaving >= 1) this.#bodies.delete(id);
        continue;
      }
      const opacity = Math.min(1, (nowMs - body.sinceMs) / FADE_IN_MS) * (1 - leaving);
      yield { ...shown, id, opacity, isLeaving: body.leftMs !== undefined };
    }
  }

  clear(): void {
    this.#bodies.clear();
  }
}
