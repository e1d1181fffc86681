import { describe, expect, test } from "vitest";
import type { BodyState } from "../core/body.ts";
import { add, type Vec3 } from "../geo/vec3.ts";
import { Prediction, STEP_MS, type Steps, UNCONFIRMED_STEPS_MAX } from "./prediction.ts";

/** A body that glides 1 m a step along the look while a button is held. */
class Glider implements Steps {
  state: BodyState = { position: [0, 0, 0], velocity: [0, 0, 0], facing: [1, 0, 0], mode: "grounded" };
  lastSeq = 0;
  step(buttons: number, look: Vec3) {
    this.lastSeq += 1;
    if (buttons) this.state = { ...this.state, position: add(this.state.position, look) };
  }
  /** What the server's answer does to the body. */
  correctTo(x: number) {
    this.state = { ...this.state, position: [x, 0, 0] };
  }
}

function setUp() {
  const glider = new Glider();
  const prediction = new Prediction(glider);
  const walk = (steps: number) =>
    prediction.advance(steps * STEP_MS, () => ({ buttons: 1, look: [1, 0, 0] }));
  const stand = (ms: number) => prediction.advance(ms, () => ({ buttons: 0, look: [1, 0, 0] }));
  return { glider, prediction, walk, stand, x: () => prediction.view().position[0] };
}

describe("steps", () => {
  test("one is taken every thirtieth of a second, and what is drawn lies between two", () => {
    const { walk, x } = setUp();
    walk(2.5);
    expect(x()).toBeCloseTo(1.5, 9);
    walk(0.4);
    expect(x()).toBeCloseTo(1.9, 9);
  });

  test("a hidden tab does not come back with minutes of them", () => {
    const { glider, stand } = setUp();
    stand(60_000);
    expect(glider.lastSeq).toBe(7);
  });

  test("the body stops when the server no longer answers, and goes on when it does", () => {
    const { glider, prediction, walk } = setUp();
    for (let index = 0; index < 200; index += 1) walk(1.0001);
    expect(glider.lastSeq).toBe(UNCONFIRMED_STEPS_MAX);
    prediction.confirmed(UNCONFIRMED_STEPS_MAX, 0);
    walk(1.0001);
    expect(glider.lastSeq).toBe(UNCONFIRMED_STEPS_MAX + 1);
  });
});

describe("a correction", () => {
  test("of nothing changes nothing", () => {
    const { prediction, walk, x } = setUp();
    walk(4.5);
    const before = x();
    prediction.confirmed(2, 0);
    expect(x()).toBe(before);
    expect(prediction.corrections).toBe(0);
  });

  test("glides from where the body was drawn", () => {
    const { glider, prediction, walk, stand, x } = setUp();
    walk(4.5);
    const before = x();
    glider.correctTo(3);
    prediction.confirmed(2, 1);
    expect(x()).toBeCloseTo(before, 9);
    let drawn = before;
    for (let frame = 0; frame < 60; frame += 1) {
      stand(16);
      expect(Math.abs(x() - drawn)).toBeLessThan(0.15);
      drawn = x();
    }
    expect(drawn).toBeCloseTo(3, 2);
    expect(prediction.corrections).toBe(1);
  });

  test("across a great distance is shown at once", () => {
    const { glider, prediction, x } = setUp();
    glider.correctTo(500);
    prediction.confirmed(0, 500);
    expect(x()).toBe(500);
  });
});
