/** Sentences for what happened, for notices, toasts and the list of them. */
import { type Currency, formatMoney } from "../net/domain.ts";
import { numberOf, textOf } from "./happenings.ts";
import { parcelHref, tabHref } from "./route.ts";

export interface NoticeWords {
  readonly title: string;
  readonly text: string;
  /** Where one can do something about it. */
  readonly href: string;
  /** `good` and `bad` are for the person told; most things are neither. */
  readonly mood: "good" | "bad" | "plain";
}

/** Money of an event, in whatever currency it names. */
type MoneyWords = (name: string) => string;

type Tell = (
  land: string,
  money: MoneyWords,
  data: unknown,
) => readonly [title: string, text: string, mood?: NoticeWords["mood"]];

const TELLS: Readonly<Record<string, Tell>> = {
  "market.outbid": (land, money) => [
    "You were outbid",
    `Somebody bids more for ${land}: ${money("price_minor")} now. Your money is free again.`,
    "bad",
  ],
  "market.won": (land, money) => [
    "You won the auction",
    `${land} is yours for ${money("price_minor")}.`,
    "good",
  ],
  "market.sold": (land, money) => ["Sold", `${land} was sold for ${money("price_minor")}.`, "good"],
  "market.unsold": (land) => [
    "Not sold",
    `The auction of ${land} ended without a buyer. It is still yours.`,
    "bad",
  ],
  "market.bought": (land, money) => ["Bought", `${land} was bought for ${money("price_minor")}.`, "good"],
  "market.watched_listed": (land, money) => [
    "Watched land is for sale",
    `${land} can be had from ${money("price_minor")}.`,
    "good",
  ],
  "market.bid_placed": (land, money) => ["A bid", `${land} stands at ${money("price_minor")}.`],
  "market.auction_opened": (land) => ["Auction opened", `${land} is at auction.`],
  "market.auction_extended": (land) => ["More time", `A late bid for ${land} moved the end.`],
  "market.auction_ending": (land, money) => [
    "Ending soon",
    `The auction of ${land} ends soon, at ${money("price_minor")}.`,
  ],
  "market.auction_closed": (land) => ["Auction over", `The auction of ${land} has ended.`],
  "market.auction_cancelled": (land) => ["Auction cancelled", `The seller took ${land} back.`],
  "market.listed": (land, money) => ["For sale", `${land} is for sale for ${money("price_minor")}.`],
  "market.price_changed": (land, money) => ["New price", `${land} costs ${money("price_minor")} now.`],
  "market.listing_cancelled": (land) => ["No longer for sale", `The offer of ${land} was taken back.`],
  "market.listing_expired": (land) => [
    "Listing expired",
    `Nobody bought ${land} in time. It is still yours.`,
  ],
  "market.offer_received": (land, money) => [
    "An offer",
    `Somebody offers ${money("price_minor")} for ${land}.`,
    "good",
  ],
  "market.offer_accepted": (land, money) => [
    "Offer accepted",
    `${land} is yours for ${money("price_minor")}.`,
    "good",
  ],
  "market.offer_declined": (land) => [
    "Offer declined",
    `The owner of ${land} said no. Your money is free again.`,
    "bad",
  ],
  "market.offer_withdrawn": (land) => ["Offer withdrawn", `The offer for ${land} was taken back.`],
  "market.offer_expired": (land) => ["Offer expired", `Nobody answered the offer for ${land} in time.`],
  "market.offer_lapsed": (land) => [
    "Offer lapsed",
    `${land} is no longer what the offer was for. The money is free again.`,
  ],
  "land.claimed": (land) => ["Land claimed", `${land} has an owner.`],
  "land.ownership_changed": (land) => ["New owner", `${land} has changed hands.`],
  "land.renamed": (land) => ["Renamed", `A place is called ${land} now.`],
  "land.merged": (land) => ["Merged", `${land} has grown.`],
  "land.split": (land) => ["Split", `${land} was split.`],
  "land.abandoned": (land) => ["Abandoned", `${land} belongs to nobody now.`],
  "land.fence_changed": (land) => ["Fence", `Who may enter ${land} has changed.`],
  "land.gift_offered": (land) => ["A gift", `Somebody wants to give you ${land}.`, "good"],
  "land.gift_accepted": (land) => ["Gift accepted", `${land} was taken as a gift.`, "good"],
  "land.gift_declined": (land) => ["Gift declined", `${land} was not wanted. It is still yours.`, "bad"],
  "land.gift_cancelled": (land) => ["Gift withdrawn", `${land} is no longer offered to you.`],
  "land.lease_offered": (land) => ["A lease", `You can rent ${land}.`],
  "land.lease_accepted": (land) => ["Lease begun", `${land} is let.`, "good"],
  "land.lease_started": (land) => ["Lease begun", `${land} is let.`, "good"],
  "land.lease_declined": (land) => ["Lease declined", `${land} was not rented.`, "bad"],
  "land.lease_ended": (land) => ["Lease over", `The lease of ${land} has ended.`],
  "land.permission_changed": (land) => ["Permission", `What you may do on ${land} has changed.`],
  "land.reclaim_warned": (land) => [
    "Upkeep is overdue",
    `${land} goes back to the planet unless its upkeep is paid.`,
    "bad",
  ],
  "land.reclaimed": (land) => ["Reclaimed", `${land} went back to the planet.`, "bad"],
  "wallet.received": (_, money, data) => [
    "Money came in",
    sentence([`You received ${money("amount_minor")}`, from(data)]),
    "good",
  ],
  "wallet.paid": (_, money) => ["Paid", `${money("amount_minor")} left your wallet.`],
  "wallet.held": (_, money) => ["Money held", `${money("amount_minor")} is set aside.`],
  "wallet.released": (_, money) => ["Money free again", `${money("amount_minor")} is no longer held.`],
  "rent.due": (land, money) => ["Rent is due", `${money("amount_minor")} for ${land}.`],
  "rent.paid": (land, money) => ["Rent paid", `${money("amount_minor")} for ${land}.`],
  "rent.missed": (land) => ["Rent missed", `The rent for ${land} could not be paid.`, "bad"],
  "land.upkeep_due": (land, money) => ["Upkeep is due", `${money("amount_minor")} for ${land}.`],
  "land.upkeep_missed": (land) => ["Upkeep missed", `The upkeep of ${land} could not be paid.`, "bad"],
  "group.joined": (_, __, data) => [
    "A new member",
    `Somebody joined ${textOf(data, "name") ?? "your group"}.`,
  ],
  "group.removed": (_, __, data) => ["Group", `You are no longer in ${textOf(data, "name") ?? "a group"}.`],
  "webhook.disabled": () => ["Webhook switched off", "A program of yours did not answer for days.", "bad"],
  "group.invited": (_, __, data) => [
    "An invitation",
    `You are invited to ${textOf(data, "name") ?? "a group"}.`,
  ],
};

const from = (data: unknown): string | undefined => {
  const name = textOf(data, "from_name");
  return name && `from ${name}`;
};
const sentence = (parts: readonly (string | undefined)[]): string => `${parts.filter(Boolean).join(" ")}.`;

/** What an event says to a person. Kinds that are not known yet get a plain sentence. */
export function noticeWords(kind: string, data: unknown, currencies: readonly Currency[]): NoticeWords {
  const parcel = textOf(data, "parcel") ?? textOf(data, "token");
  const land =
    textOf(data, "name") ?? textOf(data, "parcel_name") ?? (parcel ? `land ${parcel}` : "the land");
  const currency = currencies.find(({ code }) => code === textOf(data, "currency")) ?? currencies[0];
  const money: MoneyWords = (name) => {
    const minor = numberOf(data, name) ?? numberOf(data, "amount_minor") ?? numberOf(data, "price_minor");
    return minor === undefined || !currency ? "an amount" : formatMoney(minor, currency);
  };
  const tell = Object.hasOwn(TELLS, kind) ? TELLS[kind] : undefined;
  const [title, text, mood] = tell?.(land, money, data) ?? [
    capital(kind.replace(/^.*\./, "").replaceAll("_", " ")),
    parcel ? `Something happened to ${land}.` : "Something happened.",
  ];
  return {
    title,
    text: capital(text),
    mood: mood ?? "plain",
    href: parcel
      ? parcelHref(parcel)
      : tabHref(kind.startsWith("group.") ? "groups" : kind.startsWith("webhook.") ? "webhooks" : "wallet"),
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
