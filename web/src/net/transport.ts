/** What WebTransport needs: a chunk of its own, for browsers and servers that both have it. */
export { Links } from "./links.ts";
export { WebTransportLink } from "./webtransport_link.ts";
