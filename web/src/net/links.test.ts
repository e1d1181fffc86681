import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Link, LinkKind } from "./link.ts";
import { HEAD_START_MS, Links, type QuickOffer } from "./links.ts";

class FakeLink implements Link {
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: (() => void) | null = null;
  isOpen = false;
  isClosed = false;
  constructor(readonly kind: LinkKind) {}
  get mayLose() {
    return this.kind === "webtransport";
  }
  send() {}
  sendQuick() {}
  close() {
    this.isClosed = true;
  }
  open() {
    this.isOpen = true;
    this.onopen?.();
  }
  fail() {
    this.isOpen = false;
    this.onclose?.();
  }
}

function setUp({ hasOffer = true, isFresh = true } = {}) {
  const made: FakeLink[] = [];
  const make = (kind: LinkKind) => {
    const link = new FakeLink(kind);
    made.push(link);
    return link;
  };
  const memory = { isBlocked: false };
  let nowMs = 0;
  let asked = 0;
  const offer: QuickOffer = { open: () => make("webtransport"), isFresh };
  const links = new Links({
    openWebSocket: () => make("websocket"),
    offer: () => (hasOffer ? offer : undefined),
    askAgain: () => {
      asked += 1;
    },
    memory,
    nowMs: () => nowMs,
  });
  const open = () => {
    const from = made.length;
    const told: string[] = [];
    const link = links.open();
    link.onopen = () => told.push("open");
    link.onclose = () => told.push("close");
    return {
      link,
      told,
      kinds: () => made.slice(from).map(({ kind }) => kind),
      made: () => made.slice(from),
    };
  };
  return { links, open, memory, asked: () => asked, later: (ms: number) => (nowMs += ms) };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("where WebTransport opens there is no WebSocket", () => {
  const { open, memory } = setUp();
  const { link, told, kinds, made } = open();
  made()[0]?.open();
  vi.advanceTimersByTime(5_000);
  expect(kinds()).toEqual(["webtransport"]);
  expect([link.kind, link.mayLose, link.isOpen, told]).toEqual(["webtransport", true, true, ["open"]]);
  expect(memory.isBlocked).toBe(false);
});

test("where it does not open in time a WebSocket takes over within a second, and for the visit", () => {
  const { open, memory } = setUp();
  const first = open();
  vi.advanceTimersByTime(HEAD_START_MS.first);
  expect(HEAD_START_MS.first).toBeLessThan(1_000);
  expect(first.kinds()).toEqual(["webtransport", "websocket"]);
  const [quick, socket] = first.made();
  socket?.open();
  expect([first.link.kind, first.told, quick?.isClosed]).toEqual(["websocket", ["open"], true]);
  expect(memory.isBlocked).toBe(true);
  expect(open().kinds()).toEqual(["websocket"]);
});

test("where it fails at once the WebSocket does not wait", () => {
  const { open } = setUp();
  const { kinds, made, told } = open();
  made()[0]?.fail();
  expect(kinds()).toEqual(["webtransport", "websocket"]);
  made()[1]?.fail();
  expect(told).toEqual(["close"]);
});

test("an old certificate is not held against it, and a new one is asked for", () => {
  const { open, memory, asked } = setUp({ isFresh: false });
  const { made } = open();
  made()[0]?.fail();
  made()[1]?.open();
  expect([memory.isBlocked, asked()]).toEqual([false, 1]);
});

test("when a connection is to be made good, both try nearly at once", () => {
  const { open, memory } = setUp();
  const first = open();
  first.made()[0]?.open();
  first.made()[0]?.fail();
  expect(first.told).toEqual(["open", "close"]);
  const again = open();
  vi.advanceTimersByTime(HEAD_START_MS.again);
  again.made()[1]?.open();
  expect(again.link.kind).toBe("websocket");
  expect(memory.isBlocked).toBe(false);
});

test("one that opens and breaks twice, or opens and says nothing, is not tried again", () => {
  const { open, memory, later } = setUp();
  for (const after of [60_000, 1_000, 1_000]) {
    expect(memory.isBlocked).toBe(false);
    const { made } = open();
    made()[0]?.open();
    later(after);
    made()[0]?.fail();
  }
  expect(memory.isBlocked).toBe(true);

  const silent = setUp();
  silent.links.distrust("websocket");
  expect(silent.memory.isBlocked).toBe(false);
  silent.links.distrust("webtransport");
  expect(silent.memory.isBlocked).toBe(true);
});

test("closing stops whatever is under way", () => {
  const { open } = setUp();
  const { link, made, told } = open();
  link.close();
  vi.advanceTimersByTime(5_000);
  expect(made().map(({ isClosed }) => isClosed)).toEqual([true]);
  expect(told).toEqual([]);
});

test("a server without WebTransport is reached as ever", () => {
  expect(setUp({ hasOffer: false }).open().kinds()).toEqual(["websocket"]);
});
