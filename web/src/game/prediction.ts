/**
 * Our own body between the server's words: steps at 30 a second whatever the screen's rate, and corrections that
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

export const STEP_MS = 1000 / 30;
/** Without a word from the server for so many steps the body stops: further ones would only be taken back. */
export const UNCONFIRMED_STEPS_MAX = 60;
/** After a pause (a hidden tab) no more than this is caught up; the server allows a burst of ten steps. */
const CATCH_UP_MAX_MS = 250;
/** Differences below this are rounding, not another course of events. */
const SAME_PLACE_M = 1e-6;
/** A correction larger than this is shown at once: sliding there would look stranger than a jump. */
const SLIDE_MAX_M = 6;
/** The time in which a correction fades to a third. */
const SLIDE_TIME_MS = 120;

export class Prediction {
  #accumulatedMs = 0;
  #previous: BodyState;
  #current: BodyState;
  /** Added to what is drawn and fading, so that a correction is a glide. */
  #slide: Vec3 = ZERO;
  #confirmedSeq: number;
  /** How often the server saw something else than we did. */
  corrections = 0;

  constructor(private readonly steps: Steps) {
    this.#previous = steps.state;
    this.#current = steps.state;
    this.#confirmedSeq = steps.lastSeq;
  }

  /** Takes as many steps as `elapsedMs` holds; `wish` is asked at each. */
  advance(elapsedMs: number, wish: () => StepWish): void {
    this.#slide = scale(this.#slide, Math.exp(-elapsedMs / SLIDE_TIME_MS));
    this.#accumulatedMs = Math.min(this.#accumulatedMs + elapsedMs, CATCH_UP_MAX_MS);
    while (this.#accumulatedMs >= STEP_MS) {
      this.#accumulatedMs -= STEP_MS;
      this.#previous = this.#current;
      if (this.steps.lastSeq - this.#confirmedSeq >= UNCONFIRMED_STEPS_MAX) continue;
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
    const before = this.view().position;
    this.#current = this.steps.state;
    this.#previous = this.#current;
    this.#slide = ZERO;
    const error = subtract(before, this.view().position);
    if (length(error) <= SLIDE_MAX_M) this.#slide = error;
  }

  /** The body to draw now: between the last two steps, with what is left of a correction. */
  view(): PredictedBody {
    const share = Math.min(1, this.#accumulatedMs / STEP_MS);
    return {
      source: "prediction",
      position: add(lerp(this.#previous.position, this.#current.position, share), this.#slide),
      velocity: this.#current.velocity,
      facing: normalize(lerp(this.#previous.facing, this.#current.facing, share)),
      mode: this.#current.mode,
    };
  }
}
