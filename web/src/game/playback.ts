/**
 * Which moment of the server's time to draw others at: a little in the past, so that there is always a frame on
 * either side of it. Arrivals jitter; it follows the quickest of them and changes its pace by a tenth at most, never
 * its direction.
 */

/** The time between two sends of the server. */
export const SEND_INTERVAL_MS = 100;
/** How far in the past others are drawn: enough for one send to come late without a stop. */
export const DELAY_MS = 2.2 * SEND_INTERVAL_MS;
const PACE = 0.1;
const SNAP_MS = 1_000;
const ARRIVALS_MAX = 30;

export class PlaybackClock {
  readonly #offsetsMs: number[] = [];
  #shownMs: number | undefined;
  #lastNowMs = 0;

  /** A frame of server time `serverMs` arrived at local time `nowMs`. */
  observe(serverMs: number, nowMs: number): void {
    this.#offsetsMs.push(nowMs - serverMs);
    if (this.#offsetsMs.length > ARRIVALS_MAX) this.#offsetsMs.shift();
  }

  /** The server time to draw at local time `nowMs`; `undefined` before the first frame. */
  at(nowMs: number): number | undefined {
    if (this.#offsetsMs.length === 0) return undefined;
    const target = nowMs - Math.min(...this.#offsetsMs) - DELAY_MS;
    const elapsed = nowMs - this.#lastNowMs;
    this.#lastNowMs = nowMs;
    if (this.#shownMs === undefined || Math.abs(target - this.#shownMs) > SNAP_MS) {
      this.#shownMs = target;
    } else {
      const behind = target - (this.#shownMs + elapsed);
      const slack = elapsed * PACE;
      this.#shownMs += elapsed + Math.max(-slack, Math.min(slack, behind));
    }
    return this.#shownMs;
  }
}
