import { expect, test } from "vitest";
import type { Login } from "./api.ts";
import { Identity, type LoginApi } from "./identity.ts";
import { Refusal } from "./refusal.ts";
import { ApiError, Unreachable } from "./rest.ts";

const ORIGIN = "https://planet.example";
const key = { publicKey: "a2V5", isKept: true, sign: async (text: string) => `signed:${text.length}` };

function setUp(overrides: Partial<LoginApi> = {}, origin = ORIGIN) {
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
  const identity = new Identity(key, ORIGIN, () => nowMs, api);
  return { identity, calls, elapse: (ms: number) => (nowMs += ms) };
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
  const { identity, calls } = setUp({}, "https://evil.example");
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
