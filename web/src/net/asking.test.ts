import { afterEach, expect, test, vi } from "vitest";
import { clientAs, dataOf } from "./asking.ts";

const ORIGIN = "http://planet.example";

/** A server that answers in turn, and keeps what it was asked. */
function serve(...answers: readonly (readonly [status: number, body: unknown])[]) {
  const asked: { readonly url: string; readonly token: string | null; readonly body: string }[] = [];
  const queue = [...answers];
  vi.stubGlobal("Request", AbsoluteRequest);
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push({
      url: request.url,
      token: request.headers.get("authorization"),
      body: await request.text(),
    });
    const [status, body] = queue.shift() ?? [500, {}];
    return new Response(status === 204 ? null : JSON.stringify(body), {
      status,
      headers: { "content-type": "application/json" },
    });
  });
  return asked;
}
const RealRequest = Request;
/** A browser completes addresses by the page's own. */
class AbsoluteRequest extends RealRequest {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, ORIGIN) : input, init);
  }
}

afterEach(() => vi.unstubAllGlobals());

function setUp({ proves = true } = {}) {
  const calls: string[] = [];
  let count = 1;
  const tokens = {
    accessToken: async () => `token-${count}`,
    dropToken: () => {
      calls.push("drop");
      count += 1;
    },
    prove: async () => {
      calls.push("prove");
      count += 1;
      return proves;
    },
  };
  return { client: clientAs(tokens), calls };
}

test("a token that has run out is replaced, and the same is asked once more", async () => {
  const asked = serve([401, { code: "token_expired" }], [200, { items: [] }]);
  const { client, calls } = setUp();
  await dataOf(client.POST("/api/v1/notices/read", { body: { up_to: "1" } }));
  expect(calls).toEqual(["drop"]);
  expect(asked.map(({ token, body }) => [token, body])).toEqual([
    ["Bearer token-1", '{"up_to":"1"}'],
    ["Bearer token-2", '{"up_to":"1"}'],
  ]);
});

test("a wrong password is refused once, not twice", async () => {
  const asked = serve([401, { code: "password_wrong" }]);
  const { client, calls } = setUp();
  await expect(dataOf(client.GET("/api/v1/wallet"))).rejects.toMatchObject({ code: "password_wrong" });
  expect([asked.length, calls]).toEqual([1, []]);
});

test("who must show that it is them is asked in one place, and what they wanted is done then", async () => {
  const asked = serve([403, { code: "fresh_login_required" }], [200, { balances: [] }]);
  const { client, calls } = setUp();
  await dataOf(client.GET("/api/v1/wallet"));
  expect([asked.at(-1)?.token, calls]).toEqual(["Bearer token-2", ["prove"]]);
});

test("who would not is told why it was not done", async () => {
  const asked = serve([403, { code: "fresh_login_required", detail: "sign in" }]);
  const { client } = setUp({ proves: false });
  await expect(dataOf(client.GET("/api/v1/wallet"))).rejects.toMatchObject({ code: "fresh_login_required" });
  expect(asked.length).toBe(1);
});
