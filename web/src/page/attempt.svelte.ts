/** A request that a form makes: whether it is on its way, and why it was not granted. */
import { wordsOf } from "../net/declined.ts";

export class Attempt {
  isBusy = $state(false);
  fault = $state("");

  /** True when it was granted. */
  async make(work: () => Promise<unknown>): Promise<boolean> {
    if (this.isBusy) return false;
    this.isBusy = true;
    this.fault = "";
    try {
      await work();
      return true;
    } catch (error) {
      this.fault = wordsOf(error);
      return false;
    } finally {
      this.isBusy = false;
    }
  }
}
