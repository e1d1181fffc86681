/**
 * One WebTransport session: a bidirectional stream for everything that must arrive, datagrams for what is worth nothing
 * late. A chunk of its own: browsers and servers without it never fetch it.
 */
import { Deframer, framed } from "./framing.ts";
import type { Link } from "./link.ts";

/** Frames are the longest messages. */
const MESSAGE_BYTES_MAX = 524_288;
/** Datagrams that may wait, either way, for a page that is busy drawing; the browser's own default is one. */
const DATAGRAMS_WAITING_MAX = 64;
/** How long a farewell may take to go out. */
const FAREWELL_MS = 500;

export class WebTransportLink implements Link {
  readonly kind = "webtransport";
  readonly mayLose = true;
  onopen: (() => void) | null = null;
  onmessage: ((bytes: Uint8Array) => void) | null = null;
  onclose: (() => void) | null = null;
  readonly #transport: WebTransport;
  #stream: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #datagrams: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | undefined;
  #isOver = false;

  /** `certificateHashes`: SHA-256 of certificates that no authority has signed. */
  constructor(url: string, certificateHashes: readonly Uint8Array<ArrayBuffer>[]) {
    this.#transport = new WebTransport(url, {
      requireUnreliable: true,
      congestionControl: "low-latency",
      ...(certificateHashes.length > 0 && {
        serverCertificateHashes: certificateHashes.map((value) => ({ algorithm: "sha-256", value })),
      }),
    });
    this.#transport.closed.then(this.#over, this.#over);
    this.#open().catch(this.#over);
  }

  get isOpen(): boolean {
    return this.#stream !== undefined && !this.#isOver;
  }

  send(bytes: Uint8Array<ArrayBuffer>): void {
    this.#stream?.write(framed(bytes)).catch(this.#over);
  }

  sendQuick(bytes: Uint8Array<ArrayBuffer>): void {
    const { maxDatagramSize } = this.#transport.datagrams;
    if (bytes.length > maxDatagramSize) this.send(bytes);
    else this.#datagrams?.write(bytes).catch(this.#over);
  }

  close(): void {
    this.#isOver = true;
    // What has been written last, a farewell, still goes out.
    const late = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    const close = () => this.#transport.close();
    Promise.race([this.#stream?.close(), this.#stream && late])
      .then(close, close)
      .catch(() => {
        // It was over already.
      });
  }

  readonly #over = (): void => {
    if (this.#isOver) return;
    this.#isOver = true;
    try {
      this.#transport.close();
    } catch {
      // It is closed, which is what is wanted.
    }
    this.onclose?.();
  };

  async #open(): Promise<void> {
    await this.#transport.ready;
    if (this.#isOver) return;
    this.#transport.datagrams.incomingHighWaterMark = DATAGRAMS_WAITING_MAX;
    // Else each waits until the page has been told that the one before has gone, and a slow page falls behind.
    this.#transport.datagrams.outgoingHighWaterMark = DATAGRAMS_WAITING_MAX;
    const { readable, writable } = await this.#transport.createBidirectionalStream();
    this.#stream = writable.getWriter();
    this.#datagrams = datagramsOf(this.#transport).getWriter();
    this.#read(this.#transport.datagrams.readable, (bytes) => this.#take(bytes));
    const deframer = new Deframer(MESSAGE_BYTES_MAX);
    this.#read(readable, (bytes) => {
      for (const message of deframer.push(bytes)) this.#take(message);
    });
    if (!this.#isOver) this.onopen?.();
  }

  #take(message: Uint8Array): void {
    if (!this.#isOver) this.onmessage?.(message);
  }

  #read(stream: ReadableStream<Uint8Array>, take: (bytes: Uint8Array) => void): void {
    const reader = stream.getReader();
    const next = async (): Promise<void> => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done || this.#isOver) return;
        take(value);
      }
    };
    next().then(this.#over, this.#over);
  }
}

/** Where datagrams are written: newer browsers make a stream for it, older ones have one. */
function datagramsOf({ datagrams }: WebTransport): WritableStream<Uint8Array<ArrayBuffer>> {
  const create: unknown = Reflect.get(datagrams, "createWritable");
  return typeof create === "function" ? create.call(datagrams) : datagrams.writable;
}
