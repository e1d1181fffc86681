import { expect, test } from "vitest";
import type { Vec3 } from "../geo/vec3.ts";
import { PlaceNames } from "./place_names.ts";

const place = { latitude_deg: 0, longitude_deg: 0 };
const at = (x: number): Vec3 => [x, 0, 0];

function asked() {
  const questions: { answer: (names: string[]) => void; fail: () => void }[] = [];
  const names = new PlaceNames(
    () => new Promise((answer, reject) => questions.push({ answer, fail: () => reject(new Error("away")) })),
  );
  return { names, questions };
}

const settled = () => new Promise((resolve) => setTimeout(resolve));

test("names are asked for once a place and again further on", async () => {
  const { names, questions } = asked();
  names.walkTo(at(0), place, 0);
  names.walkTo(at(100), place, 100);
  expect(questions.length).toBe(1);
  questions[0]?.answer(["River A", "B"]);
  await settled();
  expect(names.names).toEqual(["River A", "B"]);
  names.walkTo(at(300), place, 200);
  expect(questions.length).toBe(2);
});

test("an answer that comes late does not replace a newer one", async () => {
  const { names, questions } = asked();
  names.walkTo(at(0), place, 0);
  names.walkTo(at(1_000), place, 1);
  questions[1]?.answer(["new"]);
  questions[0]?.answer(["old"]);
  await settled();
  expect(names.names).toEqual(["new"]);
});

test("a failure is forgotten after a while and what is known stays", async () => {
  const { names, questions } = asked();
  names.walkTo(at(0), place, 0);
  questions[0]?.answer(["A"]);
  await settled();
  names.walkTo(at(1_000), place, 1_000);
  questions[1]?.fail();
  await settled();
  names.walkTo(at(1_000), place, 2_000);
  expect(questions.length).toBe(2);
  names.walkTo(at(1_000), place, 20_000);
  expect(questions.length).toBe(3);
  expect(names.names).toEqual(["A"]);
});
