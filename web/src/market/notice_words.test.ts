import { expect, test } from "vitest";
import { noticeWords } from "./notice_words.ts";

const COINS = [{ code: "coin", scale: 2 }];

test("what happened is told with the land's name and the price, and leads to the land", () => {
  const data = { parcel: "4be64c3c", name: "Windy Corner", price_minor: 12_500, currency: "coin" };
  expect(noticeWords("market.outbid", data, COINS)).toEqual({
    title: "You were outbid",
    text: "Somebody bids more for Windy Corner: 125.00 coin now. Your money is free again.",
    href: "/market?parcel=4be64c3c",
    mood: "bad",
  });
});

test("money that came in leads to the wallet", () => {
  const words = noticeWords(
    "wallet.received",
    { amount_minor: 5, currency: "coin", from_name: "Ann" },
    COINS,
  );
  expect(words).toMatchObject({ text: "You received 0.05 coin from Ann.", href: "/market?tab=wallet" });
});

test("a kind that this page does not know yet is told all the same", () => {
  expect(noticeWords("land.flooded", { parcel: "4be6" }, COINS)).toMatchObject({
    title: "Flooded",
    text: "Something happened to land 4be6.",
  });
  expect(noticeWords("constructor", null, [])).toMatchObject({ text: "Something happened." });
});
