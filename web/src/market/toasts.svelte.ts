/** Short notices over the page that go by themselves. */
import type { Currency } from "../net/domain.ts";
import { type NoticeWords, noticeWords } from "./notice_words.ts";

export interface Toast extends NoticeWords {
  readonly id: number;
}

const TOASTS_MAX = 3;
const TOAST_MS = 9_000;

/** What is for the person themself, who wants to see it wherever they are. */
const PERSONAL: ReadonlySet<string> = new Set([
  "market.outbid",
  "market.won",
  "market.sold",
  "market.unsold",
  "market.auction_ending",
  "market.offer_received",
  "market.offer_accepted",
  "market.offer_declined",
  "market.watched_listed",
  "wallet.received",
  "land.gift_offered",
  "land.gift_accepted",
  "land.lease_offered",
  "land.reclaim_warned",
  "rent.due",
  "rent.missed",
  "group.invited",
]);

export class Toasts {
  list = $state.raw<readonly Toast[]>([]);
  #count = 0;

  say(words: NoticeWords): void {
    this.#count += 1;
    const toast = { ...words, id: this.#count };
    this.list = [...this.list, toast].slice(-TOASTS_MAX);
    setTimeout(() => this.dismiss(toast.id), TOAST_MS);
  }

  /** Tells of an event, if it is one that a person wants to be told of. */
  tell(kind: string, data: unknown, currencies: readonly Currency[]): void {
    if (PERSONAL.has(kind)) this.say(noticeWords(kind, data, currencies));
  }

  dismiss(id: number): void {
    this.list = this.list.filter((toast) => toast.id !== id);
  }
}
