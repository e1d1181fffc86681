/**
 * Our own body, ahead of the server: every step is applied here at once by the server's own rules, kept until the
 * server confirms it, and replayed when the server saw something else (a push, a lost input, a late one).
 */
import { add, distance, length, lerp, normalize, scale, subtract, type Vec3, ZERO } from "../geo/vec3.ts";
import type { StepInput } from "../wire/messages.ts";
import type { BodyState, ConfirmedBody } from "./body.ts";

/** The movement rules: a body that can be set and advanced by one step of 1/30 s. */
export interface Stepper {
  get(): BodyState;
  set(state: BodyState): void;
  step(input: StepInput): void;
}

/** Where we predict our body to be: what is drawn, and never sent. */
export interface PredictedBody extends BodyState {
  readonly predicted: true;
}

export const STEP_MS = 1000 / 30;
/** Without a word from the server for so many steps the body stops: further ones would only be taken back. */
export const UNCONFIRMED_STEPS_MAX = 60;
/** After a pause (a hidden tab) no more than this is caught up, as the server allows a burst of ten steps. */
const STEPS_PER_ADVANCE_MAX = 8;
/** Differences below this are the rounding of the wire, not another course of events. */
const SAME_PLACE_M = 1e-5;
/** A correction larger than this is shown at once: sliding there would look stranger than a jump. */
const SLIDE_MAX_M = 6;
/** The time in which a correction fades to a third. */
const SLIDE_TIME_MS = 120;

interface PendingStep {
  readonly seq: number;
  readonly input: StepInput;
  /** The prediction after this step. */
  after: BodyState;
}

export class Prediction {
  #pending: PendingStep[] = [];
  #unsentFrom: number;
  #nextSeq: number;
  #accumulatedMs = 0;
  #previous: BodyState;
  #current: BodyState;
  #confirmed: ConfirmedBody;
  /** Added to what is drawn and fading, so that a correction is a glide. */
  #slide: Vec3 = ZERO;
  /** How often the server saw something else than we did. */
  corrections = 0;

  constructor(
    private readonly stepper: Stepper,
    start: ConfirmedBody,
  ) {
    stepper.set(start.state);
    this.#confirmed = start;
    this.#previous = start.state;
    this.#current = start.state;
    this.#nextSeq = start.lastInputSeq + 1;
    this.#unsentFrom = this.#nextSeq;
  }

  /** Applies as many steps as `elapsedMs` holds; `sample` is asked for the input of each. */
  advance(elapsedMs: number, sample: () => StepInput): void {
    this.#slide = scale(this.#slide, Math.exp(-elapsedMs / SLIDE_TIME_MS));
    this.#accumulatedMs = Math.min(this.#accumulatedMs + elapsedMs, STEPS_PER_ADVANCE_MAX * STEP_MS);
    while (this.#accumulatedMs >= STEP_MS) {
      this.#accumulatedMs -= STEP_MS;
      if (this.#pending.length >= UNCONFIRMED_STEPS_MAX) {
        this.#previous = this.#current;
        continue;
      }
      const input = sample();
      this.stepper.step(input);
      this.#previous = this.#current;
      this.#current = this.stepper.get();
      this.#pending.push({ seq: this.#nextSeq, input, after: this.#current });
      this.#nextSeq += 1;
    }
  }

  /** The steps not yet handed out for sending, at most `countMax`; `undefined` when there are none. */
  takeUnsent(countMax: number): { firstSeq: number; steps: StepInput[] } | undefined {
    const unsent = this.#pending.filter((step) => step.seq >= this.#unsentFrom).slice(0, countMax);
    const first = unsent[0];
    if (!first) return undefined;
    this.#unsentFrom = first.seq + unsent.length;
    return { firstSeq: first.seq, steps: unsent.map((step) => step.input) };
  }

  /** Takes in what the server said; replays the unconfirmed steps when it differs from what we predicted. */
  confirm(confirmed: ConfirmedBody): void {
    if (confirmed.lastInputSeq < this.#confirmed.lastInputSeq) return;
    const ours =
      confirmed.lastInputSeq === this.#confirmed.lastInputSeq
        ? this.#confirmed.state
        : this.#pending.find((step) => step.seq === confirmed.lastInputSeq)?.after;
    this.#confirmed = confirmed;
    this.#pending = this.#pending.filter((step) => step.seq > confirmed.lastInputSeq);
    this.#nextSeq = Math.max(this.#nextSeq, confirmed.lastInputSeq + 1);
    if (ours && isSame(ours, confirmed.state)) return;

    this.corrections += 1;
    const shownBefore = this.view().position;
    this.stepper.set(confirmed.state);
    this.#previous = confirmed.state;
    this.#current = confirmed.state;
    for (const step of this.#pending) {
      this.stepper.step(step.input);
      step.after = this.stepper.get();
      this.#previous = this.#current;
      this.#current = step.after;
    }
    this.#slide = ZERO;
    const error = subtract(shownBefore, this.view().position);
    if (length(error) <= SLIDE_MAX_M) this.#slide = error;
  }

  /** The body to draw now: between the last two steps, with what is left of a correction. */
  view(): PredictedBody {
    const share = Math.min(1, this.#accumulatedMs / STEP_MS);
    const position = lerp(this.#previous.position, this.#current.position, share);
    return {
      predicted: true,
      position: add(position, this.#slide),
      velocity: this.#current.velocity,
      facing: normalize(lerp(this.#previous.facing, this.#current.facing, share)),
      mode: this.#current.mode,
    };
  }
}

function isSame(a: BodyState, b: BodyState): boolean {
  return (
    a.mode === b.mode &&
    distance(a.position, b.position) < SAME_PLACE_M &&
    distance(a.velocity, b.velocity) < SAME_PLACE_M
  );
}
