/** Fewer pixels where the graphics cannot keep up, more again where they can: for the quality "auto". */

const WINDOW_FRAMES = 40;
/** Longer than this was not a frame: the page was hidden, or something loaded. */
const PAUSE_MS = 250;
const SLOW_MS = 24;
const QUICK_MS = 17.6;
/** So many quick windows in a row until more pixels are tried: going up and down again would be seen. */
const QUICK_WINDOWS = 6;
const SHARE_MIN = 0.5;

/** Watches the time between frames and says what share of the full resolution fits. */
export class Resolution {
  #share = 1;
  #lastMs: number | undefined;
  #intervals: number[] = [];
  #quickWindows = 0;

  /** 0.5 to 1, of the pixels along a side. */
  get share(): number {
    return this.#share;
  }

  /** Takes note of a frame; whether {@link share} has changed. */
  observe(nowMs: number): boolean {
    const interval = nowMs - (this.#lastMs ?? nowMs);
    this.#lastMs = nowMs;
    if (interval <= 0 || interval > PAUSE_MS) return false;
    this.#intervals.push(interval);
    if (this.#intervals.length < WINDOW_FRAMES) return false;
    const median = this.#intervals.toSorted((a, b) => a - b)[WINDOW_FRAMES >> 1] ?? 0;
    this.#intervals = [];
    this.#quickWindows = median < QUICK_MS ? this.#quickWindows + 1 : 0;
    const before = this.#share;
    if (median > SLOW_MS) this.#share = Math.max(SHARE_MIN, before * 0.84);
    else if (this.#quickWindows >= QUICK_WINDOWS) {
      this.#share = Math.min(1, before * 1.1);
      this.#quickWindows = 0;
    }
    return this.#share !== before;
  }
}
