import type { Vec3 } from "../geo/vec3.ts";
import { MalformedMessage } from "../wire/messages.ts";
import { BODY_STATE_BYTES, type ConfirmedBody, type Mode, modeOf, readBody } from "./body.ts";
import { Scratch } from "./memory.ts";
import type { CoreExports } from "./wasm.ts";

/** The functions of `crates/browser/src/stream.rs`. */
export interface StreamExports extends CoreExports {
  readonly stream_new: (planet: number) => number;
  readonly stream_set_send_ticks: (stream: number, ticks: number) => void;
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
  readonly stream_tiers: (stream: number) => number;
  readonly stream_take_missed: (stream: number, out: number) => number;
  readonly stream_tier_bytes: (stream: number, tier: number) => number;
  readonly stream_tier_updates: (stream: number, tier: number) => number;
}

/** A body in sight at the moment asked for. */
export interface SeenBody {
  readonly id: number;
  readonly position: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
  readonly tier: Tier;
}

/** How often a body is told of: by how far away it is, and how many there are. */
export const TIERS = ["own", "near", "mid", "far"] as const;
export type Tier = (typeof TIERS)[number];

/** A `Missed` message asks for 64 cells at most. */
const MISSED_BYTES_MAX = 544;

/** A frame that does not decode: the connection cannot go on. */
export class MalformedFrame extends MalformedMessage {}

/** Everyone in sight, as the server's frames told, and where they were between two of them. */
export class Stream {
  readonly handle: number;
  readonly #own: Scratch;
  readonly #missed: Scratch;

  constructor(
    private readonly core: StreamExports,
    planetHandle: number,
    /** Ticks from one send of the server to the next. */
    sendTicks: number,
  ) {
    this.handle = core.stream_new(planetHandle);
    core.stream_set_send_ticks(this.handle, sendTicks);
    this.#own = new Scratch(core, BODY_STATE_BYTES);
    this.#missed = new Scratch(core, MISSED_BYTES_MAX);
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

  /** A message that asks for cells of which a block was lost; `undefined` when there is nothing to ask for now. */
  takeMissed(): Uint8Array<ArrayBuffer> | undefined {
    const byteLength = this.core.stream_take_missed(this.handle, this.#missed.ptr);
    return byteLength === 0 ? undefined : this.#missed.bytes.slice(0, byteLength);
  }

  /** Bytes that came for each tier so far. */
  get tierBytes(): readonly number[] {
    return TIERS.map((_, tier) => this.core.stream_tier_bytes(this.handle, tier));
  }

  /** Updates of bodies that came for each tier so far. */
  get tierUpdates(): readonly number[] {
    return TIERS.map((_, tier) => this.core.stream_tier_updates(this.handle, tier));
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

  /**
   * Everyone in sight, our own body among them. `tick` is the moment up to which everything sent may be expected to be
   * here; each is drawn behind it by what the rate of their cell asks for. Later calls have later ticks.
   */
  at(tick: number): SeenBody[] {
    const count = this.core.stream_sample(this.handle, tick);
    const { buffer } = this.core.memory;
    const ids = new Uint32Array(buffer, this.core.stream_ids(this.handle), count);
    const places = new Float64Array(buffer, this.core.stream_positions(this.handle), count * 3);
    const facings = new Float32Array(buffer, this.core.stream_facings(this.handle), count * 3);
    const modes = new Uint8Array(buffer, this.core.stream_modes(this.handle), count);
    const tiers = new Uint8Array(buffer, this.core.stream_tiers(this.handle), count);
    return Array.from(ids, (id, index) => ({
      id,
      position: tripleAt(places, index),
      facing: tripleAt(facings, index),
      mode: modeOf(modes[index] ?? 0),
      tier: TIERS[tiers[index] ?? 0] ?? "near",
    }));
  }

  dispose(): void {
    this.core.stream_free(this.handle);
    this.#own.dispose();
    this.#missed.dispose();
  }
}

function tripleAt(numbers: ArrayLike<number>, index: number): Vec3 {
  return [numbers[index * 3] ?? 0, numbers[index * 3 + 1] ?? 0, numbers[index * 3 + 2] ?? 0];
}
