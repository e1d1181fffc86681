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
  readonly #known = new Map<number, PersonName>();
  readonly #askedAtMs = new Map<number, number>();

  get(entityId: number): PersonName | undefined {
    return this.#known.get(entityId);
  }

  learn(entityId: number, person: PersonName): void {
    this.#known.set(entityId, person);
    this.#askedAtMs.delete(entityId);
  }

  /** Of `visible`, those to ask about now, at most `countMax`; they count as asked. */
  toAsk(visible: Iterable<number>, nowMs: number, countMax: number): number[] {
    const ids: number[] = [];
    for (const id of visible) {
      if (ids.length === countMax) break;
      if (this.#known.has(id)) continue;
      const askedAtMs = this.#askedAtMs.get(id);
      if (askedAtMs !== undefined && nowMs - askedAtMs < Names.#ASK_AGAIN_MS) continue;
      this.#askedAtMs.set(id, nowMs);
      ids.push(id);
    }
    return ids;
  }

  /** After a new connection: the server may be a new process, whose ids start over. */
  clear(): void {
    this.#known.clear();
    this.#askedAtMs.clear();
  }
}
