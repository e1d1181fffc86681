/** WebTransport beside the WebSocket: a chunk of its own, for browsers and servers that both have it. */
import type { TransportOffer } from "./domain.ts";
import type { Link } from "./link.ts";
import { Links } from "./links.ts";
import { WebTransportLink } from "./webtransport_link.ts";

/** Kept until the window closes: a network that lets no WebTransport through will not do so in the next minute. */
const BLOCKED_KEY = "terrane.no-webtransport";

/** `first` is what the server offered when the page was opened, `ask` asks again. */
export function linksTo(
  first: TransportOffer,
  ask: () => Promise<TransportOffer | undefined>,
  openWebSocket: () => Link,
): Links {
  let offer = first;
  let isFresh = true;
  const askAgain = async () => {
    isFresh = false;
    try {
      offer = (await ask()) ?? offer;
      isFresh = true;
    } catch {
      // The server is away; what was known is tried, and a WebSocket beside it.
    }
  };
  return new Links({
    openWebSocket,
    offer: () => ({ open: () => new WebTransportLink(offer.url, offer.certificateHashes), isFresh }),
    askAgain: () => void askAgain(),
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
}
