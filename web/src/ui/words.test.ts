import { expect, test } from "vitest";
import { capitalized, directionWord, lotReason, refusalWords } from "./words.ts";

test("every refusal says what to do", () => {
  for (const code of ["protocol_mismatch", "replaced", "too_slow", "something_new"]) {
    const words = refusalWords({ kind: "refused", code, detail: "" });
    expect(words.title.length * words.text.length * words.actionLabel.length, code).toBeGreaterThan(0);
  }
  expect(refusalWords({ kind: "refused", code: "protocol_mismatch", detail: "" }).action).toBe("reload");
  expect(refusalWords({ kind: "refused", code: "banned", detail: "Until Monday." }).text).toBe(
    "Until Monday.",
  );
});

test("directions go round", () => {
  const words = [0, 45, 90, 135, 180, -135, -90, -45].map((degrees) =>
    directionWord((degrees * Math.PI) / 180),
  );
  expect(words).toEqual([
    "ahead",
    "ahead right",
    "right",
    "behind right",
    "behind",
    "behind left",
    "left",
    "ahead left",
  ]);
});

test("a reason that is new still makes a sentence", () => {
  expect(lotReason("on_fire")).toBe(lotReason(undefined));
  expect(capitalized("bare rock")).toBe("Bare rock");
});
