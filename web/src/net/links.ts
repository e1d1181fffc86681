/**
 * Chooses how to reach the server, without the person noticing: WebTransport where browser and server have it, a
 * WebSocket where that does not open in time, for the rest of the visit if it never does.
 */
import type { Link, LinkKind } from "./link.ts";

/** A way to try WebTransport at once, and how sure it is that the server still offers it so. */
export interface QuickOffer {
  open(): Link;
  /** Asked for since the server was last reached: a failure is the network's, not that of an old certificate. */
  readonly isFresh: boolean;
}

export interface LinksDeps {
  openWebSocket(): Link;
  /** WebTransport as last heard of; `undefined` where there is none. */
  offer(): QuickOffer | undefined;
  /** Asks the server again what it offers, as certificates change; for the next time. */
  askAgain(): void;
  /** Whether WebTransport has failed during this visit; kept until the window closes. */
  readonly memory: { isBlocked: boolean };
  nowMs(): number;
}

/** So long WebTransport alone may try: a first time, and when a connection is to be made good. */
export const HEAD_START_MS = { first: 800, again: 200 } as const;
/** A link that ends sooner than this has not proved itself. */
const PROVED_MS = 10_000;
const UNPROVED_MAX = 2;

export class Links {
  #unproved = 0;
  #hasOpened = false;

  constructor(private readonly deps: LinksDeps) {}

  /** A new link; it opens as what opens first. */
  open(): Link {
    const offer = this.deps.memory.isBlocked ? undefined : this.deps.offer();
    if (!offer) return this.deps.openWebSocket();
    const headStartMs = this.#hasOpened ? HEAD_START_MS.again : HEAD_START_MS.first;
    return new FirstLink(offer.open(), () => this.deps.openWebSocket(), headStartMs, {
      opened: (kind) => this.#opened(kind, offer),
      closed: (kind, openedAtMs) => this.#closed(kind, openedAtMs),
      nowMs: this.deps.nowMs,
    });
  }

  /** The link opened and then said nothing: something between here and the server lets it through but for show. */
  distrust(kind: LinkKind): void {
    if (kind === "webtransport") this.deps.memory.isBlocked = true;
  }

  #opened(kind: LinkKind, offer: QuickOffer): void {
    if (kind === "websocket") {
      // With an old certificate, or slower than a WebSocket this once, it is worth another try.
      if (offer.isFresh && !this.#hasOpened) this.deps.memory.isBlocked = true;
      this.deps.askAgain();
    }
    this.#hasOpened = true;
  }

  #closed(kind: LinkKind, openedAtMs: number): void {
    if (kind !== "webtransport") return;
    // The server may have been started again, with another certificate.
    this.deps.askAgain();
    this.#unproved = this.deps.nowMs() - openedAtMs < PROVED_MS ? this.#unproved + 1 : 0;
    if (this.#unproved >= UNPROVED_MAX) this.deps.memory.isBlocked = true;
  }
}

interface Told {
  opened(kind: LinkKind): void;
  closed(kind: LinkKind, openedAtMs: number): void;
  nowMs(): number;
}

/** Two links on trial: the first that opens is the one, the other is closed. */
class FirstLink implements Link {
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: (() => void) | null = null;
  #trials: Link[] = [];
  #chosen: Link | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #openedAtMs = 0;

  constructor(
    quick: Link,
    openOther: () => Link,
    headStartMs: number,
    private readonly told: Told,
  ) {
    const other = () => {
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#try(openOther(), undefined);
    };
    this.#timer = setTimeout(other, headStartMs);
    this.#try(quick, other);
  }

  get kind(): LinkKind {
    return this.#chosen?.kind ?? "websocket";
  }
  get isOpen(): boolean {
    return this.#chosen?.isOpen ?? false;
  }
  get mayLose(): boolean {
    return this.#chosen?.mayLose ?? false;
  }
  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#chosen?.send(bytes);
  }
  sendQuick(bytes: Uint8Array<ArrayBuffer>): void {
    this.#chosen?.sendQuick(bytes);
  }
  close(): void {
    clearTimeout(this.#timer);
    for (const link of this.#trials.splice(0)) link.close();
    this.#chosen?.close();
  }

  /** `otherwise` is what to do at once if it fails. */
  #try(link: Link, otherwise: (() => void) | undefined): void {
    this.#trials.push(link);
    link.onopen = () => this.#choose(link);
    link.onclose = () => {
      this.#trials = this.#trials.filter((trial) => trial !== link);
      if (this.#timer !== undefined && otherwise) otherwise();
      else if (this.#trials.length === 0) this.onclose?.();
    };
  }

  #choose(link: Link): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const trial of this.#trials.splice(0)) if (trial !== link) trial.close();
    this.#chosen = link;
    this.#openedAtMs = this.told.nowMs();
    link.onmessage = (bytes) => this.onmessage?.(bytes);
    link.onclose = () => {
      this.told.closed(link.kind, this.#openedAtMs);
      this.onclose?.();
    };
    this.told.opened(link.kind);
    this.onopen?.();
  }
}
