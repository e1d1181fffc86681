import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { may, type Permission, STAFF_PERMISSIONS } from "./permission.ts";

/** What the server's table says of a role, or of all roles. */
const rust = readFileSync(new URL("../../../crates/api/src/permission.rs", import.meta.url), "utf8");
const named = (text: string | undefined, pattern: RegExp) =>
  [...(text ?? "").matchAll(pattern)]
    .map(([, name]) => name ?? "")
    .filter((name) => name !== "Public" && name !== "SignedIn");
const ofRole = (role: string) =>
  named(new RegExp(`Self::${role} => matches!\\(([^)]*)\\)`).exec(rust)?.[1], /P::(\w+)/g);

test("the table is the server's own", () => {
  const all = named(/const ALL: \[Self; \d+\] = \[([^\]]*)\]/.exec(rust)?.[1], /Self::(\w+)/g);
  expect(all.length).toBeGreaterThan(10);
  expect([...STAFF_PERMISSIONS].sort()).toEqual([...all].sort());
  for (const [role, name] of [
    ["moderator", "Moderator"],
    ["developer", "Developer"],
    ["player", "Player"],
  ] as const) {
    const theirs = ofRole(name);
    for (const permission of all) {
      expect(may(role, permission as Permission), `${role} ${permission}`).toBe(theirs.includes(permission));
    }
  }
  expect(rust).toContain("Self::Admin => true");
  for (const permission of STAFF_PERMISSIONS) expect(may("admin", permission)).toBe(true);
});
