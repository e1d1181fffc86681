import { expect, test } from "vitest";
import { BUTTON } from "../wire/messages.ts";
import { IntentGatherer } from "./intents.ts";

test("a held key stays, a tap shorter than a frame counts once", () => {
  const gatherer = new IntentGatherer();
  gatherer.press(BUTTON.forward);
  gatherer.press(BUTTON.jump);
  gatherer.release(BUTTON.jump);
  expect(gatherer.take().buttons).toBe(BUTTON.forward | BUTTON.jump);
  expect(gatherer.take().buttons).toBe(BUTTON.forward);
  gatherer.releaseAll();
  expect(gatherer.take().buttons).toBe(0);
});

test("the stick walks at any angle and runs when pushed far", () => {
  const gatherer = new IntentGatherer();
  gatherer.push({ right: 0.1, forward: 0.1 });
  expect(gatherer.take().buttons).toBe(0);
  gatherer.push({ right: 0.5, forward: 0 });
  expect(gatherer.take()).toMatchObject({ buttons: BUTTON.forward, walkAngleRad: Math.PI / 2 });
  gatherer.push({ right: 0, forward: -1 });
  expect(gatherer.take()).toMatchObject({ buttons: BUTTON.forward | BUTTON.run, walkAngleRad: Math.PI });
});

test("looks add up and zooms multiply within a frame, actions happen once", () => {
  const gatherer = new IntentGatherer();
  gatherer.look(0.1, 0.2);
  gatherer.look(0.1, -0.1);
  gatherer.zoom(2);
  gatherer.zoom(1.5);
  gatherer.act("help");
  const first = gatherer.take();
  expect(first.turnRad).toBeCloseTo(0.2);
  expect(first.riseRad).toBeCloseTo(0.1);
  expect(first.zoomFactor).toBe(3);
  expect(first.actions).toEqual(["help"]);
  expect(gatherer.take()).toMatchObject({ turnRad: 0, riseRad: 0, zoomFactor: 1, actions: [] });
});
