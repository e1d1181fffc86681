/** How long to wait before each new attempt: doubling, with jitter, so that a crowd does not come back as one. */
export class Backoff {
  #attempts = 0;

  constructor(
    private readonly firstMs: number,
    private readonly maxMs: number,
    private readonly random: () => number,
  ) {}

  /** The next wait: between half of the current bound and the bound. */
  nextMs(): number {
    const bound = Math.min(this.maxMs, this.firstMs * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, 30);
    return bound * (0.5 + 0.5 * this.random());
  }

  /** After success the next failure starts from the beginning. */
  reset(): void {
    this.#attempts = 0;
  }
}
