import { expect, test } from "vitest";
import type { Login } from "./api.ts";
import { Identity, type LoginApi } from "./identity.ts";
import type { KeptLogin, LoginStore } from "./login_store.ts";
import { Refusal } from "./refusal.ts";
import { ApiError, Unreachable } from "./rest.ts";

const ORIGIN = "https://planet.example";
const key = { publicKey: "a2V5", isKept: true, sign: async (text: string) => `signed:${text.length}` };

/** What the tabs of one browser share. */
function sharedStore(): LoginStore {
  let kept: KeptLogin | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    load: async () => kept,
    save: async (login) => {
      kept = login;
    },
    alone: (work) => {
      const mine = last.then(work);
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

interface SetUp {
  readonly origin?: string;
  readonly store?: LoginStore;
  readonly hasKey?: boolean;
}

function setUp(
  overrides: Partial<LoginApi> = {},
  { origin = ORIGIN, store = sharedStore(), hasKey = true }: SetUp = {},
) {
  const calls: string[] = [];
  let nowMs = 0;
  let count = 0;
  const login = (): Login => ({
    accessToken: `access-${++count}`,
    refreshToken: `refresh-${count}`,
    expiresInS: 900,
    account: { accountId: "1", name: "Ann", color: "#d1495b" },
  });
  const api: LoginApi = {
    challenge: async () => {
      calls.push("challenge");
      const message = `terrane-login/1\norigin: ${origin}\nkey: a2V5\nnonce: bm9uY2U\nissued: 1\nexpires: 2\n`;
      return { message, nonce: "bm9uY2U" };
    },
    verify: async () => {
      calls.push("verify");
      return login();
    },
    refresh: async (token) => {
      calls.push(`refresh ${token}`);
      return login();
    },
    ...overrides,
  };
  const open = () => new Identity(hasKey ? key : undefined, ORIGIN, () => nowMs, store, api);
  return { identity: open(), open, store, api, calls, elapse: (ms: number) => (nowMs += ms) };
}

const refuse = (status: number) => () => Promise.reject(new ApiError(status, "code", "detail", undefined));

test("logs in once for many callers, and refreshes before the token runs out", async () => {
  const { identity, calls, elapse } = setUp();
  const tokens = await Promise.all([identity.accessToken(), identity.accessToken()]);
  expect(tokens).toEqual(["access-1", "access-1"]);
  expect(identity.account?.name).toBe("Ann");
  elapse(869_000);
  expect(await identity.accessToken()).toBe("access-1");
  elapse(2_000);
  expect(await identity.accessToken()).toBe("access-2");
  identity.dropToken();
  expect(await identity.accessToken()).toBe("access-3");
  expect(calls).toEqual(["challenge", "verify", "refresh refresh-1", "refresh refresh-2"]);
});

test("a refresh token that is no longer taken leads to a silent login by key", async () => {
  const { identity, calls } = setUp({ refresh: refuse(401) });
  await identity.accessToken();
  identity.dropToken();
  expect(await identity.accessToken()).toBe("access-2");
  expect(calls).toEqual(["challenge", "verify", "challenge", "verify"]);
});

test("nothing is signed for another origin", async () => {
  const { identity, calls } = setUp({}, { origin: "https://evil.example" });
  await expect(identity.accessToken()).rejects.toMatchObject({ code: "challenge_refused" });
  expect(calls).toEqual(["challenge"]);
});

test("a clear no is final, trouble is not", async () => {
  await expect(setUp({ verify: refuse(403) }).identity.accessToken()).rejects.toBeInstanceOf(Refusal);
  await expect(setUp({ verify: refuse(503) }).identity.accessToken()).rejects.toBeInstanceOf(ApiError);
  await expect(setUp({ verify: refuse(401) }).identity.accessToken()).rejects.toBeInstanceOf(ApiError);
  await expect(setUp({ verify: refuse(429) }).identity.accessToken()).rejects.toBeInstanceOf(ApiError);
  const away = () => Promise.reject(new Unreachable("away"));
  await expect(setUp({ challenge: away }).identity.accessToken()).rejects.toBeInstanceOf(Unreachable);
});

test("the tabs of a browser share one login, and only one of them renews it", async () => {
  const { identity, open, calls, elapse } = setUp();
  expect(await identity.accessToken()).toBe("access-1");
  const tab = open();
  expect(await tab.accessToken()).toBe("access-1");
  expect(tab.account?.name).toBe("Ann");
  elapse(880_000);
  expect(await Promise.all([identity.accessToken(), tab.accessToken()])).toEqual(["access-2", "access-2"]);
  expect(calls).toEqual(["challenge", "verify", "refresh refresh-1"]);
  // A token that the server does not like is no good in any tab.
  tab.dropToken();
  expect(await tab.accessToken()).toBe("access-3");
});

test("without a key one is signed out when the login ends, and asks no more", async () => {
  const { identity, store } = setUp({ refresh: refuse(401) }, { hasKey: false });
  const account = { accountId: "1", name: "Ann", color: "#d1495b" };
  await identity.adopt({ accessToken: "a", refreshToken: "r", expiresInS: 900, account });
  expect(await identity.accessToken()).toBe("a");
  identity.dropToken();
  await expect(identity.accessToken()).rejects.toMatchObject({ code: "signed_out" });
  expect(await store.load()).toBeUndefined();
});

test("a suspended person is told so, and not logged in again by key", async () => {
  const { identity, calls } = setUp({ refresh: refuse(403) });
  await identity.accessToken();
  identity.dropToken();
  await expect(identity.accessToken()).rejects.toBeInstanceOf(Refusal);
  expect(calls).toEqual(["challenge", "verify"]);
});

test("many who must prove themselves ask the person once", async () => {
  const { identity } = setUp();
  let asked = 0;
  expect(await identity.prove()).toBe(false);
  identity.prover = async () => {
    asked += 1;
    return true;
  };
  expect(await Promise.all([identity.prove(), identity.prove()])).toEqual([true, true]);
  expect(asked).toBe(1);
});

test("a device whose key was removed forgets it, and makes nobody a new account", async () => {
  let forgotten = 0;
  const removed = () => Promise.reject(new ApiError(401, "key_removed", "gone", undefined));
  const { store } = setUp();
  const own = {
    ...key,
    forget: async () => {
      forgotten += 1;
    },
  };
  const api = { ...setUp().api, verify: removed };
  const identity = new Identity(own, ORIGIN, () => 0, store, api);
  await expect(identity.accessToken()).rejects.toMatchObject({ code: "signed_out" });
  expect(forgotten).toBe(1);
});
