/** Where one is among the pages of one's account, as the address says it. */

export const TABS = ["profile", "security", "keys", "data", "settings"] as const;
export type Tab = (typeof TABS)[number];

/** What somebody who is not signed in can do. */
export const DOORS = ["sign-in", "register", "forgot"] as const;
export type Door = (typeof DOORS)[number];

export interface Route {
  readonly tab: Tab;
  readonly door: Door | undefined;
}

/** What a link in a mail, or a provider that sends somebody back, hands over. */
export type Handed =
  | { readonly kind: "confirm" | "reset" | "provider"; readonly secret: string }
  | { readonly kind: "provider_error"; readonly code: string };

/** Reads the part of the address from `?` on; what it does not know is left out. */
export function parseRoute(search: string): Route {
  const params = new URLSearchParams(search);
  return {
    tab: TABS.find((name) => name === params.get("tab")) ?? "profile",
    door: DOORS.find((name) => name === params.get("door")),
  };
}

export const tabHref = (tab: Tab): string => (tab === "profile" ? "/account" : `/account?tab=${tab}`);
export const doorHref = (door: Door): string => `/account?door=${door}`;

/** Reads the part of the address from `#` on, which browsers send to nobody. */
export function parseHanded(hash: string): Handed | undefined {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  const secret = (name: string) => {
    const text = params.get(name);
    return text !== null && /^[\w.-]{16,512}$/.test(text) ? text : undefined;
  };
  for (const [name, kind] of [
    ["confirm", "confirm"],
    ["reset", "reset"],
    ["oidc", "provider"],
  ] as const) {
    const found = secret(name);
    if (found !== undefined) return { kind, secret: found };
  }
  const code = params.get("oidc_error");
  return code !== null && /^\w{1,64}$/.test(code) ? { kind: "provider_error", code } : undefined;
}
