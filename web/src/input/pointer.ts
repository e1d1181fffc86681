import type { IntentGatherer } from "./intents.ts";

/** A full sweep across the screen turns by so much; the same on a phone and a desktop. */
const TURN_RAD_PER_WIDTH = 3.6;
const RISE_RAD_PER_HEIGHT = 2.2;
const TURN_RAD_PER_LOCKED_PIXEL = 0.0025;
const WHEEL_ZOOM_PER_PIXEL = 0.0012;

/** Drag to look, wheel or pinch to zoom, on the picture of the world. Works for mouse, pen and fingers alike. */
export class Pointer {
  readonly #down = new Map<number, { x: number; y: number }>();
  readonly #abort = new AbortController();

  constructor(
    private readonly element: HTMLElement,
    private readonly gatherer: IntentGatherer,
  ) {
    const { signal } = this.#abort;
    element.addEventListener("pointerdown", (event) => this.#press(event), { signal });
    element.addEventListener("pointermove", (event) => this.#move(event), { signal });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"] as const) {
      element.addEventListener(end, (event) => this.#down.delete(event.pointerId), { signal });
    }
    element.addEventListener("dblclick", () => this.#toggleLock(), { signal });
    element.addEventListener("contextmenu", (event) => event.preventDefault(), { signal });
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * 32 : event.deltaY;
        gatherer.zoom(Math.exp(Math.max(-240, Math.min(240, pixels)) * WHEEL_ZOOM_PER_PIXEL));
      },
      { signal, passive: false },
    );
  }

  dispose(): void {
    this.#abort.abort();
    if (document.pointerLockElement === this.element) document.exitPointerLock();
  }

  #press(event: PointerEvent): void {
    // Out of a text field, back to walking.
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    this.#down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.element.setPointerCapture(event.pointerId);
  }

  #move(event: PointerEvent): void {
    if (document.pointerLockElement === this.element) {
      this.gatherer.look(
        event.movementX * TURN_RAD_PER_LOCKED_PIXEL,
        -event.movementY * TURN_RAD_PER_LOCKED_PIXEL,
      );
      return;
    }
    const last = this.#down.get(event.pointerId);
    if (!last) return;
    const next = { x: event.clientX, y: event.clientY };
    const [other] = [...this.#down].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (other) {
      const before = Math.hypot(last.x - other.x, last.y - other.y);
      const after = Math.hypot(next.x - other.x, next.y - other.y);
      if (before > 1 && after > 1) this.gatherer.zoom(before / after);
    } else {
      const { width, height } = this.element.getBoundingClientRect();
      this.gatherer.look(
        ((next.x - last.x) / Math.max(1, width)) * TURN_RAD_PER_WIDTH,
        (-(next.y - last.y) / Math.max(1, height)) * RISE_RAD_PER_HEIGHT,
      );
    }
    this.#down.set(event.pointerId, next);
  }

  #toggleLock(): void {
    if (document.pointerLockElement) document.exitPointerLock();
    else
      void Promise.resolve(this.element.requestPointerLock()).catch(() => {
        // Some browsers refuse; dragging still works.
      });
  }
}
