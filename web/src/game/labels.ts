/**
 * Name plates and speech bubbles over heads: plain elements moved by transform, outside of Svelte, as they follow
 * their bodies in every frame. They repeat what the list of people and the log say, so they are hidden from
 * screen readers.
 */
import { bubbleDurationMs } from "./chat_log.ts";

/** Where a head is on the screen, in CSS pixels. */
export interface LabelPlace {
  readonly id: number;
  readonly name: string;
  /** `#rrggbb` */
  readonly color: string;
  readonly x: number;
  readonly y: number;
  readonly distanceM: number;
  /** One's own name is known; only what one says is shown. */
  readonly isSelf: boolean;
}

/** Names further than this are a blur, and nobody is heard from so far. */
export const LABELS_WITHIN_M = 60;
/** In a crowd only the nearest have one. */
export const LABELS_MAX = 40;

/** Plates are so high, and so wide for their letters: measured once, as measuring sixty times a second is slow. */
const PLATE_HEIGHT_PX = 24;
const platePx = (name: string) => name.length * 7.5 + 34;

/** Whether two plates would lie on each other: of a crowd's names only the nearest can be read. */
function overlap(a: LabelPlace, b: LabelPlace): boolean {
  const between = (platePx(a.name) + platePx(b.name)) / 2;
  return Math.abs(a.y - b.y) < PLATE_HEIGHT_PX && Math.abs(a.x - b.x) < between;
}

interface Label {
  readonly root: HTMLElement;
  readonly name: HTMLElement;
  readonly text: Text;
  readonly swatch: HTMLElement;
  bubble: HTMLElement | undefined;
  bubbleUntilMs: number;
}

export class Labels {
  readonly #labels = new Map<number, Label>();

  constructor(private readonly container: HTMLElement) {}

  /** Shows words over a head until they have been read. */
  say(id: number, text: string, nowMs: number): void {
    const label = this.#label(id);
    label.bubble?.remove();
    label.bubble = document.createElement("div");
    label.bubble.className = "label-bubble";
    label.bubble.textContent = text;
    label.root.prepend(label.bubble);
    label.bubbleUntilMs = nowMs + bubbleDurationMs(text);
  }

  /** Moves every label to its head, the nearest first; heads that are not given have none. */
  place(places: readonly LabelPlace[], nowMs: number): void {
    const gone = new Set(this.#labels.keys());
    const named: LabelPlace[] = [];
    for (const place of places) {
      gone.delete(place.id);
      const label = this.#label(place.id);
      if (label.bubble && nowMs >= label.bubbleUntilMs) {
        label.bubble.remove();
        label.bubble = undefined;
      }
      if (label.text.data !== place.name) label.text.data = place.name;
      const isCovered = named.some((other) => overlap(place, other));
      label.name.hidden = place.isSelf || place.name === "" || isCovered;
      if (!label.name.hidden) named.push(place);
      label.swatch.style.setProperty("background", place.color);
      label.root.hidden = label.name.hidden && !label.bubble;
      label.root.style.setProperty(
        "transform",
        `translate(-50%, -100%) translate(${place.x.toFixed(1)}px, ${place.y.toFixed(1)}px)`,
      );
      label.root.style.setProperty(
        "z-index",
        String(10_000 - Math.min(9_999, Math.round(place.distanceM * 10))),
      );
    }
    for (const id of gone) {
      const label = this.#labels.get(id);
      if (!label) continue;
      label.root.hidden = true;
      if (nowMs < label.bubbleUntilMs) continue;
      label.root.remove();
      this.#labels.delete(id);
    }
  }

  dispose(): void {
    for (const label of this.#labels.values()) label.root.remove();
    this.#labels.clear();
  }

  #label(id: number): Label {
    const existing = this.#labels.get(id);
    if (existing) return existing;
    const root = document.createElement("div");
    root.className = "label";
    root.dataset["entity"] = String(id);
    root.hidden = true;
    const name = document.createElement("div");
    name.className = "label-name";
    const swatch = document.createElement("span");
    swatch.className = "swatch";
    const text = document.createTextNode("");
    name.append(swatch, text);
    root.append(name);
    this.container.append(root);
    const label: Label = { root, name, text, swatch, bubble: undefined, bubbleUntilMs: 0 };
    this.#labels.set(id, label);
    return label;
  }
}
