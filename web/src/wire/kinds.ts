/** The first byte of every binary message; the same table as `crates/wire/src/kind.rs`. 2 is made by `core/body.ts`. */
export const CLIENT_KIND = { hello: 1, say: 3, whoIs: 4, ping: 5, leave: 6 } as const;

/** Kinds that the server sends. */
export const SERVER_KIND = {
  welcome: 65,
  frame: 66,
  said: 67,
  people: 68,
  pong: 69,
  refused: 70,
  lotChanged: 71,
  bye: 72,
  event: 73,
  fences: 74,
  pace: 75,
} as const;

/** Raised together with the server's when a message changes its meaning. */
export const PROTOCOL_VERSION = 3;

/** Limits that the server refuses beyond; asked for here so that nobody runs into them. */
export const TEXT_CHARACTERS_MAX = 240;
export const ENTITIES_PER_QUESTION_MAX = 64;
