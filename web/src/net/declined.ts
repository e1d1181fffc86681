/** Turns what went wrong with a request into a sentence for the person who made it. */

import { Refusal } from "./refusal.ts";
import { ApiError, Unreachable } from "./rest.ts";
import { formatMoment } from "./times.ts";

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

/** How an amount that an answer names is written; without it sentences do without amounts. */
export type MoneyWords = (minor: number) => string;

export type Sentence =
  | string
  | ((money: (name: string, otherwise: string) => string, error: ApiError) => string);

const SENTENCES: Record<string, Sentence> = {
  // Money.
  insufficient_funds: (money) =>
    `You do not have enough: it takes ${money("price_minor", "more")}, and you can spend ${money("available_minor", "less")}.`,
  balance_too_large: "The other wallet cannot hold that much.",
  self_transfer: "This is your own account.",
  unknown_account: "There is no such account. Check its number.",
  unknown_currency: "This planet has no such currency.",
  unknown_asset: "This planet has no such currency.",
  // Claiming.
  lot_taken: "Somebody else was quicker. Your coins are untouched.",
  lot_too_far: "The lot is too far away. Come within 100 m of its middle.",
  lot_unclaimable: "Some of this land cannot be owned: the sea belongs to everyone.",
  not_in_world: "You have to be on the planet to claim land. Wait for the connection.",
  not_connected: "The lots must touch each other by their sides.",
  too_many_cells: (_, error) =>
    `That is too much land at once: ${error.fact("max") ?? "fewer"} lots at most.`,
  too_much_area: "That is too much land at once. Pick fewer lots.",
  duplicate_cells: "A lot was named twice.",
  overlapping_cells: "Some of the lots lie inside each other.",
  not_a_lot: "There is no such lot.",
  // Whose it is.
  not_owner: "This is not yours to decide: it has another owner now.",
  not_owned: "Nobody owns this land. It can be claimed by walking there.",
  no_authority: "You may not decide for this group.",
  may_not_act: "You may not decide for this group.",
  not_allowed: "Your role does not allow this.",
  own_land: "This land is your own.",
  // The market.
  price_changed: (money) =>
    `The price is ${money("price_minor", "another one")} now. Look again before you buy.`,
  not_open: "It is over already: somebody was quicker, or it was taken back.",
  auction_ended: "The auction has ended. Your bid came too late.",
  wrong_kind: "This auction is of another kind.",
  encumbered:
    "The land is for sale, at auction, offered as a gift or for rent already. Take that back first.",
  leased: "A tenant has it. That must wait until the lease ends.",
  has_bids: "Somebody has bid: the auction goes on to its end.",
  bid_too_low: (money) => `The bid is too low: at least ${money("minimum_minor", "the next step")}.`,
  bid_not_higher: (money) => `You have bid ${money("max_minor", "that")} already: only more counts.`,
  offer_exists: "You have an open offer for this land. Take it back first.",
  parcel_changed: "The land is no longer what the offer was for.",
  too_many: (_, error) =>
    `There are too many already${error.fact("max") ? `: ${error.fact("max")} at most` : ""}.`,
  listing_not_found: "This sale is no more.",
  auction_not_found: "This auction is no more.",
  offer_not_found: "This offer is no more.",
  gift_unknown: "This gift is no more.",
  gift_closed: "The gift was accepted, declined or taken back already.",
  // Shape.
  not_in_parcel: "A lot is not part of this land any more.",
  nothing_left: "At least one lot must stay.",
  owners_differ: "The pieces have different owners.",
  // People.
  no_such_subject: "There is no such person or group. Check the number.",
  no_such_account: "There is no such account. Check its number.",
  no_such_group: "There is no such group.",
  subject_owns: "The land is theirs: they need no role.",
  subject_is_tenant: "They are the tenant: the lease decides what they may do.",
  only_owner_makes_managers: "Only the owner makes managers.",
  too_many_permissions: "This land has as many roles as it can have.",
  last_owner: "The last owner cannot leave. Make somebody else an owner first.",
  group_full: "The group is full.",
  group_owns_something: "The group still owns land or money.",
  role_not_offered: "You were invited in another role.",
  too_many_groups: "You are in as many groups as one can be in.",
  too_many_webhooks: "You have as many webhooks as one can have.",
  webhook_disabled: "The webhook is switched off.",
  // Oneself.
  account_suspended: (_, error) => `This account is suspended${untilOf(error.detail)}.`,
  // Asking again.
  idempotency_key_reused: "This was decided before with other words. Reload the page and look.",
  too_many_decisions: "You have decided a thousand things in a day. Go on tomorrow.",
};

/** Sentences for codes, and words for fields, of pages that not everybody opens. */
export function alsoSay(
  sentences: Readonly<Record<string, Sentence>>,
  fields: Readonly<Record<string, string>> = {},
): void {
  Object.assign(SENTENCES, sentences);
  Object.assign(FIELDS, fields);
}

/** Refusals to go on now whose sentence says more than to wait. */
const OWN_WAITS: ReadonlySet<string> = new Set(["too_many_decisions", "password_locked"]);

/** Any failure as a {@link Declined}. */
export function declined(error: unknown, words?: MoneyWords): Declined {
  if (error instanceof Declined) return error;
  if (error instanceof Unreachable) {
    return new Declined("The planet cannot be reached just now. Try again in a moment.", false);
  }
  if (error instanceof ApiError) {
    const isFinal = error.status < 500 && error.status !== 429 && error.status !== 401;
    if (error.status === 429 && !OWN_WAITS.has(error.code)) {
      const wait = error.retryAfterS ? `in ${waitOf(error.retryAfterS)}` : "in a moment";
      return new Declined(`That was a little fast. Try again ${wait}.`, isFinal);
    }
    if (error.status === 503) {
      return new Declined("The planet cannot answer just now. Trying again does nothing twice.", isFinal);
    }
    return new Declined(sentenceOf(error, words) ?? faultSentence(error) ?? error.detail, isFinal);
  }
  if (error instanceof Refusal) return new Declined(error.detail, false);
  throw error;
}

/** `until 2026-11-22T10:00:00Z` as people read it. */
function untilOf(detail: string): string {
  const at = Date.parse(/until (\S+)/.exec(detail)?.[1] ?? "");
  return Number.isNaN(at) ? "" : ` until ${formatMoment(at)}`;
}

/** How long somebody is to wait, in words. */
export function waitOf(seconds: number | undefined): string {
  if (seconds === undefined) return "a while";
  const minutes = Math.ceil(seconds / 60);
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return minutes < 90 ? `${minutes} minutes` : `${Math.ceil(seconds / 3_600)} hours`;
}

function sentenceOf(error: ApiError, words: MoneyWords | undefined): string | undefined {
  const sentence = Object.hasOwn(SENTENCES, error.code) ? SENTENCES[error.code] : undefined;
  if (typeof sentence !== "function") return sentence;
  const money = (name: string, otherwise: string) => {
    const minor = error.fact(name);
    return minor === undefined || !words ? otherwise : words(minor);
  };
  return sentence(money, error);
}

/** What of the body is wrong, by the words of its field. */
const FIELDS: Record<string, string> = {
  name: "The name",
  display_name: "The name",
  description: "The description",
  message: "The message",
  price_minor: "The price",
  amount_minor: "The amount",
  max_minor: "The bid",
  start_minor: "The first price",
  reserve_minor: "The reserve",
  floor_minor: "The lowest price",
  duration_s: "The time it runs",
  days: "The number of days",
  rent_minor: "The rent",
  deposit_minor: "The deposit",
  periods: "The number of periods",
  url: "The address",
  expires_at: "The end",
};

function faultSentence({ fault }: ApiError): string | undefined {
  const field = fault && FIELDS[fault.pointer.split("/").at(-1) ?? ""];
  return field && `${field} ${fault.detail}.`;
}

/** Any failure as a sentence; what is not foreseen goes to the console too. */
export function wordsOf(error: unknown): string {
  try {
    return declined(error).message;
  } catch {
    console.error(error);
    return "Something unexpected went wrong.";
  }
}
