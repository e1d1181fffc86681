/**
 * A bad network between a browser and a server: TCP and UDP on one port, each way delayed, and with losses. A lost TCP
 * segment is imitated by what one notices of it: everything behind it waits until it has been sent again. Lost
 * datagrams are lost.
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Faults {
  /** One way. */
  readonly delayMs: number;
  /** The share of segments and datagrams that are lost, each way. */
  readonly loss: number;
}

/** What goes into one segment. */
const SEGMENT_BYTES = 1_400;
/** A sender waits for an answer for a round trip and so much before it sends again. */
const RESEND_AFTER_MS = 200;

/** The same losses at every run. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export class FaultProxy {
  /** Held against what comes from now on. */
  faults: Faults = { delayMs: 0, loss: 0 };
  /** No datagrams pass, as in many offices. */
  isUdpBlocked = false;
  /** How many segments and datagrams were lost. */
  lostCount = 0;
  readonly #pairs = new Set<Pipe>();
  readonly #udpClients = new Map<string, UdpSocket>();
  readonly #server: Server;
  readonly #udp: UdpSocket;
  readonly #random = chance(7);
  #port = 0;

  private constructor(private readonly upstreamPort: number) {
    this.#server = createServer((socket) => this.#accept(socket));
    this.#udp = createSocket("udp4");
    this.#udp.on("message", (bytes, { address, port }) => this.#datagram(bytes, address, port));
  }

  static async open(upstreamPort: number): Promise<FaultProxy> {
    for (let attempt = 0; ; attempt += 1) {
      const proxy = new FaultProxy(upstreamPort);
      try {
        await new Promise<void>((resolve, reject) => {
          proxy.#server.once("error", reject).listen(0, "127.0.0.1", resolve);
        });
        const address = proxy.#server.address();
        proxy.#port = typeof address === "object" && address ? address.port : 0;
        await new Promise<void>((resolve, reject) => {
          proxy.#udp.once("error", reject).bind(proxy.#port, "127.0.0.1", resolve);
        });
        return proxy;
      } catch (error) {
        // The port may be another's for UDP.
        proxy.close();
        if (attempt === 5) throw error;
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Ends every connection, as a router that restarts. */
  cut(): void {
    for (const pair of [...this.#pairs]) pair.destroy();
    this.#forgetUdp();
  }

  /** Lets nothing more through what is open now, and says nothing of it: as when a machine has changed its network. */
  silence(): void {
    for (const pair of this.#pairs) pair.silence();
    this.#forgetUdp();
  }

  close(): void {
    this.cut();
    this.#server.close();
    this.#udp.close();
  }

  isLost = (): boolean => {
    const isLost = this.#random() < this.faults.loss;
    if (isLost) this.lostCount += 1;
    return isLost;
  };

  #accept(client: Socket): void {
    const pair = new Pipe(client, connect(this.upstreamPort, "127.0.0.1"), this, () =>
      this.#pairs.delete(pair),
    );
    this.#pairs.add(pair);
  }

  #forgetUdp(): void {
    for (const upstream of this.#udpClients.values()) upstream.close();
    this.#udpClients.clear();
    // A QUIC connection would go on from a new port: it is to be gone.
    this.#deaf = new Set([...this.#deaf, ...this.#known]);
    this.#known.clear();
  }

  #deaf = new Set<string>();
  readonly #known = new Set<string>();

  #datagram(bytes: Buffer, address: string, port: number): void {
    const from = `${address}:${port}`;
    if (this.isUdpBlocked || this.#deaf.has(from)) return;
    this.#known.add(from);
    let upstream = this.#udpClients.get(from);
    if (!upstream) {
      const made = createSocket("udp4");
      made.on("message", (answer) =>
        this.#later(
          () => this.#udp.send(answer, port, address),
          () => !this.#deaf.has(from),
        ),
      );
      made.on("error", () => undefined);
      this.#udpClients.set(from, made);
      upstream = made;
    }
    const to = upstream;
    this.#later(
      () => to.send(bytes, this.upstreamPort, "127.0.0.1"),
      () => this.#udpClients.get(from) === to,
    );
  }

  #later(send: () => void, isWanted: () => boolean): void {
    if (this.isLost()) return;
    const { delayMs } = this.faults;
    if (delayMs === 0) send();
    else void sleep(delayMs).then(() => isWanted() && send());
  }
}

/** Two sockets that are one connection. */
class Pipe {
  #isSilent = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly proxy: FaultProxy,
    private readonly onEnd: () => void,
  ) {
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // What a socket complains of on its way out is what the test wanted.
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (!this.#isSilent || socket === client) this.destroy();
      });
    }
    this.#carry(client, server);
    this.#carry(server, client);
  }

  silence(): void {
    this.#isSilent = true;
    this.server.destroy();
  }

  destroy(): void {
    if (!this.#isSilent) this.server.destroy();
    this.client.destroy();
    this.onEnd();
  }

  #carry(from: Socket, to: Socket): void {
    let arriveAtMs = 0;
    let queue = Promise.resolve();
    from.on("data", (bytes: Buffer) => {
      const { delayMs } = this.proxy.faults;
      arriveAtMs = Math.max(arriveAtMs, performance.now() + delayMs);
      for (let at = 0; at < bytes.length; at += SEGMENT_BYTES) {
        if (this.proxy.isLost()) arriveAtMs += 2 * delayMs + RESEND_AFTER_MS;
      }
      const dueMs = arriveAtMs;
      queue = queue.then(async () => {
        const waitMs = dueMs - performance.now();
        if (waitMs > 1) await sleep(waitMs);
        if (!this.#isSilent && to.writable) to.write(bytes);
      });
    });
    from.on("end", () => void queue.then(() => !this.#isSilent && to.end()));
  }
}
