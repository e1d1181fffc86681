import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SERVER_KIND } from "../wire/kinds.ts";
import type { Link, LinkKind } from "./link.ts";
import { Refusal } from "./refusal.ts";
import { type ConnectionState, Session, type SessionDeps } from "./session.ts";
import { ByeSchema, fromHello, WelcomeSchema } from "./session_test_support.ts";

class FakeLink implements Link {
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly mayLose = false;
  readonly sent: Uint8Array[] = [];
  isClosed = false;
  constructor(readonly kind: LinkKind = "websocket") {}
  get isOpen() {
    return !this.isClosed;
  }
  send(bytes: Uint8Array) {
    this.sent.push(bytes);
  }
  sendQuick(bytes: Uint8Array) {
    this.sent.push(bytes);
  }
  close() {
    this.isClosed = true;
  }
  /** As when the server or the network ends it. */
  break() {
    this.isClosed = true;
    this.onclose?.();
  }
  arrive(kind: number, payload: Uint8Array) {
    this.onmessage?.(Uint8Array.of(kind, ...payload));
  }
  frame() {
    this.arrive(SERVER_KIND.frame, new Uint8Array());
  }
  welcome(resumeToken = Uint8Array.of(1, 2, 3)) {
    this.onopen?.();
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
  pace: ignore,
};

function setUp({
  carriers = ["websocket"],
  ...overrides
}: Partial<SessionDeps> & { carriers?: LinkKind[] } = {}) {
  const links: FakeLink[] = [];
  const states: ConnectionState["kind"][] = [];
  const distrusted: LinkKind[] = [];
  let sleptMs = 0;
  let dropped = 0;
  const session = new Session(
    {
      openLink: () => {
        const link = new FakeLink(carriers[Math.min(links.length, carriers.length - 1)]);
        links.push(link);
        return link;
      },
      distrust: (kind) => distrusted.push(kind),
      accessToken: () => Promise.resolve("token"),
      dropToken: () => {
        dropped += 1;
      },
      protocolHash: 77n,
      nowMs: () => Date.now(),
      wallMs: () => Date.now() + sleptMs,
      random: () => 1,
      onState: (state) => states.push(state.kind),
      ...overrides,
    },
    handlers,
    { latitude_deg: 1, longitude_deg: 2 },
  );
  const latest = () => {
    const link = links.at(-1);
    if (!link) throw new Error("no link was opened");
    return link;
  };
  const elapse = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  const goOnline = async () => {
    session.start();
    await elapse(0);
    latest().welcome();
  };
  /** Time in which the server sends a frame a second, as where nothing happens. */
  const elapseQuietly = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1_000) {
      await elapse(1_000);
      latest().frame();
    }
  };
  const sleep = (ms: number) => {
    sleptMs += ms;
  };
  return {
    session,
    links,
    states,
    distrusted,
    latest,
    elapse,
    elapseQuietly,
    goOnline,
    sleep,
    dropped: () => dropped,
  };
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
  expect(session.carrier).toBe("websocket");
  expect(session.send(Uint8Array.of(6))).toBe(true);
});

test("a lost connection is resumed within a tenth of a second, with the token of the welcome", async () => {
  const { session, links, states, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().break();
  expect(session.state.kind).toBe("reconnecting");
  expect(session.send(Uint8Array.of(6))).toBe(false);
  await elapse(50);
  expect(links).toHaveLength(2);
  await elapse(40);
  latest().onopen?.();
  const hello = fromHello(latest().sent[0]);
  expect([...hello.resumeToken]).toEqual([1, 2, 3]);
  // The link has been followed: a server that has forgotten the body must not send it back there.
  expect(hello.arriveAt).toBeUndefined();
  latest().welcome();
  expect(states.at(-1)).toBe("online");
  expect(session.lastGapMs).toBe(90);
});

test("one tries often while the server keeps the body, then further and further apart; and at once on demand", async () => {
  const { session, links, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().break();
  await elapse(50);
  for (const waitMs of [100, 200, 400, 600, 600]) {
    latest().break();
    const before = links.length;
    await elapse(waitMs - 1);
    expect(links).toHaveLength(before);
    await elapse(1);
    expect(links).toHaveLength(before + 1);
  }
  const waits: number[] = [];
  for (let begunMs = Date.now(); waits.length < 60; begunMs = Date.now()) {
    latest().break();
    await vi.advanceTimersToNextTimerAsync();
    for (const before = links.length; links.length === before; ) await elapse(50);
    waits.push(Date.now() - begunMs);
  }
  expect(Math.max(...waits.slice(0, 30))).toBeLessThan(1_000);
  expect(waits.at(-1)).toBeGreaterThan(9_000);
  const before = links.length;
  latest().break();
  session.retryNow();
  await elapse(0);
  expect(links).toHaveLength(before + 1);
});

test("a full house is not stormed", async () => {
  const { links, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().bye("full", true);
  await elapse(499);
  expect(links).toHaveLength(1);
  await elapse(1);
  expect(links).toHaveLength(2);
});

test("silence is first told and then taken as a lost connection; a frame a second is no silence", async () => {
  const { session, latest, elapse, elapseQuietly, goOnline } = setUp();
  await goOnline();
  const first = latest();
  await elapseQuietly(20_000);
  expect(session.state).toEqual({ kind: "online", isWeak: false });
  await elapse(2_000);
  expect(session.state).toEqual({ kind: "online", isWeak: true });
  first.frame();
  expect(session.state).toEqual({ kind: "online", isWeak: false });
  await elapse(5_500);
  expect(first.isClosed).toBe(true);
  expect(session.state.kind).toBe("reconnecting");
});

test("after sleep, or on another network, a dead connection is found out and replaced in less than a second", async () => {
  for (const wake of ["sleep", "hurry"] as const) {
    const { session, links, latest, elapse, elapseQuietly, goOnline, sleep } = setUp();
    await goOnline();
    await elapseQuietly(3_000);
    if (wake === "sleep") sleep(8_000);
    else session.hurry();
    await elapse(900);
    expect(links, wake).toHaveLength(2);
    latest().welcome();
    expect(session.state.kind).toBe("online");
    session.close();
  }
});

test("after a long sleep nothing is waited for", async () => {
  const { links, latest, elapse, elapseQuietly, goOnline, sleep, session } = setUp();
  await goOnline();
  await elapseQuietly(3_000);
  sleep(600_000);
  session.hurry();
  await elapse(0);
  expect(links).toHaveLength(2);
  latest().welcome();
  expect(session.state.kind).toBe("online");
});

test("after sleep a connection that lives is kept", async () => {
  const { session, links, latest, elapse, elapseQuietly, goOnline, sleep } = setUp();
  await goOnline();
  await elapseQuietly(3_000);
  sleep(8_000);
  await elapse(300);
  latest().frame();
  await elapseQuietly(3_000);
  expect(links).toHaveLength(1);
  expect(session.state.kind).toBe("online");
});

test("an attempt that hangs is begun anew when the network has come back", async () => {
  const { session, links, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().break();
  await elapse(50);
  session.hurry();
  expect(links, "it has only just begun").toHaveLength(2);
  await elapse(400);
  session.hurry();
  await elapse(0);
  expect(links).toHaveLength(3);
  expect(links[1]?.isClosed).toBe(true);
  latest().welcome();
  expect(session.state.kind).toBe("online");
});

test("a hidden page, whose timers hardly run, answers what it hears so that it is not taken for dead", async () => {
  const { latest, goOnline } = setUp();
  await goOnline();
  const before = latest().sent.length;
  for (let second = 0; second < 30; second += 1) {
    vi.setSystemTime(Date.now() + 1_000);
    latest().frame();
  }
  expect(latest().sent.length - before).toBeGreaterThanOrEqual(7);
});

test("a WebTransport over which nothing comes is given up in favour of something else", async () => {
  const { links, distrusted, latest, elapse, session } = setUp({ carriers: ["webtransport", "websocket"] });
  session.start();
  await elapse(0);
  latest().onopen?.();
  await elapse(2_000);
  expect(distrusted).toEqual(["webtransport"]);
  expect(links).toHaveLength(2);
  latest().welcome();
  expect(session.carrier).toBe("websocket");
});

test("a farewell that forbids coming back is final until the person asks", async () => {
  const { session, links, latest, elapse, goOnline } = setUp();
  await goOnline();
  latest().bye("replaced", false);
  expect(session.state).toEqual({ kind: "refused", code: "replaced", detail: "because" });
  await elapse(60_000);
  session.hurry();
  await elapse(0);
  expect(links).toHaveLength(1);
  session.retryNow();
  await elapse(0);
  expect(links).toHaveLength(2);
});

test("an expired token is replaced, but not for ever", async () => {
  const { session, latest, elapse, goOnline, dropped } = setUp();
  await goOnline();
  for (let attempt = 0; attempt < 3; attempt += 1) {
    latest().bye("token_expired", false);
    await elapse(1_000);
  }
  expect(dropped()).toBe(2);
  expect(session.state).toMatchObject({ kind: "refused", code: "token_expired" });
});

test("a refused login is told, an unreachable server is tried again", async () => {
  const refused = setUp({ accessToken: () => Promise.reject(new Refusal("banned", "No.")) });
  refused.session.start();
  await refused.elapse(0);
  expect(refused.session.state).toMatchObject({ kind: "refused", code: "banned" });

  let isUp = false;
  const away = setUp({
    accessToken: () => (isUp ? Promise.resolve("t") : Promise.reject(new Error("away"))),
  });
  away.session.start();
  await away.elapse(3_000);
  expect(away.links).toHaveLength(0);
  isUp = true;
  await away.elapse(3_000);
  expect(away.links).toHaveLength(1);
});

test("who has left stays away, even with a login under way", async () => {
  let answer: (token: string) => void = ignore;
  const { session, links, elapse } = setUp({
    accessToken: () => new Promise((resolve) => (answer = resolve)),
  });
  session.start();
  session.close();
  answer("token");
  await elapse(20_000);
  expect(links).toHaveLength(0);
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
