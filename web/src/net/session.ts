/**
 * The connection to the planet: hello, resume after a loss, and one place that knows how it stands.
 * It carries bytes; what they mean for the world is the business of the handlers it is given.
 */

import type { LatLng } from "../geo/lat_lng.ts";
import { PROTOCOL_VERSION } from "../wire/kinds.ts";
import {
  dispatch,
  encodeHello,
  encodeLeave,
  encodePing,
  MalformedMessage,
  type ServerHandlers,
  type Welcome,
} from "../wire/messages.ts";
import { Backoff } from "./backoff.ts";
import { Refusal } from "./refusal.ts";

/** How the connection stands. */
export type ConnectionState =
  | { readonly kind: "connecting" }
  | { readonly kind: "online" }
  /** Lost, and being made again; `retryAtMs` is when the next attempt starts, 0 while one is under way. */
  | { readonly kind: "reconnecting"; readonly retryAtMs: number }
  /** The server does not want us; only the person can change that. */
  | { readonly kind: "refused"; readonly code: string; readonly detail: string };

/** The part of `WebSocket` that is used, so that tests bring their own. */
export interface Socket {
  readonly readyState: number;
  binaryType: BinaryType;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: (() => void) | null;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

/** What a session is made from. */
export interface SessionDeps {
  openSocket(): Socket;
  /** A valid access token; rejects with {@link Refusal} when logging in again will not help. */
  accessToken(): Promise<string>;
  /** The server did not like the token: the next one must be new. */
  dropToken(): void;
  readonly protocolHash: bigint;
  nowMs(): number;
  random(): number;
  onState(state: ConnectionState): void;
}

/** `WebSocket.OPEN`, which Node 20 does not know. */
const OPEN = 1;
const WELCOME_TIMEOUT_MS = 10_000;
/** The server sends ten frames a second: so long a silence is a dead connection. */
const SILENCE_MAX_MS = 6_000;
const WATCH_INTERVAL_MS = 1_000;
const PING_INTERVAL_MS = 2_000;
/** Codes of a Bye that a new access token mends. */
const TOKEN_CODES: ReadonlySet<string> = new Set(["token_expired", "token_invalid"]);

export class Session {
  #state: ConnectionState = { kind: "connecting" };
  #socket: Socket | undefined;
  #resumeToken: Uint8Array<ArrayBuffer> = new Uint8Array();
  #arriveAt: LatLng | undefined;
  #farewell: { code: string; detail: string; mayReconnect: boolean } | undefined;
  #openedAtMs = 0;
  #heardAtMs = 0;
  #pingedAtMs = 0;
  #wasOnline = false;
  #isClosed = false;
  #tokenFailures = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  readonly #backoff: Backoff;

  constructor(
    private readonly deps: SessionDeps,
    private readonly handlers: ServerHandlers,
    /** Where to arrive instead of where one was last; asked for until it has happened once. */
    arriveAt: LatLng | undefined,
  ) {
    this.#arriveAt = arriveAt;
    this.#backoff = new Backoff(500, 10_000, () => deps.random());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Starts connecting, and keeps connected until {@link close}. */
  start(): void {
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_INTERVAL_MS);
    void this.#connect();
  }

  /** Sends when online; what is said into a lost connection is lost. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    // A socket may be closing before it says so.
    if (this.#state.kind !== "online" || this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(bytes);
    return true;
  }

  /** Tries at once instead of at the end of the wait, or again after a refusal. */
  retryNow(): void {
    if (this.#state.kind !== "refused" && this.#retryTimer === undefined) return;
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#tokenFailures = 0;
    void this.#connect();
  }

  /** Leaves for good: the body goes at once instead of after the server's patience. */
  close(): void {
    this.#isClosed = true;
    this.send(encodeLeave());
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watchTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.deps.onState(state);
  }

  async #connect(): Promise<void> {
    this.#become(this.#wasOnline ? { kind: "reconnecting", retryAtMs: 0 } : { kind: "connecting" });
    let accessToken: string;
    try {
      accessToken = await this.deps.accessToken();
    } catch (error) {
      if (error instanceof Refusal) this.#become({ kind: "refused", code: error.code, detail: error.detail });
      else this.#retryLater();
      return;
    }
    if (this.#isClosed) return;
    const socket = this.deps.openSocket();
    this.#socket = socket;
    this.#farewell = undefined;
    this.#openedAtMs = this.deps.nowMs();
    socket.binaryType = "arraybuffer";
    socket.onopen = () =>
      socket.send(
        encodeHello({
          protocolVersion: PROTOCOL_VERSION,
          protocolHash: this.deps.protocolHash,
          accessToken,
          resumeToken: this.#resumeToken,
          ...(this.#arriveAt && {
            arriveAt: {
              latitudeDeg: this.#arriveAt.latitude_deg,
              longitudeDeg: this.#arriveAt.longitude_deg,
            },
          }),
        }),
      );
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && data instanceof ArrayBuffer) this.#receive(new Uint8Array(data));
    };
    socket.onclose = () => {
      if (socket === this.#socket) this.#lost();
    };
  }

  #receive(bytes: Uint8Array): void {
    this.#heardAtMs = this.deps.nowMs();
    try {
      dispatch(bytes, this.#withOwn);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      // The rest of this connection cannot be trusted; a new one starts from keyframes.
      console.error(error);
      this.#socket?.close();
    }
  }

  /** The given handlers, with the session's own part of a welcome and a farewell before them. */
  get #withOwn(): ServerHandlers {
    return {
      ...this.handlers,
      welcome: (welcome: Welcome) => {
        this.#resumeToken = new Uint8Array(welcome.resumeToken);
        this.#wasOnline = true;
        this.#arriveAt = undefined;
        this.#tokenFailures = 0;
        this.#backoff.reset();
        this.#pingedAtMs = 0;
        this.handlers.welcome(welcome);
        this.#become({ kind: "online" });
        this.#ping();
      },
      bye: (bye) => {
        this.#farewell = bye;
        this.handlers.bye(bye);
        this.#socket?.close();
      },
    };
  }

  #lost(): void {
    this.#socket = undefined;
    const farewell = this.#farewell;
    if (farewell && TOKEN_CODES.has(farewell.code) && this.#tokenFailures < 2) {
      this.#tokenFailures += 1;
      this.deps.dropToken();
    } else if (farewell && !farewell.mayReconnect) {
      this.#become({ kind: "refused", code: farewell.code, detail: farewell.detail });
      return;
    }
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#isClosed) return;
    const waitMs = this.#backoff.nextMs();
    if (this.#wasOnline) this.#become({ kind: "reconnecting", retryAtMs: this.deps.nowMs() + waitMs });
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = undefined;
      void this.#connect();
    }, waitMs);
  }

  #watch(): void {
    const socket = this.#socket;
    if (!socket) return;
    const now = this.deps.nowMs();
    const isOnline = this.#state.kind === "online";
    const isDead = isOnline
      ? now - this.#heardAtMs > SILENCE_MAX_MS
      : now - this.#openedAtMs > WELCOME_TIMEOUT_MS;
    if (isDead) {
      // A dead connection may never report its own end: take it as lost now.
      this.#lost();
      socket.close();
    } else if (isOnline && now - this.#pingedAtMs >= PING_INTERVAL_MS) {
      this.#ping();
    }
  }

  #ping(): void {
    this.#pingedAtMs = this.deps.nowMs();
    this.send(encodePing(this.#pingedAtMs));
  }
}
