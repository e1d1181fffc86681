import { expect, test } from "vitest";
import { bubbleDurationMs, ChatLog } from "./chat_log.ts";

test("lines are kept in order, the oldest go first, ids stay unique", () => {
  const log = new ChatLog();
  for (let index = 0; index < ChatLog.LINES_MAX + 5; index += 1) log.said(7, "Ann", `line ${index}`, false);
  expect(log.lines).toHaveLength(ChatLog.LINES_MAX);
  expect(log.lines[0]?.text).toBe("line 5");
  expect(log.lines.at(-1)?.text).toBe(`line ${ChatLog.LINES_MAX + 4}`);
  expect(new Set(log.lines.map((line) => line.id)).size).toBe(ChatLog.LINES_MAX);
});

test("a notice that repeats is shown once, until something else is said", () => {
  const log = new ChatLog();
  log.notice("Slow down.");
  log.notice("Slow down.");
  expect(log.lines).toHaveLength(1);
  log.said(1, "Ann", "hi", true);
  log.notice("Slow down.");
  expect(log.lines.map((line) => line.kind)).toEqual(["notice", "said", "notice"]);
});

test("long words stay longer over a head, but not for ever", () => {
  expect(bubbleDurationMs("hi")).toBeLessThan(bubbleDurationMs("hi there, how are you today?"));
  expect(bubbleDurationMs("x".repeat(240))).toBe(12_000);
});
