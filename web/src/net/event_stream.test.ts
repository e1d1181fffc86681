import { beforeEach, expect, test, vi } from "vitest";
import { EventStream, type HappenedEvent, POLL_INTERVAL_MS, type StreamState } from "./event_stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

const settle = () => vi.advanceTimersByTimeAsync(0);

/** A server of which each connection is spoken to by hand. */
function setUp(refusals: readonly Response[] = []) {
  /** Answered before anything else. */
  const asked: (string | undefined)[] = [];
  const events: HappenedEvent[] = [];
  const states: StreamState[] = [];
  const lines: ReadableStreamDefaultController<Uint8Array>[] = [];
  const waiting = [...refusals];
  const onMissed = vi.fn();
  const stream = new EventStream({
    async open(lastEventId, signal) {
      asked.push(lastEventId);
      const refusal = waiting.shift();
      if (refusal) return refusal;
      const body = new ReadableStream<Uint8Array>({
        start(line) {
          lines.push(line);
          signal.addEventListener("abort", () => {
            try {
              line.error(new Error("aborted"));
            } catch {
              // It had ended.
            }
          });
        },
      });
      return new Response(body, { headers: { "content-type": "text/event-stream" } });
    },
    random: () => 1,
    onEvent: (event) => events.push(event),
    onState: (state) => states.push(state),
    onMissed,
  });
  const say = (text: string) => lines.at(-1)?.enqueue(new TextEncoder().encode(text));
  return { stream, asked, waiting, events, states, lines, say, onMissed };
}
const event = (id: string, kind = "market.sold") =>
  `id: ${id}\nevent: ${kind}\ndata: {"kind":"${kind}","at":"2026-11-21T09:00:00Z","data":{"parcel":"4be6"}}\n\n`;

test("events are told as they come, and a lost stream goes on where it stopped", async () => {
  const { stream, asked, events, states, lines, say, onMissed } = setUp();
  stream.start();
  await settle();
  expect(onMissed).toHaveBeenCalledTimes(1);
  say(event("11"));
  await settle();
  lines[0]?.close();
  await settle();
  expect(states).toEqual(["connecting", "live", "connecting"]);
  await vi.advanceTimersByTimeAsync(1_000);
  say(event("11") + event("12", "market.outbid"));
  await settle();
  expect(asked).toEqual([undefined, "11"]);
  expect(events.map(({ eventId, kind }) => [eventId, kind])).toEqual([
    ["11", "market.sold"],
    ["12", "market.outbid"],
  ]);
  expect(events[0]).toMatchObject({ atMs: Date.UTC(2026, 10, 21, 9), data: { parcel: "4be6" } });
  // What was resumed was not missed.
  expect(onMissed).toHaveBeenCalledTimes(1);
  stream.close();
});

test("where there is no stream the state is asked for now and then, and the stream is tried again", async () => {
  const no = () => new Response("busy", { status: 503 });
  const { stream, states, onMissed, say, events } = setUp([no(), no(), no()]);
  stream.start();
  await settle();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(states).toEqual(["connecting", "polling"]);
  await vi.advanceTimersByTimeAsync(POLL_INTERVAL_MS);
  expect(states.at(-1)).toBe("live");
  const asked = onMissed.mock.calls.length;
  expect(asked).toBeGreaterThanOrEqual(1);
  say(event("3"));
  await settle();
  expect(events).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(3 * POLL_INTERVAL_MS);
  expect(onMissed.mock.calls.length).toBe(asked);
  stream.close();
});

test("a silent stream is a dead one", async () => {
  const { stream, asked, say } = setUp();
  stream.start();
  await settle();
  for (let index = 0; index < 5; index += 1) {
    await vi.advanceTimersByTimeAsync(15_000);
    say(": still here\n\n");
    await settle();
  }
  expect(asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(52_000);
  expect(asked).toHaveLength(2);
  stream.close();
});

test("an id that the server no longer knows is given up, and what was missed is asked for", async () => {
  const { stream, asked, waiting, lines, say, onMissed } = setUp();
  stream.start();
  await settle();
  say(event("11"));
  await settle();
  waiting.push(new Response("gone", { status: 410 }));
  lines[0]?.close();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toEqual([undefined, "11", undefined]);
  expect(onMissed).toHaveBeenCalledTimes(2);
  stream.close();
});

test("after closing nothing is asked or told", async () => {
  const { stream, asked, events, say } = setUp();
  stream.start();
  await settle();
  stream.close();
  try {
    say(event("4"));
  } catch {
    // The connection is gone.
  }
  await vi.advanceTimersByTimeAsync(120_000);
  expect(events).toEqual([]);
  expect(asked).toHaveLength(1);
});
