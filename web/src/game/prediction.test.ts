import { describe, expect, test } from "vitest";
import type { BodyState } from "../core/body.ts";
import { add, type Vec3 } from "../geo/vec3.ts";
import { GLIDE_MAX_M, GLIDE_MS, Prediction, type Steps, UNCONFIRMED_MAX_MS } from "./prediction.ts";

const STEP_MS = 1000 / 30;
const UNCONFIRMED_STEPS_MAX = Math.ceil(UNCONFIRMED_MAX_MS / STEP_MS);

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

function setUp(stepMs = STEP_MS) {
  const glider = new Glider();
  const prediction = new Prediction(glider, stepMs);
  const walk = (steps: number) => prediction.advance(steps * stepMs, () => ({ buttons: 1, look: [1, 0, 0] }));
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

  test("their rate is the server's", () => {
    for (const hz of [20, 30, 60]) {
      const { glider, stand } = setUp(1000 / hz);
      for (let frame = 0; frame < 100; frame += 1) stand(10.0001);
      expect(glider.lastSeq).toBe(hz);
    }
  });

  test("they take longer while the server's time is stretched, without a leap when that begins or ends", () => {
    const { glider, prediction, stand, walk, x } = setUp();
    walk(10.5);
    const before = x();
    prediction.stretch(2);
    expect(x()).toBeCloseTo(before, 9);
    for (let frame = 0; frame < 60; frame += 1) stand(1000 / 60);
    expect(glider.lastSeq).toBe(7 + 15);
    prediction.stretch(1);
    for (let frame = 0; frame < 60; frame += 1) stand(1000 / 60);
    expect(glider.lastSeq).toBe(7 + 15 + 30);
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
    expect(drawn).toBeCloseTo(3, 9);
    expect(prediction.corrections).toBe(1);
    expect(prediction.correctionM).toBe(1);
  });

  test("is over in 150 ms, also when another comes in the middle", () => {
    const { glider, prediction, stand, x } = setUp();
    glider.correctTo(2);
    prediction.confirmed(0, 2);
    stand(GLIDE_MS / 2);
    const halfway = x();
    expect(halfway).toBeCloseTo(1, 6);
    glider.correctTo(2.5);
    prediction.confirmed(0, 0.5);
    expect(x()).toBeCloseTo(halfway, 9);
    stand(GLIDE_MS);
    expect(x()).toBe(2.5);
  });

  test("across a great distance is shown at once", () => {
    const { glider, prediction, x } = setUp();
    glider.correctTo(GLIDE_MAX_M + 0.01);
    prediction.confirmed(0, GLIDE_MAX_M + 0.01);
    expect(x()).toBe(GLIDE_MAX_M + 0.01);
  });
});

test("one who comes back after a lost connection goes over softly from where they were drawn", () => {
  const { glider } = setUp();
  glider.correctTo(2);
  const prediction = new Prediction(glider, STEP_MS);
  prediction.glideFrom([1, 0, 0]);
  expect(prediction.view().position[0]).toBeCloseTo(1, 9);
  prediction.advance(GLIDE_MS, () => ({ buttons: 0, look: [1, 0, 0] }));
  expect(prediction.view().position[0]).toBe(2);
  prediction.glideFrom([-90, 0, 0]);
  expect(prediction.view().position[0]).toBe(2);
});
