/** What time it is on the server, from the quickest of the last few pings. */
export class ServerClock {
  static readonly #SAMPLES_MAX = 8;
  readonly #samples: { roundTripMs: number; offsetMs: number }[] = [];

  /** `sentMs` and `receivedMs` by the local clock, `serverMs` what the server answered. */
  observe(sentMs: number, receivedMs: number, serverMs: number): void {
    const roundTripMs = receivedMs - sentMs;
    if (!(roundTripMs >= 0) || !Number.isFinite(serverMs)) return;
    this.#samples.push({ roundTripMs, offsetMs: serverMs - (sentMs + receivedMs) / 2 });
    if (this.#samples.length > ServerClock.#SAMPLES_MAX) this.#samples.shift();
  }

  get #best() {
    let best = this.#samples[0];
    for (const sample of this.#samples) if (best && sample.roundTripMs < best.roundTripMs) best = sample;
    return best;
  }

  /** Server time at local time `localMs`; `undefined` before the first answer. */
  at(localMs: number): number | undefined {
    const best = this.#best;
    return best && localMs + best.offsetMs;
  }

  /** The latest round trip; `undefined` before the first answer. */
  get roundTripMs(): number | undefined {
    return this.#samples.at(-1)?.roundTripMs;
  }
}
