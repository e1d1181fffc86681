import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SERVER_KIND } from "../wire/kinds.ts";
import { Refusal } from "./refusal.ts";
import { type ConnectionState, Session, type SessionDeps, type Socket } from "./session.ts";
import { ByeSchema, fromHello, WelcomeSchema } from "./session_test_support.ts";

class FakeSocket implements Socket {
  binaryType: BinaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  get readyState() {
    return this.isClosed ? 3 : 1;
  }
  send(bytes: Uint8Array) {
    this.sent.push(bytes);
  }
  close() {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onclose?.();
  }
  arrive(kind: number, payload: Uint8Array) {
    this.onmessage?.({ data: Uint8Array.of(kind, ...payload).buffer });
  }
  welcome(resumeToken = Uint8Array.of(1, 2, 3)) {
    this.arrive(SERVER_KIND.welcome, toBinary(WelcomeSchema, create(WelcomeSchema, { resumeToken })));
  }
  bye(code: string, mayReconnect: boolean) {
    this.arrive(
      SERVER_KIND.bye,
      toBinary(ByeSchema, create(ByeSchema, { code, detail: "because", mayReconnect })),
    );
  }
}

const ignore = () => {};
const handlers = {
  welcome: ignore,
  frame: ignore,
  said: ignore,
  people: ignore,
  pong: ignore,
  refused: ignore,
  lotChanged: ignore,
  bye: ignore,
  event: ignore,
  fences: ignore,
};

function setUp(overrides: Partial<SessionDeps> = {}) {
  const sockets: FakeSocket[] = [];
  const states: ConnectionState["kind"][] = [];
  let nowMs = 0;
  let dropped = 0;
  const session = new Session(
    {
      openSocket: () => {
        const socket = new FakeSocket();
        sockets.push(socket);
        return socket;
      },
      accessToken: () => Promise.resolve("token"),
      dropToken: () => {
        dropped += 1;
      },
      protocolHash: 77n,
      nowMs: () => nowMs,
      random: () => 1,
      onState: (state) => states.push(state.kind),
      ...overrides,
    },
    handlers,
    { latitude_deg: 1, longitude_deg: 2 },
  );
  const latest = () => {
    const socket = sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  };
  const elapse = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      nowMs += 100;
      await vi.advanceTimersByTimeAsync(100);
    }
  };
  const goOnline = async () => {
    session.start();
    await vi.advanceTimersByTimeAsync(0);
    latest().onopen?.();
    latest().welcome();
  };
  return { session, sockets, states, latest, elapse, goOnline, dropped: () => dropped };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("says hello with the protocol's hash and the place of the link, and is online at the welcome", async () => {
  const { session, states, latest, goOnline } = setUp();
  await goOnline();
  const hello = fromHello(latest().sent[0]);
  expect(hello).toMatchObject({
    accessToken: "token",
    protocolHash: 77n,
    arriveAt: { latitudeDeg: 1, longitudeDeg: 2 },
  });
  expect(hello.resumeToken).toHaveLength(0);
  expect(states).toEqual(["connecting", "online"]);
  expect(session.send(Uint8Array.of(6))).toBe(true);
});

test("a lost connection is resumed with the token of the welcome", async () => {
  const { session, sockets, states, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().close();
  expect(session.state.kind).toBe("reconnecting");
  expect(session.send(Uint8Array.of(6))).toBe(false);
  await elapse(600);
  expect(sockets).toHaveLength(2);
  latest().onopen?.();
  const hello = fromHello(latest().sent[0]);
  expect([...hello.resumeToken]).toEqual([1, 2, 3]);
  // The link has been followed: a server that has forgotten the body must not send it back there.
  expect(hello.arriveAt).toBeUndefined();
  latest().welcome();
  expect(states.at(-1)).toBe("online");
});

test("attempts come further and further apart, and one can be had at once", async () => {
  const { session, sockets, latest, elapse, goOnline } = setUp();
  await goOnline();
  for (const waitMs of [500, 1_000, 2_000]) {
    latest().close();
    const before = sockets.length;
    await elapse(waitMs - 100);
    expect(sockets).toHaveLength(before);
    await elapse(100);
    expect(sockets).toHaveLength(before + 1);
  }
  latest().close();
  session.retryNow();
  await vi.advanceTimersByTimeAsync(0);
  expect(sockets).toHaveLength(5);
});

test("silence is taken as a lost connection", async () => {
  const { session, latest, elapse, goOnline } = setUp();
  await goOnline();
  const first = latest();
  await elapse(5_000);
  expect(session.state.kind).toBe("online");
  await elapse(2_000);
  expect(first.isClosed).toBe(true);
  expect(session.state.kind).toBe("reconnecting");
});

test("a farewell that forbids coming back is final until the person asks", async () => {
  const { session, sockets, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().bye("replaced", false);
  expect(session.state).toEqual({ kind: "refused", code: "replaced", detail: "because" });
  await elapse(60_000);
  expect(sockets).toHaveLength(1);
  session.retryNow();
  await vi.advanceTimersByTimeAsync(0);
  expect(sockets).toHaveLength(2);
});

test("an expired token is replaced, but not for ever", async () => {
  const { session, latest, elapse, goOnline, dropped } = setUp();
  await goOnline();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    latest().bye("token_expired", false);
    await elapse(10_000);
  }
  expect(dropped()).toBe(2);
  expect(session.state).toMatchObject({ kind: "refused", code: "token_expired" });
});

test("a refused login is told, an unreachable server is tried again", async () => {
  const refused = setUp({ accessToken: () => Promise.reject(new Refusal("banned", "No.")) });
  refused.session.start();
  await vi.advanceTimersByTimeAsync(0);
  expect(refused.session.state).toMatchObject({ kind: "refused", code: "banned" });

  let isUp = false;
  const away = setUp({
    accessToken: () => (isUp ? Promise.resolve("t") : Promise.reject(new Error("away"))),
  });
  away.session.start();
  await away.elapse(3_000);
  expect(away.sockets).toHaveLength(0);
  isUp = true;
  await away.elapse(3_000);
  expect(away.sockets).toHaveLength(1);
});

test("who has left stays away, even with a login under way", async () => {
  let answer: (token: string) => void = ignore;
  const { session, sockets, elapse } = setUp({
    accessToken: () => new Promise((resolve) => (answer = resolve)),
  });
  session.start();
  session.close();
  answer("token");
  await elapse(20_000);
  expect(sockets).toHaveLength(0);
});

test("bytes that are no message end the connection, not the page", async () => {
  const error = vi.spyOn(console, "error").mockImplementation(ignore);
  const { session, latest, goOnline } = setUp();
  await goOnline();
  latest().arrive(200, Uint8Array.of(1, 2, 3));
  expect(session.state.kind).toBe("reconnecting");
  expect(error).toHaveBeenCalledOnce();
  error.mockRestore();
});
