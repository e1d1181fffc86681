/**
 * Which moment of the server's time everything sent may be expected to have arrived for. Arrivals jitter; it stays
 * behind the quickest of them by what all but the latest tenth need, follows a growing jitter at once and a falling one
 * slowly, and changes its pace by a tenth at most, never its direction. Each body is drawn behind this moment by what
 * the rate of its cell asks for (`crates/browser/src/tracks.rs`).
 */

/** So much of the time that runs is made up or let go at once. */
const PACE = 0.1;
/** Further off than this, it jumps. */
const SNAP_MS = 1_000;
/** Arrivals that the jitter is measured by: six seconds of a lively place. */
const ARRIVALS_MAX = 60;
const ARRIVAL_KEPT_MS = 8_000;
/** The share of arrivals that must be in time; what is later, the bodies' own way on bridges. */
const IN_TIME = 0.9;
const ALLOWANCE_MIN_MS = 8;
const ALLOWANCE_MAX_MS = 700;
/** How much of an allowance that is no longer needed is given back in a second. */
const GIVEN_BACK_PER_S = 0.15;

/** From a tick on, each takes so long. */
interface Stretch {
  readonly tick: number;
  readonly ms: number;
  readonly msPerTick: number;
}

export class PlaybackClock {
  #stretches: Stretch[];
  #arrivals: { readonly lateMs: number; readonly atMs: number }[] = [];
  #allowanceMs = 40;
  #allowanceAtMs = 0;
  #shownMs: number | undefined;
  #lastNowMs = 0;

  constructor(private readonly tickMs: number) {
    this.#stretches = [{ tick: 0, ms: 0, msPerTick: tickMs }];
  }

  /** From tick `fromTick` on, a tick takes `factor` times as long as planned. */
  stretch(factor: number, fromTick: number): void {
    const ms = this.#msOf(fromTick);
    const kept = this.#stretches.filter(({ tick }) => tick < fromTick).slice(-3);
    this.#stretches = [...kept, { tick: fromTick, ms, msPerTick: this.tickMs * factor }];
  }

  /** What was sent after `tick` arrived at local time `nowMs`. */
  observe(tick: number, nowMs: number): void {
    this.#arrivals.push({ lateMs: nowMs - this.#msOf(tick), atMs: nowMs });
    while (this.#arrivals.length > ARRIVALS_MAX || this.#isOld(this.#arrivals[0], nowMs))
      this.#arrivals.shift();
    const lateness = this.#lateness;
    const needed = lateness[Math.min(lateness.length - 1, Math.floor(lateness.length * IN_TIME))] ?? 0;
    const wanted = Math.max(ALLOWANCE_MIN_MS, Math.min(ALLOWANCE_MAX_MS, needed));
    const givenBack = Math.min(1, ((nowMs - this.#allowanceAtMs) / 1_000) * GIVEN_BACK_PER_S);
    this.#allowanceAtMs = nowMs;
    if (wanted > this.#allowanceMs) this.#allowanceMs = wanted;
    else this.#allowanceMs += (wanted - this.#allowanceMs) * givenBack;
  }

  /** The tick to draw by at local time `nowMs`, often between two; `undefined` before the first arrival. */
  at(nowMs: number): number | undefined {
    if (this.#arrivals.length === 0) return undefined;
    const target = nowMs - this.#quickest - this.#allowanceMs;
    const elapsed = nowMs - this.#lastNowMs;
    this.#lastNowMs = nowMs;
    if (this.#shownMs === undefined || Math.abs(target - this.#shownMs) > SNAP_MS) {
      this.#shownMs = target;
    } else {
      const behind = target - (this.#shownMs + elapsed);
      const slack = elapsed * PACE;
      this.#shownMs += elapsed + Math.max(-slack, Math.min(slack, behind));
    }
    return this.#tickOf(this.#shownMs);
  }

  /** How much later than the quickest nearly everything arrives. */
  get jitterMs(): number {
    const lateness = this.#lateness;
    return lateness[Math.floor(lateness.length * IN_TIME)] ?? 0;
  }

  /** By how much the moment shown is behind the quickest arrival. */
  get allowanceMs(): number {
    return this.#allowanceMs;
  }

  get #quickest(): number {
    return Math.min(...this.#arrivals.map(({ lateMs }) => lateMs));
  }

  /** Lateness of each arrival against the quickest, ascending. */
  get #lateness(): number[] {
    const quickest = this.#quickest;
    return this.#arrivals.map(({ lateMs }) => lateMs - quickest).sort((a, b) => a - b);
  }

  #isOld(arrival: { readonly atMs: number } | undefined, nowMs: number): boolean {
    return arrival !== undefined && nowMs - arrival.atMs > ARRIVAL_KEPT_MS;
  }

  #msOf(tick: number): number {
    const last = this.#stretches.findLast((stretch) => stretch.tick <= tick) ?? this.#stretches[0];
    return last ? last.ms + (tick - last.tick) * last.msPerTick : tick * this.tickMs;
  }

  #tickOf(ms: number): number {
    const last = this.#stretches.findLast((stretch) => stretch.ms <= ms) ?? this.#stretches[0];
    return last ? last.tick + (ms - last.ms) / last.msPerTick : ms / this.tickMs;
  }
}
