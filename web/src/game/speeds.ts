import { distance, type Vec3 } from "../geo/vec3.ts";

/** How fast others walk, from where they are drawn: smoothed, so that legs do not stutter between two frames. */
export class Speeds {
  static readonly #SMOOTHING_MS = 150;
  readonly #last = new Map<number, { position: Vec3; speedMps: number }>();

  /** The speed of a body that is now drawn at `position`, `elapsedMs` after the last time. */
  of(id: number, position: Vec3, elapsedMs: number): number {
    const last = this.#last.get(id);
    if (!last) {
      this.#last.set(id, { position, speedMps: 0 });
      return 0;
    }
    if (elapsedMs <= 0) return last.speedMps;
    const measured = Math.min(20, (distance(position, last.position) * 1000) / elapsedMs);
    const share = 1 - Math.exp(-elapsedMs / Speeds.#SMOOTHING_MS);
    const speedMps = last.speedMps + (measured - last.speedMps) * share;
    this.#last.set(id, { position, speedMps });
    return speedMps;
  }

  /** Forgets everyone else. */
  keep(seen: readonly { readonly id: number }[]): void {
    const ids = new Set(seen.map(({ id }) => id));
    for (const id of this.#last.keys()) if (!ids.has(id)) this.#last.delete(id);
  }
}
