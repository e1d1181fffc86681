/**
 * Bytes of the socket to messages and back. Control messages are Protocol Buffers (`src/gen`); inputs and frames
 * have a packing of their own, which the planet code writes and reads (`core/body.ts`, `core/stream.ts`).
 */
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Bye,
  ByeSchema,
  EventSchema,
  HelloSchema,
  type LotChanged,
  LotChangedSchema,
  type Pace,
  PaceSchema,
  type People,
  PeopleSchema,
  PingSchema,
  type Pong,
  PongSchema,
  type Refused,
  RefusedSchema,
  type Said,
  SaidSchema,
  SaySchema,
  type Event as ServerEvent,
  type Welcome,
  WelcomeSchema,
  WhoIsSchema,
} from "../gen/terrane_pb.ts";
import { CLIENT_KIND, SERVER_KIND } from "./kinds.ts";

export type { Bye, LotChanged, Pace, People, Pong, Refused, Said, ServerEvent, Welcome };

/** What each kind of server message carries. */
export interface ServerMessages {
  welcome: Welcome;
  /** The whole message, for `core/stream.ts`. */
  frame: Uint8Array;
  said: Said;
  people: People;
  pong: Pong;
  refused: Refused;
  lotChanged: LotChanged;
  bye: Bye;
  /** Something that concerns us happened. */
  event: ServerEvent;
  /** Land nearby that is closed to our body: the whole message, for `core/body.ts`. */
  fences: Uint8Array;
  /** How long the server's ticks take from now on. */
  pace: Pace;
}

/** One handler a kind: a kind that nobody handles does not compile. */
export type ServerHandlers = { readonly [K in keyof ServerMessages]: (message: ServerMessages[K]) => void };

/** Bytes that are no message of this protocol. */
export class MalformedMessage extends Error {}

/** Each is given the whole message. */
const DECODERS: { readonly [K in keyof ServerMessages]: (message: Uint8Array) => ServerMessages[K] } = {
  welcome: (message) => fromBinary(WelcomeSchema, message.subarray(1)),
  frame: (message) => message,
  said: (message) => fromBinary(SaidSchema, message.subarray(1)),
  people: (message) => fromBinary(PeopleSchema, message.subarray(1)),
  pong: (message) => fromBinary(PongSchema, message.subarray(1)),
  refused: (message) => fromBinary(RefusedSchema, message.subarray(1)),
  lotChanged: (message) => fromBinary(LotChangedSchema, message.subarray(1)),
  bye: (message) => fromBinary(ByeSchema, message.subarray(1)),
  event: (message) => fromBinary(EventSchema, message.subarray(1)),
  fences: (message) => message,
  pace: (message) => fromBinary(PaceSchema, message.subarray(1)),
};

const NAMES = new Map(
  Object.entries(SERVER_KIND).map(([name, kind]) => [kind as number, name as keyof ServerMessages]),
);

/** Decodes one message and hands it to its handler. */
export function dispatch(bytes: Uint8Array, handlers: ServerHandlers): void {
  const name = NAMES.get(bytes[0] ?? 0);
  if (!name) throw new MalformedMessage(`unknown kind ${bytes[0]} of ${bytes.length} bytes`);
  deliver(name, bytes, handlers);
}

function deliver<K extends keyof ServerMessages>(name: K, bytes: Uint8Array, handlers: ServerHandlers): void {
  let message: ServerMessages[K];
  try {
    message = DECODERS[name](bytes);
  } catch (cause) {
    throw new MalformedMessage(`a ${name} of ${bytes.length} bytes does not decode`, { cause });
  }
  handlers[name](message);
}

function encode<S extends DescMessage>(
  kind: number,
  schema: S,
  init: MessageInitShape<S>,
): Uint8Array<ArrayBuffer> {
  const payload = toBinary(schema, create(schema, init));
  const bytes = new Uint8Array(1 + payload.length);
  bytes[0] = kind;
  bytes.set(payload, 1);
  return bytes;
}

export const encodeHello = (hello: MessageInitShape<typeof HelloSchema>) =>
  encode(CLIENT_KIND.hello, HelloSchema, hello);
export const encodeSay = (text: string) => encode(CLIENT_KIND.say, SaySchema, { text });
export const encodeWhoIs = (entityIds: number[]) => encode(CLIENT_KIND.whoIs, WhoIsSchema, { entityIds });
export const encodePing = (clientTimeMs: number) => encode(CLIENT_KIND.ping, PingSchema, { clientTimeMs });
export const encodeLeave = () => Uint8Array.of(CLIENT_KIND.leave);

/** The bits of `motion::Buttons`. */
export const BUTTON = { forward: 1, back: 2, left: 4, right: 8, run: 16, jump: 32 } as const;
