import type { Vec3 } from "../geo/vec3.ts";

/** How a body moves at the moment; the numbers of `motion::Mode`. */
export const MODE = { grounded: 0, airborne: 1, swimming: 2 } as const;
export type Mode = (typeof MODE)[keyof typeof MODE];

/** Any number to a mode; what is unknown stands on the ground. */
export function modeOf(raw: number): Mode {
  return raw === MODE.airborne || raw === MODE.swimming ? raw : MODE.grounded;
}

/** A body at one instant: metres from the planet's centre, metres per second, unit direction. */
export interface BodyState {
  readonly position: Vec3;
  readonly velocity: Vec3;
  readonly facing: Vec3;
  readonly mode: Mode;
}

/** What the server said of our own body: where it was after it had applied the step `lastInputSeq`. */
export interface ConfirmedBody {
  readonly lastInputSeq: number;
  readonly state: BodyState;
}
