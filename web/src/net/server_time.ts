/**
 * What time it is on the server, from the `Date` of its answers: whole seconds, but each answer narrows down where
 * the true difference lies, so a handful of them is good to a few hundredths.
 */
export class ServerTime {
  #leastMs = Number.NEGATIVE_INFINITY;
  #mostMs = Number.POSITIVE_INFINITY;

  /** An answer that was asked for and received at these local times, with its `Date` header. */
  observe(sentMs: number, receivedMs: number, date: string | null): void {
    const serverMs = date === null ? Number.NaN : Date.parse(date);
    if (!Number.isFinite(serverMs) || receivedMs < sentMs) return;
    // Written some time between the two, in the second that the header names.
    const least = serverMs - receivedMs;
    const most = serverMs + 1_000 - sentMs;
    if (least > this.#mostMs || most < this.#leastMs) {
      // One of the clocks was set: what was known is worth nothing.
      this.#leastMs = least;
      this.#mostMs = most;
      return;
    }
    this.#leastMs = Math.max(this.#leastMs, least);
    this.#mostMs = Math.min(this.#mostMs, most);
  }

  /** Server time at a local time; the local time itself before the first answer. */
  at(localMs: number): number {
    if (this.#leastMs === Number.NEGATIVE_INFINITY) return localMs;
    return localMs + (this.#leastMs + this.#mostMs) / 2;
  }
}
