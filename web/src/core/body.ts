import type { Vec3 } from "../geo/vec3.ts";
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
  readonly body_get: (body: number, out: number) => void;
  readonly body_step: (body: number, buttons: number, x: number, y: number, z: number) => number;
  readonly body_take_inputs: (body: number, out: number) => number;
  readonly body_reconcile: (body: number, stream: number) => number;
}

export const BODY_STATE_BYTES = 80;
const INPUT_MESSAGE_BYTES_MAX = 118;

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

  /** Starts from what the `Welcome` said of the body after the input `lastSeq`. */
  constructor(
    private readonly core: BodyExports,
    planetHandle: number,
    start: BodyState,
    lastSeq: number,
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

  /** Moves by one step of 1/30 s; `look` is the camera's direction, any length. */
  step(buttons: number, look: Vec3): void {
    this.#lastSeq = this.core.body_step(this.#handle, buttons, ...look);
  }

  /** Takes over the newest frame's answer and repeats what it does not hold yet; metres the prediction was off. */
  reconcile(stream: Stream): number {
    return this.core.body_reconcile(this.#handle, stream.handle);
  }

  /** Messages with the inputs made since the last call. */
  *takeInputs(): Generator<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const byteLength = this.core.body_take_inputs(this.#handle, this.#scratch.ptr);
      if (byteLength === 0) return;
      yield this.#scratch.bytes.slice(0, byteLength);
    }
  }

  dispose(): void {
    this.core.body_free(this.#handle);
    this.#scratch.dispose();
  }
}
