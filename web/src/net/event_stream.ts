/**
 * What happens, as it happens: `GET /api/v1/events` read as a stream, resumed after a loss where it stopped.
 * `EventSource` cannot send a bearer token, so the stream is fetched.
 *
 * While it cannot be had, whoever listens is told to ask for the state of things now and then instead.
 */
import { Backoff } from "./backoff.ts";
import { type ServerSentEvent, SseParser } from "./sse.ts";

/** Something that happened. */
export interface HappenedEvent {
  readonly eventId: string;
  /** `market.sold` */
  readonly kind: string;
  readonly atMs: number;
  readonly data: unknown;
}

/** `live`: told at once. `polling`: only asked for now and then. */
export type StreamState = "connecting" | "live" | "polling";

export interface StreamDeps {
  /** Asks for the stream, from after `lastEventId` where there is one. */
  open(lastEventId: string | undefined, signal: AbortSignal): Promise<Response>;
  random(): number;
  onEvent(event: HappenedEvent): void;
  onState(state: StreamState): void;
  /** Something may have been missed: whatever is shown should be asked for again. */
  onMissed(): void;
}

/** The server says at least a comment this often, three times over. */
const SILENCE_MAX_MS = 50_000;
export const POLL_INTERVAL_MS = 10_000;
/** A stream that fails so often in a row is not to be had. */
const FAILURES_MAX = 2;

export class EventStream {
  readonly #abort = new AbortController();
  readonly #backoff: Backoff;
  #state: StreamState | undefined;
  #lastEventId: string | undefined;
  #failures = 0;
  #poll: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly deps: StreamDeps) {
    this.#backoff = new Backoff(1_000, 30_000, () => deps.random());
  }

  /** Listens until {@link close}. */
  start(): void {
    this.#set("connecting");
    void this.#run();
  }

  close(): void {
    this.#abort.abort();
    clearInterval(this.#poll);
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      try {
        await this.#listen();
      } catch {
        // Said by the state; the next attempt comes by itself.
      }
      if (signal.aborted) return;
      this.#failures += 1;
      this.#set(this.#failures >= FAILURES_MAX ? "polling" : "connecting");
      await pause(this.#backoff.nextMs(), signal);
    }
  }

  /** One connection, to its end. */
  async #listen(): Promise<void> {
    const connection = new AbortController();
    const end = () => connection.abort();
    this.#abort.signal.addEventListener("abort", end);
    let watch = setTimeout(end, SILENCE_MAX_MS);
    try {
      const response = await this.deps.open(this.#lastEventId, connection.signal);
      const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
      if (!response.ok || !isStream || !response.body) {
        // The place where we stopped is gone: start from now.
        if (response.status === 400 || response.status === 410) this.#lastEventId = undefined;
        await response.body?.cancel();
        throw new Error(`no event stream: ${response.status}`);
      }
      // Between what the page loaded and the first connection, or without an id to resume from, anything may have happened.
      if (this.#lastEventId === undefined || this.#state === "polling") this.deps.onMissed();
      this.#set("live");
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watch);
        watch = setTimeout(end, SILENCE_MAX_MS);
        this.#failures = 0;
        this.#backoff.reset();
        for (const event of parser.push(value)) this.#take(event);
      }
    } finally {
      clearTimeout(watch);
      this.#abort.signal.removeEventListener("abort", end);
      connection.abort();
    }
  }

  #take(sent: ServerSentEvent): void {
    if (sent.id !== "") {
      // After a resume the server may repeat the last one.
      if (sent.id === this.#lastEventId) return;
      this.#lastEventId = sent.id;
    }
    const event = happened(sent);
    if (event) this.deps.onEvent(event);
    else this.deps.onMissed();
  }

  #set(state: StreamState): void {
    if (state === this.#state || this.#abort.signal.aborted) return;
    this.#state = state;
    clearInterval(this.#poll);
    if (state === "polling") this.#poll = setInterval(() => this.deps.onMissed(), POLL_INTERVAL_MS);
    this.deps.onState(state);
  }
}

/** What an event says; `undefined` when it is not of the expected form, or tells that some were left out. */
function happened({ id, event, data }: ServerSentEvent): HappenedEvent | undefined {
  const body: unknown = (() => {
    try {
      return JSON.parse(data);
    } catch {
      return undefined;
    }
  })();
  if (typeof body !== "object" || body === null) return undefined;
  const kind: unknown = Reflect.get(body, "kind") ?? event;
  const at: unknown = Reflect.get(body, "at");
  if (typeof kind !== "string" || !kind.includes(".")) return undefined;
  const atMs = typeof at === "string" ? Date.parse(at) : Number.NaN;
  return {
    eventId: id,
    kind,
    atMs: Number.isFinite(atMs) ? atMs : Date.now(),
    data: Reflect.get(body, "data") ?? body,
  };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
