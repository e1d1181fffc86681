/** One line of the talk around. */
export interface ChatLine {
  readonly id: number;
  readonly kind: "said" | "notice";
  /** Whose body said it; 0 for a notice. */
  readonly entityId: number;
  readonly name: string;
  readonly text: string;
  readonly isSelf: boolean;
}

/** The last lines said nearby, oldest first. */
export class ChatLog {
  static readonly LINES_MAX = 200;
  #lines: readonly ChatLine[] = [];
  #nextId = 1;

  /** A new array after every change, so that a view can compare by identity. */
  get lines(): readonly ChatLine[] {
    return this.#lines;
  }

  said(entityId: number, name: string, text: string, isSelf: boolean): void {
    this.#push({ id: this.#nextId, kind: "said", entityId, name, text, isSelf });
  }

  /** Something the client itself has to tell, such as a refusal. The same notice twice in a row is one. */
  notice(text: string): void {
    const last = this.#lines.at(-1);
    if (last?.kind === "notice" && last.text === text) return;
    this.#push({ id: this.#nextId, kind: "notice", entityId: 0, name: "", text, isSelf: false });
  }

  #push(line: ChatLine): void {
    this.#nextId += 1;
    this.#lines = [...this.#lines.slice(1 - ChatLog.LINES_MAX), line];
  }
}

/** How long a bubble stays over a head: time to read it, within bounds. */
export function bubbleDurationMs(text: string): number {
  return Math.min(12_000, 4_000 + text.length * 60);
}
