/** Server-sent events (WHATWG HTML, "event stream interpretation") from pieces of text. */

export interface ServerSentEvent {
  /** The last id that was given, also by an earlier event. */
  readonly id: string;
  /** `message` when none was given. */
  readonly event: string;
  readonly data: string;
}

/** More without an end of line is no event stream. */
const LINE_MAX = 1_000_000;

export class SseParser {
  #rest = "";
  #id = "";
  #event = "";
  #data: string[] = [];
  #isFirst = true;
  #endedWithCr = false;

  /** The events that a piece completes. */
  push(piece: string): readonly ServerSentEvent[] {
    let text = this.#rest + piece;
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith("\ufeff")) text = text.slice(1);
    }
    // A line that ended in "\r" had perhaps only half of its "\r\n".
    if (this.#endedWithCr && text.startsWith("\n")) text = text.slice(1);
    if (piece !== "") this.#endedWithCr = text.endsWith("\r");
    const lines = text.split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    if (this.#rest.length > LINE_MAX) throw new Error("a line of the event stream does not end");
    return lines.flatMap((line) => this.#take(line) ?? []);
  }

  #take(line: string): ServerSentEvent | undefined {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return undefined;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.#data.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return undefined;
  }

  #dispatch(): ServerSentEvent | undefined {
    const data = this.#data;
    const event = this.#event || "message";
    this.#data = [];
    this.#event = "";
    return data.length > 0 ? { id: this.#id, event, data: data.join("\n") } : undefined;
  }
}
