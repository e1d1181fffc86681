/** How this page reaches the server: by WebSocket, and by WebTransport once its code is here and the server offers it. */
import type { TransportOffer } from "./domain.ts";
import type { Link, LinkKind } from "./link.ts";
import type { Links } from "./links.ts";
import { WebSocketLink } from "./websocket_link.ts";

export class WayIn {
  #links: Links | undefined;

  /** Takes what the server offers now, and fetches the code for it; `ask` asks again what it offers. */
  async prepare(
    offer: TransportOffer | undefined,
    ask: () => Promise<TransportOffer | undefined>,
  ): Promise<void> {
    // `?transport=websocket` is for networks and browsers whose other way does worse than it says.
    if (!offer || !("WebTransport" in window) || /[?&]transport=websocket/.test(location.search)) return;
    try {
      this.#links = (await import("./transport.ts")).linksTo(offer, ask, openWebSocket);
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
}

function openWebSocket(): Link {
  return new WebSocketLink(new WebSocket(`${location.origin.replace(/^http/, "ws")}/ws`));
}
