import { expect, test } from "vitest";
import { doorHref, parseHanded, parseRoute, TABS, tabHref } from "./route.ts";

test("every place of the account has an address that leads back to it", () => {
  for (const tab of TABS) expect(parseRoute(new URL(tabHref(tab), "http://x").search).tab).toBe(tab);
  expect(parseRoute(new URL(doorHref("forgot"), "http://x").search).door).toBe("forgot");
  expect(parseRoute("?tab=nonsense&door=back")).toEqual({ tab: "profile", door: undefined });
});

test("what a link hands over is read, and nothing that only looks like it", () => {
  const secret = "q8Jm3uVd-_0aYhP5wZ1sT7bXcE2kLr9oGf4nMi6vUyA";
  expect(parseHanded(`#confirm=${secret}`)).toEqual({ kind: "confirm", secret });
  expect(parseHanded(`#reset=${secret}`)).toEqual({ kind: "reset", secret });
  expect(parseHanded(`#oidc=${secret}`)).toEqual({ kind: "provider", secret });
  expect(parseHanded("#oidc_error=state_unknown")).toEqual({ kind: "provider_error", code: "state_unknown" });
  for (const hash of ["", "#12.5,30", "#confirm=", "#confirm=<b>", "#oidc_error=a%20b", "#other=1"]) {
    expect(parseHanded(hash), hash).toBeUndefined();
  }
});
