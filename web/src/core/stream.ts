import type { Vec3 } from "../geo/vec3.ts";
import { MalformedMessage } from "../wire/messages.ts";
import { BODY_STATE_BYTES, type ConfirmedBody, type Mode, modeOf, readBody } from "./body.ts";
import { Scratch } from "./memory.ts";
import type { CoreExports } from "./wasm.ts";

/** The functions of `crates/browser/src/stream.rs`. */
export interface StreamExports extends CoreExports {
  readonly stream_new: (planet: number) => number;
  readonly stream_free: (stream: number) => void;
  readonly stream_apply: (stream: number, message: number, byteLength: number) => number;
  readonly stream_tick: (stream: number) => number;
  readonly stream_last_input_seq: (stream: number) => number;
  readonly stream_own: (stream: number, out: number) => number;
  readonly stream_sample: (stream: number, tick: number) => number;
  readonly stream_ids: (stream: number) => number;
  readonly stream_positions: (stream: number) => number;
  readonly stream_facings: (stream: number) => number;
  readonly stream_modes: (stream: number) => number;
}

/** A body in sight at the moment asked for. */
export interface SeenBody {
  readonly id: number;
  readonly position: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
}

/** A frame that does not decode: the connection cannot go on. */
export class MalformedFrame extends MalformedMessage {}

/** Everyone in sight, as the server's frames told, and where they were between two of them. */
export class Stream {
  readonly handle: number;
  readonly #own: Scratch;

  constructor(
    private readonly core: StreamExports,
    planetHandle: number,
  ) {
    this.handle = core.stream_new(planetHandle);
    this.#own = new Scratch(core, BODY_STATE_BYTES);
  }

  /** Takes a whole `Frame` message, kind byte included. */
  apply(message: Uint8Array): void {
    const copy = new Scratch(this.core, message.length);
    copy.bytes.set(message);
    const status = this.core.stream_apply(this.handle, copy.ptr, message.length);
    copy.dispose();
    if (status < 0)
      throw new MalformedFrame(`a frame of ${message.length} bytes does not decode (${status})`);
  }

  /** Tick of the newest frame; 0 before the first. */
  get tick(): number {
    return this.core.stream_tick(this.handle);
  }

  /** Number of the last input that the newest frame knows of. */
  get lastInputSeq(): number {
    return this.core.stream_last_input_seq(this.handle);
  }

  /** Our own body as of the newest frame. */
  get own(): ConfirmedBody | undefined {
    if (this.core.stream_own(this.handle, this.#own.ptr) === 0) return undefined;
    return { source: "server", ...readBody(this.#own) };
  }

  /** Everyone in sight at a tick, which may lie between two frames; our own body is among them. */
  at(tick: number): SeenBody[] {
    const count = this.core.stream_sample(this.handle, tick);
    const { buffer } = this.core.memory;
    const ids = new Uint32Array(buffer, this.core.stream_ids(this.handle), count);
    const places = new Float64Array(buffer, this.core.stream_positions(this.handle), count * 3);
    const facings = new Float32Array(buffer, this.core.stream_facings(this.handle), count * 3);
    const modes = new Uint8Array(buffer, this.core.stream_modes(this.handle), count);
    return Array.from(ids, (id, index) => ({
      id,
      position: tripleAt(places, index),
      facing: tripleAt(facings, index),
      mode: modeOf(modes[index] ?? 0),
    }));
  }

  dispose(): void {
    this.core.stream_free(this.handle);
    this.#own.dispose();
  }
}

function tripleAt(numbers: ArrayLike<number>, index: number): Vec3 {
  return [numbers[index * 3] ?? 0, numbers[index * 3 + 1] ?? 0, numbers[index * 3 + 2] ?? 0];
}
