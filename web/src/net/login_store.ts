/**
 * Where a login is kept between pages. The tabs of a browser share one, so that a person has one session here and
 * not one for each page; only one tab at a time may renew it, since a refresh token is good for one use.
 */
import { del, get, set } from "idb-keyval";
import type { Account } from "./domain.ts";

export interface KeptLogin {
  readonly accessToken: string;
  /** By this device's clock. */
  readonly expiresAtMs: number;
  readonly refreshToken: string;
  readonly account: Account;
}

export interface LoginStore {
  load(): Promise<KeptLogin | undefined>;
  /** Keeps it, or forgets what there was. */
  save(login: KeptLogin | undefined): Promise<void>;
  /** Does the work while no other tab does such. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

const KEY = "login/1";
const TAB_KEY = "terrane.login/1";

/** For a device of one's own: kept until one signs out. */
export function browserStore(): LoginStore {
  let only: KeptLogin | undefined;
  return {
    load: () => get<KeptLogin>(KEY).catch(() => only),
    save: async (login) => {
      only = login;
      // A private window keeps nothing: the login lives as long as the page.
      await (login ? set(KEY, login) : del(KEY)).catch(() => undefined);
    },
    alone: (work) =>
      navigator.locks.request("terrane.login", work) as Promise<Awaited<ReturnType<typeof work>>>,
  };
}

/** For a device that others use too: gone with the tab. */
export function tabStore(): LoginStore {
  return {
    load: async () => tabLogin(),
    save: async (login) => {
      if (login) sessionStorage.setItem(TAB_KEY, JSON.stringify(login));
      else sessionStorage.removeItem(TAB_KEY);
    },
    alone: (work) => work(),
  };
}

/** Whether this tab has a login of its own, which comes before that of the browser. */
export function tabLogin(): KeptLogin | undefined {
  try {
    const text = sessionStorage.getItem(TAB_KEY);
    return text === null ? undefined : (JSON.parse(text) as KeptLogin);
  } catch {
    return undefined;
  }
}
