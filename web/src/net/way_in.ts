/** How this page reaches the server: by WebSocket, and by WebTransport once its code is here and the server offers it. */
import type { TransportOffer } from "./domain.ts";
import type { Link, LinkKind } from "./link.ts";
import type { Links } from "./links.ts";
import { WebSocketLink } from "./websocket_link.ts";

/** Kept until the window closes: a network that lets no WebTransport through will not do so in the next minute. */
const BLOCKED_KEY = "terrane.no-webtransport";

export class WayIn {
  #links: Links | undefined;
  #offer: TransportOffer | undefined;
  #isFresh = false;

  constructor(
    /** What the server offers now. */
    private readonly ask: () => Promise<TransportOffer | undefined>,
  ) {}

  /** Takes what the server offered when the page was opened, and fetches the code for it. */
  async prepare(offer: TransportOffer | undefined): Promise<void> {
    if (!offer || !("WebTransport" in window)) return;
    this.#offer = offer;
    this.#isFresh = true;
    try {
      const { Links, WebTransportLink } = await import("./transport.ts");
      this.#links = new Links({
        openWebSocket,
        offer: () => {
          const { url, certificateHashes } = this.#offer ?? offer;
          return {
            open: () => new WebTransportLink(url, certificateHashes),
            isFresh: this.#isFresh,
          };
        },
        askAgain: () => void this.#askAgain(),
        memory: {
          get isBlocked() {
            return sessionStorage.getItem(BLOCKED_KEY) !== null;
          },
          set isBlocked(_: boolean) {
            sessionStorage.setItem(BLOCKED_KEY, "1");
          },
        },
        nowMs: () => performance.now(),
      });
    } catch (error) {
      // The page plays on over a WebSocket.
      console.warn(error);
    }
  }

  open(): Link {
    return this.#links?.open() ?? openWebSocket();
  }

  distrust(kind: LinkKind): void {
    this.#links?.distrust(kind);
  }

  async #askAgain(): Promise<void> {
    this.#isFresh = false;
    try {
      this.#offer = (await this.ask()) ?? this.#offer;
      this.#isFresh = true;
    } catch {
      // The server is away; what was known is tried, and a WebSocket beside it.
    }
  }
}

function openWebSocket(): Link {
  return new WebSocketLink(new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`));
}

/** `?transport=websocket` keeps to the one, for networks and browsers whose other does worse than it says. */
export function wantsWebSocket(search: string): boolean {
  return new URLSearchParams(search).get("transport") === "websocket";
}
