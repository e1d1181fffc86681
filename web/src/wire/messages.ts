/**
 * Bytes of the socket to messages and back: control messages are Protocol Buffers (`src/gen`), inputs are
 * packed here, and a frame stays bytes until the planet code (`core/stream.ts`) decodes it.
 */
import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import {
  type Bye,
  ByeSchema,
  HelloSchema,
  type LotChanged,
  LotChangedSchema,
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
  type Welcome,
  WelcomeSchema,
  WhoIsSchema,
} from "../gen/terrane_pb.ts";
import { CLIENT_KIND, INPUTS_PER_MESSAGE_MAX, SERVER_KIND } from "./kinds.ts";

export type { Bye, LotChanged, People, Pong, Refused, Said, Welcome };

/** What each kind of server message carries. */
export interface ServerMessages {
  welcome: Welcome;
  /** The payload without its kind byte, for the stream decoder. */
  frame: Uint8Array;
  said: Said;
  people: People;
  pong: Pong;
  refused: Refused;
  lotChanged: LotChanged;
  bye: Bye;
}

/** One handler a kind: a kind that nobody handles does not compile. */
export type ServerHandlers = { readonly [K in keyof ServerMessages]: (message: ServerMessages[K]) => void };

/** Bytes that are no message of this protocol. */
export class MalformedMessage extends Error {}

const DECODERS: { readonly [K in keyof ServerMessages]: (payload: Uint8Array) => ServerMessages[K] } = {
  welcome: (payload) => fromBinary(WelcomeSchema, payload),
  frame: (payload) => payload,
  said: (payload) => fromBinary(SaidSchema, payload),
  people: (payload) => fromBinary(PeopleSchema, payload),
  pong: (payload) => fromBinary(PongSchema, payload),
  refused: (payload) => fromBinary(RefusedSchema, payload),
  lotChanged: (payload) => fromBinary(LotChangedSchema, payload),
  bye: (payload) => fromBinary(ByeSchema, payload),
};

const NAMES = new Map(
  Object.entries(SERVER_KIND).map(([name, kind]) => [kind as number, name as keyof ServerMessages]),
);

/** Decodes one message and hands it to its handler. */
export function dispatch(bytes: Uint8Array, handlers: ServerHandlers): void {
  const name = NAMES.get(bytes[0] ?? 0);
  if (!name) throw new MalformedMessage(`unknown kind ${bytes[0]} of ${bytes.length} bytes`);
  deliver(name, bytes.subarray(1), handlers);
}

function deliver<K extends keyof ServerMessages>(
  name: K,
  payload: Uint8Array,
  handlers: ServerHandlers,
): void {
  let message: ServerMessages[K];
  try {
    message = DECODERS[name](payload);
  } catch (cause) {
    throw new MalformedMessage(`a ${name} of ${payload.length} bytes does not decode`, { cause });
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

/** What a person wants for one step of 1/30 s. */
export interface StepInput {
  /** Bits of {@link BUTTON}. */
  readonly buttons: number;
  /** Where the camera looks, level, as a unit vector times 32767. */
  readonly heading: readonly [number, number, number];
}

/** The bits of `motion::Buttons`. */
export const BUTTON = { forward: 1, back: 2, left: 4, right: 8, run: 16, jump: 32 } as const;

/**
 * Packs consecutive steps; the first has number `firstSeq`.
 *
 * ```text
 * kind u8 │ first_seq u32 │ count u8 │ count × (buttons u8 │ heading 3 × i16)      little-endian
 * ```
 */
export function encodeInputs(firstSeq: number, steps: readonly StepInput[]): Uint8Array<ArrayBuffer> {
  if (steps.length === 0 || steps.length > INPUTS_PER_MESSAGE_MAX) {
    throw new RangeError(`${steps.length} inputs in one message`);
  }
  const view = new DataView(new ArrayBuffer(6 + steps.length * 7));
  view.setUint8(0, CLIENT_KIND.input);
  view.setUint32(1, firstSeq, true);
  view.setUint8(5, steps.length);
  let at = 6;
  for (const { buttons, heading } of steps) {
    view.setUint8(at, buttons);
    for (const [axis, value] of heading.entries()) view.setInt16(at + 1 + axis * 2, value, true);
    at += 7;
  }
  return new Uint8Array(view.buffer);
}
