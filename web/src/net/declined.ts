/** Turns what went wrong with a request into a sentence for the person who made it. */

import { Refusal } from "./refusal.ts";
import { ApiError, Unreachable } from "./rest.ts";

/** A request that was not granted, in words for the person. */
export class Declined extends Error {
  constructor(
    text: string,
    /** The server has decided: asking again means a new question, not the same one repeated. */
    readonly isFinal: boolean,
  ) {
    super(text);
  }
}

const SENTENCES: Readonly<Record<string, string>> = {
  insufficient_funds: "You do not have enough coins for this lot.",
  lot_taken: "Somebody else was quicker. Your coins are untouched.",
  lot_too_far: "The lot is too far away. Come within 100 m of its middle.",
  lot_unclaimable: "This lot is under water. The sea belongs to everyone.",
  not_in_world: "You have to be on the planet to claim land. Wait for the connection.",
  not_owner: "This lot is not yours.",
};

/** Any failure as a {@link Declined}. */
export function declined(error: unknown): Declined {
  if (error instanceof Declined) return error;
  if (error instanceof Unreachable) {
    return new Declined("The planet cannot be reached just now. Try again in a moment.", false);
  }
  if (error instanceof ApiError) {
    const isFinal = error.status < 500 && error.status !== 429 && error.status !== 401;
    if (error.status === 429) {
      const wait = error.retryAfterS ? `in ${Math.ceil(error.retryAfterS)} s` : "in a moment";
      return new Declined(`That was a little fast. Try again ${wait}.`, isFinal);
    }
    return new Declined(SENTENCES[error.code] ?? faultSentence(error) ?? error.detail, isFinal);
  }
  if (error instanceof Refusal) return new Declined(error.detail, false);
  throw error;
}

/** Names are the only words that people choose, so they are what a sentence is needed for. */
function faultSentence({ fault }: ApiError): string | undefined {
  return fault && /\/(display_)?name$/.test(fault.pointer) ? `The name ${fault.detail}.` : undefined;
}
