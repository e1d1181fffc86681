/**
 * One idempotency key for each decision of the person: kept while the answer is not known, so that trying again
 * never pays twice, and dropped when the server has decided.
 */
export class Decisions {
  readonly #keys = new Map<string, string>();

  constructor(private readonly newKey: () => string = () => crypto.randomUUID()) {}

  /**
   * Makes the request of a decision. `what` names it with everything that it says (`bid:…:1250`): another amount is
   * another decision. `isFinal` tells whether a failure is the server's decision or only a lost answer.
   */
  async make<T>(
    what: string,
    ask: (idempotencyKey: string) => Promise<T>,
    isFinal: (error: unknown) => boolean,
  ): Promise<T> {
    const key = this.#keys.get(what) ?? this.newKey();
    this.#keys.set(what, key);
    try {
      const answer = await ask(key);
      this.#keys.delete(what);
      return answer;
    } catch (error) {
      if (isFinal(error)) this.#keys.delete(what);
      throw error;
    }
  }
}
