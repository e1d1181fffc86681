import { expect, test } from "vitest";
import { formatArea, formatDistance, formatMoney } from "./domain.ts";

test("amounts, distances and areas read well", () => {
  const coin = { code: "coin", scale: 2 };
  expect(formatMoney(0, coin)).toBe("0.00 coin");
  expect(formatMoney(1_234_507, coin)).toBe("12,345.07 coin");
  expect(formatMoney(5, { ...coin, scale: 0 })).toBe("5 coin");
  expect(formatDistance(0.4)).toBe("0 m");
  expect(formatDistance(999.4)).toBe("999 m");
  expect(formatDistance(999.6)).toBe("1.0 km");
  expect(formatArea(1237.4)).toBe("1,237 m²");
});
