/** What the land around is called, asked anew as one walks. */
import type { LatLng } from "../geo/lat_lng.ts";
import { distance, type Vec3 } from "../geo/vec3.ts";

/** Names change with the country, not with every step. */
const ASK_AGAIN_M = 250;
/** After a failure the next question waits so long. */
const RETRY_MS = 15_000;

/** The names of a place, the nearest thing first: river before range before continent. */
export type AskNames = (place: LatLng) => Promise<readonly string[]>;

export class PlaceNames {
  #askedAt: Vec3 | undefined;
  #notBeforeMs = 0;
  #names: readonly string[] = [];

  constructor(private readonly ask: AskNames) {}

  get names(): readonly string[] {
    return this.#names;
  }

  /** Call now and then. */
  walkTo(position: Vec3, place: LatLng, nowMs: number): void {
    if (nowMs < this.#notBeforeMs) return;
    if (this.#askedAt && distance(position, this.#askedAt) < ASK_AGAIN_M) return;
    this.#askedAt = position;
    this.ask(place).then(
      (names) => {
        // A later question has its own answer.
        if (this.#askedAt === position) this.#names = names;
      },
      () => {
        if (this.#askedAt !== position) return;
        this.#askedAt = undefined;
        this.#notBeforeMs = nowMs + RETRY_MS;
      },
    );
  }
}
