/** Where one is in the console, as the address says it. */

export const TABS = ["people", "land", "ledger", "acts", "audit", "world", "system"] as const;
export type Tab = (typeof TABS)[number];

export interface Route {
  readonly tab: Tab;
  /** One of what the tab lists: a person, a piece of land, an account of the books, an entry of the log. */
  readonly id: string | undefined;
  /** A posting of the books, or the subject that the log is narrowed to. */
  readonly about: string | undefined;
}

/** Ids, tokens and numbers: nothing that is not one of them gets into a request. */
const ID = /^[0-9a-zA-Z:_.-]{1,128}$/;

/** Reads the part of the address from `?` on; what it does not know is left out. */
export function parseRoute(search: string): Route {
  const params = new URLSearchParams(search);
  const text = (name: string) => {
    const value = params.get(name);
    return value !== null && ID.test(value) ? value : undefined;
  };
  return {
    tab: TABS.find((name) => name === params.get("tab")) ?? "people",
    id: text("id"),
    about: text("about"),
  };
}

export function hrefOf(tab: Tab, id?: string, about?: string): string {
  const params = new URLSearchParams({ tab });
  if (id !== undefined) params.set("id", id);
  if (about !== undefined) params.set("about", about);
  return `/console?${params}`;
}
