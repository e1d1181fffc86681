import { expect, test } from "vitest";
import { isAbout, isOf, numberOf, textOf } from "./happenings.ts";

const event = (data: unknown) => ({ eventId: "1", kind: "market.sold", atMs: 0, data });

test("an event is about whatever its data names", () => {
  expect(isAbout(event({ parcel: "4be6", price_minor: 7 }), [undefined, "4be6"])).toBe(true);
  expect(isAbout(event({ parcels: ["4be6", "4be7"] }), ["4be7"])).toBe(true);
  expect(isAbout(event({ parcel: "4be6" }), ["4be7", undefined])).toBe(false);
  expect(isAbout(event(null), ["4be6"])).toBe(false);
  expect(isOf(event({}), "wallet", "market")).toBe(true);
  expect(isOf(event({}), "wallet")).toBe(false);
});

test("fields that are not of the expected type are not there", () => {
  expect(textOf({ name: "Ann" }, "name")).toBe("Ann");
  expect(textOf({ name: 3 }, "name")).toBeUndefined();
  expect(numberOf({ price: 3 }, "price")).toBe(3);
  expect(numberOf({ price: 3.5 }, "price")).toBeUndefined();
  expect(numberOf("text", "price")).toBeUndefined();
});
