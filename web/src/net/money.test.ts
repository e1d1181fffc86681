import { expect, test } from "vitest";
import { formatMoney } from "./domain.ts";
import { formatChange, formatRate, parseMoney, splitPrice, writeMoney } from "./money.ts";

const COIN = { code: "coin", scale: 2 };
const WHOLE = { code: "token", scale: 0 };

test("what people write becomes whole minor units, exactly", () => {
  for (const [text, minor] of [
    ["12", 1200],
    ["12.5", 1250],
    [" 12.50 coin ", 1250],
    ["12,50", 1250],
    ["1,234.50", 123_450],
    ["1 234.5", 123_450],
    ["0.29", 29],
    [".5", 50],
    ["5.", 500],
    ["1.1000", 110],
    ["90071992547409.91", Number.MAX_SAFE_INTEGER],
  ] as const) {
    expect(parseMoney(text, COIN), text).toEqual({ kind: "amount", minor });
  }
  expect(parseMoney("1,234", WHOLE)).toEqual({ kind: "amount", minor: 1234 });
});

test("what the currency cannot hold is refused with a reason, never rounded", () => {
  for (const [text, reason] of [
    ["-1", /negative/],
    ["−1", /negative/],
    ["0", /more than zero/],
    ["0.00", /more than zero/],
    ["1.005", /2 decimals/],
    ["90071992547409.92", /more than there can be/],
    ["1e3", /digits/],
    ["abc", /digits/],
    [".", /digits/],
    ["1.2.3", /digits/],
    ["0x10", /digits/],
  ] as const) {
    expect(parseMoney(text, COIN), text).toMatchObject({
      kind: "fault",
      text: expect.stringMatching(reason),
    });
  }
  expect(parseMoney("1.5", WHOLE)).toMatchObject({ kind: "fault", text: "token has no decimals." });
  expect(parseMoney("  ", COIN)).toEqual({ kind: "empty" });
});

test("an amount is written with the scale of its currency", () => {
  expect(formatMoney(123_456_7, COIN)).toBe("12,345.67 coin");
  expect(formatMoney(5, WHOLE)).toBe("5 token");
  expect(writeMoney(5, COIN)).toBe("0.05");
  expect(writeMoney(123_450, COIN)).toBe("1234.50");
  expect(writeMoney(7, WHOLE)).toBe("7");
  expect(formatChange(-300, COIN)).toBe("−3.00 coin");
  expect(formatChange(300, COIN)).toBe("+3.00 coin");
});

test("seller, fee and tax get the whole price", () => {
  const rates = { seller_fee_bps: 250, sales_tax_bps: 100 };
  for (const [price, sellerMinor, feeMinor, taxMinor] of [
    [10_000, 9_650, 250, 100],
    [99, 97, 2, 0],
    [39, 39, 0, 0],
    [1, 1, 0, 0],
  ] as const) {
    expect(splitPrice(price, rates)).toEqual({ sellerMinor, feeMinor, taxMinor });
  }
  const most = Number.MAX_SAFE_INTEGER;
  expect(splitPrice(most, { seller_fee_bps: 10_000, sales_tax_bps: 0 }).feeMinor).toBe(most);
  expect(formatRate(250)).toBe("2.5 %");
});
