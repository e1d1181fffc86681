/** Something asked of the server for a page, and asked again when it may have changed. */
import { wordsOf } from "../net/declined.ts";

const SETTLE_MS = 120;

export interface Loaded<T> {
  /** The last good answer; what is shown stays while it is asked for again. */
  readonly value: T | undefined;
  /** Why there is none, or why it is old. */
  readonly fault: string;
  readonly isLoading: boolean;
  /** Asks again; resolves when it is answered. */
  reload(): Promise<void>;
}

/**
 * For use while a component is set up: asks at once, and again when something that `ask` reads changes. `listen` calls
 * back whenever what is shown may be old, until its answer is called.
 */
export function load<T>(
  ask: () => Promise<T>,
  listen: (onOld: () => void) => () => void = () => () => undefined,
): Loaded<T> {
  let value = $state.raw<T>();
  let fault = $state("");
  let isLoading = $state(true);
  let latest = 0;
  /** What was shown is gone: nobody reads an answer any more, and there is nothing left to ask by. */
  let isGone = false;

  async function take(asked: Promise<T>): Promise<void> {
    latest += 1;
    const mine = latest;
    try {
      const answer = await asked;
      if (mine !== latest || isGone) return;
      value = answer;
      fault = "";
    } catch (error) {
      if (mine === latest) fault = wordsOf(error);
    } finally {
      if (mine === latest) isLoading = false;
    }
  }

  $effect(() => {
    const asked = ask();
    isLoading = true;
    void take(asked);
  });
  $effect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = listen(() => {
      clearTimeout(timer);
      timer = setTimeout(() => void take(ask()), SETTLE_MS);
    });
    return () => {
      isGone = true;
      clearTimeout(timer);
      stop();
    };
  });

  return {
    get value() {
      return value;
    },
    get fault() {
      return fault;
    },
    get isLoading() {
      return isLoading;
    },
    reload: () => (isGone ? Promise.resolve() : take(ask())),
  };
}
