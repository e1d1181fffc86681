import { expect, test } from "vitest";
import { declined } from "./declined.ts";
import { ApiError, problemOf } from "./rest.ts";

const answer = (body: unknown) => problemOf(new Response(null, { status: 422 }), body);

test("a name that cannot be is told what is wrong with it", () => {
  const problem = {
    code: "invalid_body",
    detail: "the body does not have the expected form",
    errors: [{ pointer: "#/display_name", detail: "must have at least 2 characters" }],
  };
  expect(declined(answer(problem)).message).toBe("The name must have at least 2 characters.");
  const elsewhere = { ...problem, errors: [{ pointer: "#/color", detail: "must be #rrggbb" }] };
  expect(declined(answer(elsewhere)).message).toBe(problem.detail);
  expect(declined(answer({ ...problem, errors: [null] })).message).toBe(problem.detail);
  expect(declined(answer("not json")).message).toBe("The server answered 422.");
});

test("a known code has its own sentence, and says whether asking again is a new question", () => {
  expect(declined(answer({ code: "insufficient_funds" }))).toMatchObject({
    message: "You do not have enough: it takes more, and you can spend less.",
    isFinal: true,
  });
  expect(declined(new ApiError(429, "too_many", "", 2.4))).toMatchObject({
    message: "That was a little fast. Try again in 3 s.",
    isFinal: false,
  });
  expect(declined(new ApiError(503, "degraded", "Not now.", undefined)).isFinal).toBe(false);
});

test("amounts that the answer names are said in money", () => {
  const money = (minor: number) => `${(minor / 100).toFixed(2)} coin`;
  const problem = { code: "price_changed", detail: "the price is 12500 now", price_minor: 12_500 };
  expect(declined(answer(problem), money).message).toBe(
    "The price is 125.00 coin now. Look again before you buy.",
  );
  expect(declined(answer(problem)).message).not.toContain("12500");
  const low = { code: "bid_too_low", detail: "", minimum_minor: 10_050 };
  expect(declined(answer(low), money).message).toContain("at least 100.50 coin");
});

test("who is suspended is told until when", () => {
  const words = (detail: string) =>
    declined(new ApiError(403, "account_suspended", detail, undefined)).message;
  expect(words("until 2026-11-22T10:00:00Z")).toMatch(/^This account is suspended until Nov 2[123], 2026/);
  expect(words("")).toBe("This account is suspended.");
});
