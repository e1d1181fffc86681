import { BUTTON } from "../wire/messages.ts";
import type { Action, IntentGatherer } from "./intents.ts";

/** By place on the keyboard, so that WASD is a cross on every layout. */
const BUTTONS: Readonly<Record<string, number>> = {
  KeyW: BUTTON.forward,
  ArrowUp: BUTTON.forward,
  KeyS: BUTTON.back,
  ArrowDown: BUTTON.back,
  KeyA: BUTTON.left,
  KeyD: BUTTON.right,
  ShiftLeft: BUTTON.run,
  ShiftRight: BUTTON.run,
  Space: BUTTON.jump,
};

/** Keys that turn the camera while they are held, for those without a mouse: -1 is to the left. */
const TURNS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

const ACTIONS: Readonly<Record<string, Action>> = {
  KeyE: "claim",
  KeyF: "pick",
  Enter: "chat",
  NumpadEnter: "chat",
  KeyM: "globe",
  KeyG: "globe",
  KeyH: "help",
  KeyL: "lots",
  KeyP: "people",
  F3: "vitals",
};

const TURN_RAD_PER_S = 1.8;

/** Listens to the keys of the page while nothing on it wants them: a field, a dialog, a focused control. */
export class Keyboard {
  readonly #turning = new Set<string>();
  readonly #abort = new AbortController();

  constructor(private readonly gatherer: IntentGatherer) {
    const { signal } = this.#abort;
    window.addEventListener("keydown", (event) => this.#down(event), { signal });
    window.addEventListener("keyup", (event) => this.#up(event.code), { signal });
    window.addEventListener("blur", () => this.#letGo(), { signal });
    window.addEventListener("focusin", (event) => isTextField(event.target) && this.#letGo(), { signal });
  }

  /** The camera's turn by held keys; call once a frame. */
  frame(elapsedMs: number): void {
    let direction = 0;
    for (const code of this.#turning) direction += TURNS[code] ?? 0;
    if (direction !== 0) this.gatherer.look((direction * TURN_RAD_PER_S * elapsedMs) / 1000, 0);
  }

  dispose(): void {
    this.#abort.abort();
  }

  #down(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (isTextField(event.target) || document.querySelector("dialog[open]")) return;
    // A focused button keeps its own keys, so that everything on the page works by keyboard alone.
    const activates = event.code === "Space" || event.code === "Enter" || event.code === "NumpadEnter";
    if (activates && isControl(event.target)) return;

    const button = BUTTONS[event.code];
    const action = event.key === "?" ? "help" : ACTIONS[event.code];
    if (button !== undefined) this.gatherer.press(button);
    else if (event.code in TURNS) this.#turning.add(event.code);
    else if (action && !event.repeat) this.gatherer.act(action);
    else return;
    // Arrows and space would scroll, and the first letter would appear in the chat field.
    event.preventDefault();
  }

  #up(code: string): void {
    const button = BUTTONS[code];
    if (button !== undefined) this.gatherer.release(button);
    this.#turning.delete(code);
  }

  #letGo(): void {
    this.gatherer.releaseAll();
    this.#turning.clear();
  }
}

function isTextField(target: EventTarget | null): boolean {
  if (target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["button", "checkbox", "radio"].includes(target.type);
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a[href], summary, input, [tabindex]") !== null;
}
