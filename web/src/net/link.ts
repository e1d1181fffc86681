/** A way to carry messages to the server and back: one WebSocket, or one WebTransport session. */
export interface Link {
  readonly kind: LinkKind;
  /** Whether what is sent now can arrive: a link may be closing before it says so. */
  readonly isOpen: boolean;
  /** The other end is there. */
  onopen: (() => void) | null;
  /** A whole message came. Those that the server may lose also come late, twice or in another order. */
  onmessage: ((bytes: Uint8Array) => void) | null;
  /** It is over; called once, and not after {@link close}. */
  onclose: (() => void) | null;
  /** Arrives, in order, or the link ends. */
  send(bytes: Uint8Array<ArrayBuffer>): void;
  /** Arrives soon or never where that can be had; {@link mayLose} tells. */
  sendQuick(bytes: Uint8Array<ArrayBuffer>): void;
  /** Whether {@link sendQuick} may lose messages, so that they are worth repeating. */
  readonly mayLose: boolean;
  close(): void;
}

export type LinkKind = "websocket" | "webtransport";
