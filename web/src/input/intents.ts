/** What a person wants, gathered from keys, pointers and touches and taken once a frame. */
import { BUTTON } from "../wire/messages.ts";

/** Things to do once, as against held buttons. */
export type Action = "claim" | "pick" | "chat" | "globe" | "help" | "lots" | "people" | "vitals";

/** Everything wanted since the last frame. */
export interface Intents {
  /** Bits of {@link BUTTON} that are held. */
  readonly buttons: number;
  /** Where to walk, clockwise from where the camera looks: a stick has any angle, keys have their buttons. */
  readonly walkAngleRad: number;
  /** Clockwise turn of the camera. */
  readonly turnRad: number;
  /** Rise of the camera's look. */
  readonly riseRad: number;
  /** Factor on the camera's distance. */
  readonly zoomFactor: number;
  readonly actions: readonly Action[];
}

/** A push of the virtual stick: right and forward, each -1 to 1. */
export interface Stick {
  readonly right: number;
  readonly forward: number;
}

/** A push less than this is a resting thumb. */
const STICK_DEAD = 0.18;
/** A push further than this runs. */
const STICK_RUN = 0.85;

/** Collects what the sources report; knows nothing of events, so that it can be tested without a page. */
export class IntentGatherer {
  #held = 0;
  /** Pressed since the last frame: a tap shorter than a frame still counts. */
  #tapped = 0;
  #stick: Stick = { right: 0, forward: 0 };
  #turnRad = 0;
  #riseRad = 0;
  #zoomFactor = 1;
  #actions: Action[] = [];

  press(button: number): void {
    this.#held |= button;
    this.#tapped |= button;
  }

  release(button: number): void {
    this.#held &= ~button;
  }

  /** Lets go of everything: the page lost the keyboard, or a text field took it. */
  releaseAll(): void {
    this.#held = 0;
    this.#stick = { right: 0, forward: 0 };
  }

  push(stick: Stick): void {
    this.#stick = stick;
  }

  look(turnRad: number, riseRad: number): void {
    this.#turnRad += turnRad;
    this.#riseRad += riseRad;
  }

  zoom(factor: number): void {
    this.#zoomFactor *= factor;
  }

  act(action: Action): void {
    this.#actions.push(action);
  }

  /** The wishes of this frame; movements and actions start over, held buttons stay. */
  take(): Intents {
    const travel = Math.hypot(this.#stick.right, this.#stick.forward);
    const isPushed = travel > STICK_DEAD;
    const intents: Intents = {
      buttons:
        this.#held |
        this.#tapped |
        (isPushed ? BUTTON.forward : 0) |
        (isPushed && travel > STICK_RUN ? BUTTON.run : 0),
      walkAngleRad: isPushed ? Math.atan2(this.#stick.right, this.#stick.forward) : 0,
      turnRad: this.#turnRad,
      riseRad: this.#riseRad,
      zoomFactor: this.#zoomFactor,
      actions: this.#actions,
    };
    this.#tapped = 0;
    this.#turnRad = 0;
    this.#riseRad = 0;
    this.#zoomFactor = 1;
    this.#actions = [];
    return intents;
  }
}
