/** Who a body belongs to, as the server said. */
export interface PersonName {
  readonly accountId: string;
  readonly name: string;
  /** 0xRRGGBB */
  readonly color: number;
}

/** Remembers who is who, and says which bodies to ask about: each once, again only after a while without answer. */
export class Names {
  static readonly #ASK_AGAIN_MS = 3_000;
  /** Asking more often than this would be too fast for the server. */
  static readonly #ASK_EVERY_MS = 250;
  /** More people than can be in sight at once; whoever was met longest ago is forgotten first. */
  static readonly PEOPLE_MAX = 4_096;
  readonly #known = new Map<number, PersonName>();
  readonly #askedAtMs = new Map<number, number>();
  #lastAskedMs = Number.NEGATIVE_INFINITY;

  get(entityId: number): PersonName | undefined {
    return this.#known.get(entityId);
  }

  learn(entityId: number, person: PersonName): void {
    this.#known.delete(entityId);
    this.#known.set(entityId, person);
    this.#askedAtMs.delete(entityId);
    const [oldest] = this.#known.keys();
    if (this.#known.size > Names.PEOPLE_MAX && oldest !== undefined) this.#known.delete(oldest);
  }

  /** Of `visible`, those to ask about now, at most `countMax`; they count as asked. */
  toAsk(visible: Iterable<number>, nowMs: number, countMax: number): number[] {
    const ids: number[] = [];
    if (nowMs - this.#lastAskedMs < Names.#ASK_EVERY_MS) return ids;
    for (const id of visible) {
      if (ids.length === countMax) break;
      if (this.#known.has(id)) continue;
      const askedAtMs = this.#askedAtMs.get(id);
      if (askedAtMs !== undefined && nowMs - askedAtMs < Names.#ASK_AGAIN_MS) continue;
      this.#askedAtMs.set(id, nowMs);
      ids.push(id);
    }
    if (ids.length > 0) this.#lastAskedMs = nowMs;
    return ids;
  }

  /** After a new connection: the server may be a new process, whose ids start over. */
  clear(): void {
    this.#known.clear();
    this.#askedAtMs.clear();
    this.#lastAskedMs = Number.NEGATIVE_INFINITY;
  }
}
