import { expect, test } from "vitest";
import { hrefOf, parseRoute, TABS } from "./route.ts";

const read = (href: string) => parseRoute(new URL(href, "http://x").search);

test("every place of the console has an address that leads back to it", () => {
  for (const tab of TABS) expect(read(hrefOf(tab))).toEqual({ tab, id: undefined, about: undefined });
  const id = "019aa5c3-1f00-7000-8000-000000000001";
  expect(read(hrefOf("people", id))).toEqual({ tab: "people", id, about: undefined });
  expect(read(hrefOf("audit", undefined, id))).toEqual({ tab: "audit", id: undefined, about: id });
});

test("nothing gets into a request by the address that is no id", () => {
  for (const id of ["../users/me", "a b", "<script>", "x".repeat(200), ""]) {
    expect(parseRoute(`?tab=people&id=${encodeURIComponent(id)}`).id, id).toBeUndefined();
  }
});
