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
import type { Link, LinkKind } from "./link.ts";
import { Refusal } from "./refusal.ts";

/** How the connection stands. */
export type ConnectionState =
  | { readonly kind: "connecting" }
  /** `isWeak`: nothing has been heard for longer than a healthy connection is silent. */
  | { readonly kind: "online"; readonly isWeak: boolean }
  /** Lost at `sinceMs`, and being made again; `retryAtMs` is when the next attempt starts, 0 while one is under way. */
  | { readonly kind: "reconnecting"; readonly sinceMs: number; readonly retryAtMs: number }
  /** The server does not want us; only the person can change that. */
  | { readonly kind: "refused"; readonly code: string; readonly detail: string };

/** What a session is made from. */
export interface SessionDeps {
  openLink(): Link;
  /** A link that opened and then said nothing was of this kind. */
  distrust(kind: LinkKind): void;
  /** A valid access token; rejects with {@link Refusal} when logging in again will not help. */
  accessToken(): Promise<string>;
  /** The server did not like the token: the next one must be new. */
  dropToken(): void;
  readonly protocolHash: bigint;
  /** A clock that only runs forward. */
  nowMs(): number;
  /** A clock that also runs while the machine sleeps. */
  wallMs(): number;
  random(): number;
  onState(state: ConnectionState): void;
}

const WELCOME_TIMEOUT_MS = 10_000;
/** The answer to a hello comes sooner than this, or not. */
const SILENT_WEBTRANSPORT_MS = 1_500;
/** The server sends at least a frame a second; so long a silence is worth telling. */
const WEAK_AFTER_MS = 1_700;
/** So long a silence is a dead connection, when nothing else speaks for that. */
const SILENCE_MAX_MS = 5_000;
/** And so long, and two round trips, where it may have died: after sleep, and on another network. */
const PROBE_MS = 300;
const PROBE_MAX_MS = 700;
/** After so long without a word, by a clock that runs during sleep, nothing is left to put to the test. */
const SURELY_GONE_MS = 12_000;
const WATCH_INTERVAL_MS = 250;
/** The page has been too busy to look: what has come in meanwhile is heard first. */
const BUSY_MS = 2_000;
/** A page wakes every second, or when hidden for long once a minute; after a longer gap than the first it asks. */
const SLEPT_MS = 3_000;
const PING_INTERVAL_MS = 2_000;
/** So long the server keeps the body of a lost connection, and so long one hurries. */
const BODY_KEPT_MS = 30_000;
/** An attempt that has not got through by then is begun anew when something speaks for another network. */
const STALE_ATTEMPT_MS = 300;
/** Codes of a Bye that a new access token mends. */
const TOKEN_CODES: ReadonlySet<string> = new Set(["token_expired", "token_invalid"]);
/** Codes of a Bye that hurrying makes worse. */
const PATIENT_CODES: ReadonlySet<string> = new Set(["full", "unavailable"]);

export class Session {
  #state: ConnectionState = { kind: "connecting" };
  #link: Link | undefined;
  /** Counts attempts, so that a late one knows that it is out of date. */
  #attempt = 0;
  #resumeToken: Uint8Array<ArrayBuffer> = new Uint8Array();
  #arriveAt: LatLng | undefined;
  #farewell: { code: string; detail: string; mayReconnect: boolean } | undefined;
  #attemptedAtMs = 0;
  #helloAtMs = 0;
  #heardAtMs = 0;
  #heardAtWallMs = 0;
  #pingedAtMs = 0;
  #watchedAtMs = 0;
  #watchedAtWallMs = 0;
  /** Of the quickest of late: a busy page makes others seem long. */
  #roundTripMs: number | undefined;
  #lostAtMs: number | undefined;
  #wasOnline = false;
  #isClosed = false;
  #tokenFailures = 0;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;
  #probeTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setInterval> | undefined;
  readonly #quick: Backoff;
  readonly #patient: Backoff;
  /** How long the last loss of the connection lasted; `undefined` before the first. */
  lastGapMs: number | undefined;

  constructor(
    private readonly deps: SessionDeps,
    private readonly handlers: ServerHandlers,
    /** Where to arrive instead of where one was last; asked for until it has happened once. */
    arriveAt: LatLng | undefined,
  ) {
    this.#arriveAt = arriveAt;
    this.#quick = new Backoff(50, 600, () => deps.random());
    this.#patient = new Backoff(500, 10_000, () => deps.random());
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** What carries the messages now. */
  get carrier(): LinkKind | undefined {
    return this.#state.kind === "online" ? this.#link?.kind : undefined;
  }

  /** Whether {@link sendQuick} may lose messages. */
  get mayLose(): boolean {
    return this.#link?.mayLose ?? false;
  }

  /** Starts connecting, and keeps connected until {@link close}. */
  start(): void {
    this.#watchedAtMs = this.deps.nowMs();
    this.#watchedAtWallMs = this.deps.wallMs();
    this.#watchTimer = setInterval(() => this.#watch(), WATCH_INTERVAL_MS);
    void this.#connect();
  }

  /** Sends when online; what is said into a lost connection is lost. */
  send(bytes: Uint8Array<ArrayBuffer>): boolean {
    const link = this.#openLink;
    link?.send(bytes);
    return link !== undefined;
  }

  /** As {@link send}, for what is worth nothing late. */
  sendQuick(bytes: Uint8Array<ArrayBuffer>): boolean {
    const link = this.#openLink;
    link?.sendQuick(bytes);
    return link !== undefined;
  }

  get #openLink(): Link | undefined {
    return this.#state.kind === "online" && this.#link?.isOpen ? this.#link : undefined;
  }

  /** The person wants another attempt at once, also after a refusal. */
  retryNow(): void {
    if (this.#isClosed) return;
    if (this.#state.kind !== "refused" && this.#retryTimer === undefined) return;
    this.#tokenFailures = 0;
    void this.#connect();
  }

  /**
   * Something speaks for another network, or for time that has passed without us: what is there is put to the test,
   * and what is being waited for is done now.
   */
  hurry(): void {
    if (this.#isClosed || this.#state.kind === "refused") return;
    const now = this.deps.nowMs();
    this.#quick.reset();
    if (this.#state.kind === "online" && this.deps.wallMs() - this.#heardAtWallMs > SURELY_GONE_MS) {
      this.#lost();
      void this.#connect();
    } else if (this.#state.kind === "online") {
      const waitMs = Math.min(PROBE_MAX_MS, PROBE_MS + 2 * (this.#roundTripMs ?? 100));
      this.#probeTimer ??= setTimeout(() => this.#lost(), waitMs);
      this.#ping();
    } else if (this.#retryTimer !== undefined || now - this.#attemptedAtMs > STALE_ATTEMPT_MS) {
      void this.#connect();
    }
  }

  /** Leaves for good: the body goes at once instead of after the server's patience. */
  close(): void {
    this.#isClosed = true;
    this.send(encodeLeave());
    clearTimeout(this.#retryTimer);
    clearInterval(this.#watchTimer);
    this.#drop();
  }

  #become(state: ConnectionState): void {
    this.#state = state;
    this.deps.onState(state);
  }

  /** Lets go of the link, whatever becomes of it. */
  #drop(): void {
    this.#endProbe();
    const link = this.#link;
    this.#link = undefined;
    if (!link) return;
    link.onopen = null;
    link.onmessage = null;
    link.onclose = null;
    link.close();
  }

  #endProbe(): void {
    clearTimeout(this.#probeTimer);
    this.#probeTimer = undefined;
  }

  async #connect(): Promise<void> {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#drop();
    this.#attempt += 1;
    const attempt = this.#attempt;
    this.#attemptedAtMs = this.deps.nowMs();
    this.#become(
      this.#wasOnline
        ? { kind: "reconnecting", sinceMs: this.#lostAtMs ?? this.#attemptedAtMs, retryAtMs: 0 }
        : { kind: "connecting" },
    );
    let accessToken: string;
    try {
      accessToken = await this.deps.accessToken();
    } catch (error) {
      if (this.#isClosed || attempt !== this.#attempt) return;
      if (error instanceof Refusal) this.#become({ kind: "refused", code: error.code, detail: error.detail });
      else this.#retryLater();
      return;
    }
    if (this.#isClosed || attempt !== this.#attempt) return;
    const link = this.deps.openLink();
    this.#link = link;
    this.#farewell = undefined;
    this.#helloAtMs = 0;
    link.onopen = () => {
      this.#helloAtMs = this.deps.nowMs();
      link.send(this.#hello(accessToken));
    };
    link.onmessage = (bytes) => this.#receive(bytes);
    link.onclose = () => this.#lost();
  }

  #hello(accessToken: string): Uint8Array<ArrayBuffer> {
    const place = this.#arriveAt;
    return encodeHello({
      protocolVersion: PROTOCOL_VERSION,
      protocolHash: this.deps.protocolHash,
      accessToken,
      resumeToken: this.#resumeToken,
      ...(place && { arriveAt: { latitudeDeg: place.latitude_deg, longitudeDeg: place.longitude_deg } }),
    });
  }

  #receive(bytes: Uint8Array): void {
    const now = this.deps.nowMs();
    this.#heardAtMs = now;
    this.#heardAtWallMs = this.deps.wallMs();
    this.#endProbe();
    try {
      dispatch(bytes, this.#withOwn);
    } catch (error) {
      if (!(error instanceof MalformedMessage)) throw error;
      // The rest of this connection cannot be trusted; a new one starts from keyframes.
      console.error(error);
      this.#lost();
      return;
    }
    // A hidden page's timers hardly run, but what comes in wakes it.
    if (this.#state.kind !== "online") return;
    if (now - this.#pingedAtMs >= 2 * PING_INTERVAL_MS) this.#ping();
    if (this.#state.isWeak) this.#become({ kind: "online", isWeak: false });
  }

  /** The given handlers, with the session's own part of some messages before them. */
  get #withOwn(): ServerHandlers {
    return {
      ...this.handlers,
      welcome: (welcome: Welcome) => {
        this.#resumeToken = new Uint8Array(welcome.resumeToken);
        if (this.#lostAtMs !== undefined) this.lastGapMs = this.deps.nowMs() - this.#lostAtMs;
        this.#lostAtMs = undefined;
        this.#wasOnline = true;
        this.#arriveAt = undefined;
        this.#tokenFailures = 0;
        this.#quick.reset();
        this.#patient.reset();
        this.handlers.welcome(welcome);
        this.#become({ kind: "online", isWeak: false });
        this.#ping();
      },
      pong: (pong) => {
        const roundTripMs = Math.max(0, this.deps.nowMs() - pong.clientTimeMs);
        this.#roundTripMs = Math.min(roundTripMs, (this.#roundTripMs ?? roundTripMs) * 1.2 + 5);
        this.handlers.pong(pong);
      },
      bye: (bye) => {
        this.#farewell = bye;
        this.handlers.bye(bye);
        this.#lost();
      },
    };
  }

  #lost(): void {
    this.#drop();
    if (this.#isClosed) return;
    if (this.#wasOnline) this.#lostAtMs ??= this.deps.nowMs();
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
    const now = this.deps.nowMs();
    const sinceMs = this.#lostAtMs ?? now;
    const isPatient = !this.#wasOnline || PATIENT_CODES.has(this.#farewell?.code ?? "");
    const hurries = !isPatient && now - sinceMs < BODY_KEPT_MS;
    const waitMs = (hurries ? this.#quick : this.#patient).nextMs();
    if (this.#wasOnline) this.#become({ kind: "reconnecting", sinceMs, retryAtMs: now + waitMs });
    clearTimeout(this.#retryTimer);
    this.#retryTimer = setTimeout(() => void this.#connect(), waitMs);
  }

  #watch(): void {
    const now = this.deps.nowMs();
    const wallMs = this.deps.wallMs();
    const hasSlept = wallMs - this.#watchedAtWallMs > SLEPT_MS;
    const wasBusy = now - this.#watchedAtMs > BUSY_MS;
    this.#watchedAtMs = now;
    this.#watchedAtWallMs = wallMs;
    if (hasSlept) this.hurry();
    const link = this.#link;
    if (!link || hasSlept || wasBusy) return;
    if (this.#state.kind === "online") {
      this.#watchOnline(now, this.#state.isWeak);
    } else if (this.#isSilent(link, now)) {
      this.deps.distrust(link.kind);
      void this.#connect();
    } else if (now - this.#attemptedAtMs > WELCOME_TIMEOUT_MS) {
      this.#lost();
    }
  }

  /** A WebTransport that opened and over which nothing comes: something on the way lets only its handshake through. */
  #isSilent(link: Link, now: number): boolean {
    return (
      link.kind === "webtransport" && this.#helloAtMs > 0 && now - this.#helloAtMs > SILENT_WEBTRANSPORT_MS
    );
  }

  #watchOnline(now: number, isWeak: boolean): void {
    const silenceMs = now - this.#heardAtMs;
    if (silenceMs > SILENCE_MAX_MS) {
      // A dead connection may never report its own end: take it as lost now.
      this.#lost();
      return;
    }
    if (now - this.#pingedAtMs >= PING_INTERVAL_MS) this.#ping();
    if (!isWeak && silenceMs > WEAK_AFTER_MS) this.#become({ kind: "online", isWeak: true });
  }

  #ping(): void {
    this.#pingedAtMs = this.deps.nowMs();
    this.sendQuick(encodePing(this.#pingedAtMs));
  }
}
