import { describe, expect, test } from "vitest";
import { add, distance, scale, type Vec3 } from "../geo/vec3.ts";
import type { StepInput } from "../wire/messages.ts";
import type { BodyState } from "./body.ts";
import { Prediction, STEP_MS, type Stepper, UNCONFIRMED_STEPS_MAX } from "./prediction.ts";

/** A body that glides 1 m a step wherever the heading points while a button is held. */
class Glider implements Stepper {
  #state: BodyState = standing(0);
  get() {
    return this.#state;
  }
  set(state: BodyState) {
    this.#state = state;
  }
  step({ buttons, heading: [x, y, z] }: StepInput) {
    const velocity: Vec3 = buttons ? [x, y, z] : [0, 0, 0];
    this.#state = { ...this.#state, velocity, position: add(this.#state.position, velocity) };
  }
}

const standing = (x: number): BodyState => ({
  position: [x, 0, 0],
  velocity: [0, 0, 0],
  facing: [1, 0, 0],
  mode: 0,
});
const ahead: StepInput = { buttons: 1, heading: [1, 0, 0] };
const moving = (x: number): BodyState => ({ ...standing(x), velocity: [1, 0, 0] });
const start = () => new Prediction(new Glider(), { lastInputSeq: 0, state: standing(0) });
const x = (prediction: Prediction) => prediction.view().position[0];

describe("steps", () => {
  test("one is taken every thirtieth of a second, and what is drawn lies between two", () => {
    const prediction = start();
    prediction.advance(STEP_MS * 2.5, () => ahead);
    expect(x(prediction)).toBeCloseTo(1.5, 9);
    prediction.advance(STEP_MS * 0.4, () => ahead);
    expect(x(prediction)).toBeCloseTo(1.9, 9);
  });

  test("each is sent once, numbered from the last that the server applied", () => {
    const prediction = new Prediction(new Glider(), { lastInputSeq: 41, state: standing(0) });
    prediction.advance(STEP_MS * 3.1, () => ahead);
    expect(prediction.takeUnsent(2)).toEqual({ firstSeq: 42, steps: [ahead, ahead] });
    expect(prediction.takeUnsent(2)).toEqual({ firstSeq: 44, steps: [ahead] });
    expect(prediction.takeUnsent(2)).toBeUndefined();
  });

  test("a hidden tab does not come back with minutes of steps", () => {
    const prediction = start();
    prediction.advance(60_000, () => ahead);
    expect(prediction.takeUnsent(1_000)?.steps.length).toBeLessThanOrEqual(8);
  });

  test("the body stops when the server no longer answers", () => {
    const prediction = start();
    for (let index = 0; index < 200; index += 1) prediction.advance(STEP_MS * 1.0001, () => ahead);
    expect(prediction.takeUnsent(1_000)?.steps).toHaveLength(UNCONFIRMED_STEPS_MAX);
    expect(x(prediction)).toBeCloseTo(UNCONFIRMED_STEPS_MAX, 9);
  });
});

describe("what the server says", () => {
  test("changes nothing when it agrees", () => {
    const prediction = start();
    prediction.advance(STEP_MS * 4.5, () => ahead);
    const before = x(prediction);
    prediction.confirm({ lastInputSeq: 2, state: moving(2) });
    prediction.confirm({ lastInputSeq: 2, state: moving(2) });
    prediction.confirm({ lastInputSeq: 4, state: moving(4) });
    expect(x(prediction)).toBe(before);
    expect(prediction.corrections).toBe(0);
  });

  test("is taken as the start from which unconfirmed steps are replayed", () => {
    const prediction = start();
    prediction.advance(STEP_MS * 4.0001, () => ahead);
    // The server was pushed one metre back before the second step.
    prediction.confirm({ lastInputSeq: 2, state: moving(1) });
    expect(prediction.corrections).toBe(1);
    prediction.advance(5_000, () => ({ buttons: 0, heading: [1, 0, 0] }));
    expect(x(prediction)).toBeCloseTo(3, 6);
    // Later words that agree with the replay correct nothing again.
    prediction.confirm({ lastInputSeq: 4, state: moving(3) });
    expect(prediction.corrections).toBe(1);
  });

  test("moves what is drawn smoothly, not at once", () => {
    const prediction = start();
    prediction.advance(STEP_MS * 4.5, () => ahead);
    const before = x(prediction);
    prediction.confirm({ lastInputSeq: 2, state: moving(1) });
    expect(x(prediction)).toBeCloseTo(before, 9);
    let drawn = before;
    for (let frame = 0; frame < 60; frame += 1) {
      prediction.advance(16, () => ({ buttons: 0, heading: [1, 0, 0] }));
      expect(Math.abs(x(prediction) - drawn)).toBeLessThan(0.6);
      drawn = x(prediction);
    }
    expect(drawn).toBeCloseTo(3, 2);
  });

  test("is shown at once when it is far away", () => {
    const prediction = start();
    prediction.confirm({ lastInputSeq: 0, state: standing(500) });
    expect(x(prediction)).toBe(500);
  });

  test("counts too when the server moved the body without any input of ours", () => {
    const prediction = start();
    prediction.confirm({ lastInputSeq: 0, state: standing(0.5) });
    expect(prediction.corrections).toBe(1);
    prediction.advance(5_000, () => ({ buttons: 0, heading: [1, 0, 0] }));
    expect(distance(prediction.view().position, scale([1, 0, 0], 0.5))).toBeLessThan(1e-6);
  });

  test("is ignored when it comes late", () => {
    const prediction = start();
    prediction.advance(STEP_MS * 2.0001, () => ahead);
    prediction.confirm({ lastInputSeq: 2, state: moving(2) });
    prediction.confirm({ lastInputSeq: 1, state: standing(77) });
    expect(prediction.corrections).toBe(0);
  });
});
