/**
 * Our own body between the server's words: steps at the server's rate whatever the screen's, and corrections that
 * glide. The steps themselves, their replay and their messages are the server's own code (`core/body.ts`).
 */
import type { BodyState, PredictedBody } from "../core/body.ts";
import { add, length, lerp, normalize, scale, subtract, type Vec3, ZERO } from "../geo/vec3.ts";

/** The part of `OwnBody` that is used. */
export interface Steps {
  readonly state: BodyState;
  readonly lastSeq: number;
  step(buttons: number, look: Vec3): void;
}

/** What is wanted during one step. */
export interface StepWish {
  readonly buttons: number;
  readonly look: Vec3;
}

/** Without a word from the server for so long the body stops: further steps would only be taken back. */
export const UNCONFIRMED_MAX_MS = 2_000;
/** After a pause (a hidden tab) no more than this is caught up; the server allows a burst of ten steps. */
const CATCH_UP_MAX_MS = 250;
/** Differences below this are rounding, not another course of events. */
const SAME_PLACE_M = 1e-6;
/** A correction larger than this is shown at once: sliding there would look stranger than a jump. */
export const GLIDE_MAX_M = 4;
/** A correction has gone over into the picture after so long. */
export const GLIDE_MS = 150;

export class Prediction {
  #stepMs: number;
  #accumulatedMs = 0;
  #previous: BodyState;
  #current: BodyState;
  /** Where the body was drawn when it was corrected, less where it was then; added to what is drawn, and fading. */
  #error: Vec3 = ZERO;
  #glideMs = GLIDE_MS;
  #confirmedSeq: number;
  /** How often the server saw something else than we did. */
  corrections = 0;
  /** By how much it was the last time, in metres. */
  correctionM = 0;

  constructor(
    private readonly steps: Steps,
    /** What a step takes while the server keeps up with its own time. */
    private readonly plannedStepMs: number,
  ) {
    this.#stepMs = plannedStepMs;
    this.#previous = steps.state;
    this.#current = steps.state;
    this.#confirmedSeq = steps.lastSeq;
  }

  /** The server's ticks take `factor` times as long now: so do our steps, which stay what they are. */
  stretch(factor: number): void {
    const share = this.#accumulatedMs / this.#stepMs;
    this.#stepMs = this.plannedStepMs * factor;
    this.#accumulatedMs = share * this.#stepMs;
  }

  /** Takes as many steps as `elapsedMs` holds; `wish` is asked at each. */
  advance(elapsedMs: number, wish: () => StepWish): void {
    this.#glideMs += elapsedMs;
    this.#accumulatedMs = Math.min(this.#accumulatedMs + elapsedMs, CATCH_UP_MAX_MS);
    while (this.#accumulatedMs >= this.#stepMs) {
      this.#accumulatedMs -= this.#stepMs;
      this.#previous = this.#current;
      if ((this.steps.lastSeq - this.#confirmedSeq) * this.#stepMs >= UNCONFIRMED_MAX_MS) continue;
      const { buttons, look } = wish();
      this.steps.step(buttons, look);
      this.#current = this.steps.state;
    }
  }

  /** After the server's answer to the input `confirmedSeq` has been taken over, which moved the body by `offM` metres. */
  confirmed(confirmedSeq: number, offM: number): void {
    this.#confirmedSeq = confirmedSeq;
    this.repeated(offM);
  }

  /** After steps have been repeated, which moved the body by `offM` metres: glides there from where it was drawn. */
  repeated(offM: number): void {
    if (offM < SAME_PLACE_M) return;
    this.corrections += 1;
    this.correctionM = offM;
    const before = this.view().position;
    this.#current = this.steps.state;
    this.#previous = this.#current;
    this.#error = ZERO;
    this.glideFrom(before);
  }

  /** Goes over softly from where the body was drawn before this prediction began; from far away at once. */
  glideFrom(position: Vec3): void {
    const error = subtract(position, this.view().position);
    if (length(error) > GLIDE_MAX_M) return;
    this.#error = error;
    this.#glideMs = 0;
  }

  /** The body to draw now: between the last two steps, with what is left of a correction. */
  view(): PredictedBody {
    const share = Math.min(1, this.#accumulatedMs / this.#stepMs);
    return {
      source: "prediction",
      position: add(
        lerp(this.#previous.position, this.#current.position, share),
        scale(this.#error, glideLeft(this.#glideMs / GLIDE_MS)),
      ),
      velocity: this.#current.velocity,
      facing: normalize(lerp(this.#previous.facing, this.#current.facing, share)),
      mode: this.#current.mode,
    };
  }
}

/** What is left of an error after a share of its time: leaves and arrives softly. */
function glideLeft(share: number): number {
  if (share >= 1) return 0;
  return 1 - share * share * (3 - 2 * share);
}
