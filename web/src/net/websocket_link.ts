import type { Link } from "./link.ts";

/** `WebSocket.CONNECTING` and `WebSocket.OPEN`, which Node 20 does not know. */
const CONNECTING = 0;
const OPEN = 1;

/** The part of `WebSocket` that is used, so that tests bring their own. */
export type SocketLike = Pick<
  WebSocket,
  "readyState" | "binaryType" | "onopen" | "onmessage" | "onclose" | "send" | "close"
>;

/** One WebSocket, one message a frame. */
export class WebSocketLink implements Link {
  readonly kind = "websocket";
  readonly mayLose = false;
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(private readonly socket: SocketLike) {
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.onopen?.();
    socket.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.onmessage?.(new Uint8Array(data));
    };
    socket.onclose = () => this.onclose?.();
  }

  get isOpen(): boolean {
    return this.socket.readyState === OPEN;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.socket.send(bytes);
  }

  sendQuick(bytes: Uint8Array<ArrayBuffer>): void {
    this.socket.send(bytes);
  }

  close(): void {
    const { socket } = this;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    // Browsers complain of one that is closed while it opens.
    if (socket.readyState === CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }
}
