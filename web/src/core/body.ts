import type { CellId } from "../geo/cell_id.ts";
import type { Vec3 } from "../geo/vec3.ts";
import { MalformedMessage } from "../wire/messages.ts";
import { Scratch } from "./memory.ts";
import type { Stream } from "./stream.ts";
import type { CoreExports } from "./wasm.ts";

/** How a body moves at the moment. */
export type Mode = "grounded" | "airborne" | "swimming";
const MODES: readonly Mode[] = ["grounded", "airborne", "swimming"];

/** A mode from its number in `motion::Mode`; what is unknown stands on the ground. */
export const modeOf = (number: number): Mode => MODES[number] ?? "grounded";

/** A body at one instant: metres from the planet's centre, metres per second, unit direction. */
export interface BodyState {
  readonly position: Vec3;
  readonly velocity: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
}

/** Where the server said our own body was. */
export interface ConfirmedBody extends BodyState {
  readonly source: "server";
}

/** Where we predict our own body to be: what is drawn, and never sent. */
export interface PredictedBody extends BodyState {
  readonly source: "prediction";
}

/** The functions of `crates/browser/src/body.rs`. */
export interface BodyExports extends CoreExports {
  readonly body_new: (planet: number, x: number, y: number, z: number) => number;
  readonly body_free: (body: number) => void;
  readonly body_set: (body: number, state: number, lastSeq: number) => number;
  readonly body_set_pace: (body: number, tickHz: number) => number;
  readonly body_get: (body: number, out: number) => void;
  readonly body_step: (body: number, buttons: number, x: number, y: number, z: number) => number;
  readonly body_take_inputs: (body: number, out: number) => number;
  readonly body_repeat_inputs: (body: number, out: number) => number;
  readonly body_reconcile: (body: number, stream: number) => number;
  readonly body_take_fences: (body: number, message: number, byteLength: number) => number;
  readonly body_closed_lots: (body: number, out: number, capacity: number) => number;
}

export const BODY_STATE_BYTES = 80;
const INPUT_MESSAGE_BYTES_MAX = 118;
/** As many closed cells as the server tells of at a time; `CLOSED_CELLS_MAX` in `crates/wire`. */
const CLOSED_LOTS_MAX = 512;

/** Reads the ten numbers of a body's state. */
export function readBody(scratch: Scratch): BodyState {
  return {
    position: scratch.vec3At(0),
    velocity: scratch.vec3At(3),
    facing: scratch.vec3At(6),
    mode: modeOf(scratch.doubles[9] ?? 0),
  };
}

/** Our own body, ahead of the server by the server's own rules (`motion::Predictor`). */
export class OwnBody {
  readonly #handle: number;
  readonly #scratch: Scratch;
  #lastSeq: number;
  #closedLots: readonly CellId[] = [];

  /** Starts from what the `Welcome` said of the body after the input `lastSeq`, and of the steps in a second. */
  constructor(
    private readonly core: BodyExports,
    planetHandle: number,
    start: BodyState,
    lastSeq: number,
    tickHz: number,
  ) {
    this.#handle = core.body_new(planetHandle, ...start.position);
    this.#scratch = new Scratch(core, Math.max(BODY_STATE_BYTES, INPUT_MESSAGE_BYTES_MAX));
    this.#lastSeq = lastSeq;
    this.#scratch.doubles.set([
      ...start.position,
      ...start.velocity,
      ...start.facing,
      MODES.indexOf(start.mode),
    ]);
    if (core.body_set_pace(this.#handle, tickHz) === 0) {
      throw new RangeError(`the server makes ${tickHz} steps a second, which the rules do not know`);
    }
    if (core.body_set(this.#handle, this.#scratch.ptr, lastSeq) === 0) {
      throw new RangeError("the server described a body that cannot be");
    }
  }

  /** Number of the newest input. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  get state(): BodyState {
    this.core.body_get(this.#handle, this.#scratch.ptr);
    return readBody(this.#scratch);
  }

  /** Moves by one step; `look` is the camera's direction, any length. */
  step(buttons: number, look: Vec3): void {
    this.#lastSeq = this.core.body_step(this.#handle, buttons, ...look);
  }

  /** Takes over the newest frame's answer and repeats what it does not hold yet; metres the prediction was off. */
  reconcile(stream: Stream): number {
    return this.core.body_reconcile(this.#handle, stream.handle);
  }

  /**
   * Takes a whole `Fences` message, kind byte included, and repeats the steps that the server takes by it; metres by
   * which the body is elsewhere now.
   */
  takeFences(message: Uint8Array): number {
    const copy = new Scratch(this.core, Math.max(message.length, CLOSED_LOTS_MAX * 8));
    try {
      copy.bytes.set(message);
      const movedM = this.core.body_take_fences(this.#handle, copy.ptr, message.length);
      if (movedM < 0) throw new MalformedMessage(`fences of ${message.length} bytes do not decode`);
      const count = this.core.body_closed_lots(this.#handle, copy.ptr, CLOSED_LOTS_MAX);
      this.#closedLots = copy.cellIds(count);
      return movedM;
    } finally {
      copy.dispose();
    }
  }

  /** The lots nearby that are closed to us; the same array until that changes. */
  get closedLots(): readonly CellId[] {
    return this.#closedLots;
  }

  /** Messages with the inputs made since the last call. */
  *takeInputs(): Generator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const byteLength = this.core.body_take_inputs(this.#handle, this.#scratch.ptr);
      if (byteLength === 0) return;
      yield this.#scratch.bytes.slice(0, byteLength);
    }
  }

  /** A message with the newest inputs that were not answered, sent before or not; `undefined` when there is none. */
  repeatInputs(): Uint8Array<ArrayBuffer> | undefined {
    const byteLength = this.core.body_repeat_inputs(this.#handle, this.#scratch.ptr);
    return byteLength === 0 ? undefined : this.#scratch.bytes.slice(0, byteLength);
  }

  dispose(): void {
    this.core.body_free(this.#handle);
    this.#scratch.dispose();
  }
}
