import { expect, test } from "vitest";
import { consequenceWords } from "./consequence_words.ts";

test("what erasing would do is said in sentences, also what is new", () => {
  expect(consequenceWords({ code: "land_returned", count: 1 })).toBe(
    "One piece of land is free for anybody again.",
  );
  expect(consequenceWords({ code: "bids_stand", count: 3 })).toBe("3 bids stand until their auctions end.");
  expect(consequenceWords({ code: "money_forfeited", amount_minor: 50_000, currency: "coin" })).toBe(
    "500.00 coin are given up.",
  );
  expect(consequenceWords({ code: "cats_released", count: 2 })).toBe("Cats released: 2");
});
