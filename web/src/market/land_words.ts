/** Words about land. */
import { formatLatLng, type LatLng } from "../geo/lat_lng.ts";

interface Named {
  readonly name?: string | null;
  readonly center: { readonly lat_deg: number; readonly lng_deg: number };
}

/** What land is called: by its owner, or by where it lies. */
export function landName({ name, center }: Named): string {
  return name || `Land at ${formatLatLng(placeOf(center))}`;
}

export const placeOf = ({ lat_deg, lng_deg }: Named["center"]): LatLng => ({
  latitude_deg: lat_deg,
  longitude_deg: lng_deg,
});

export const FENCE_WORDS: Readonly<Record<string, string>> = {
  everyone: "Everyone may enter",
  list: "Only people on the list may enter",
  nobody: "Nobody but the owner may enter",
};

export const ROLE_WORDS: Readonly<Record<string, string>> = {
  owner: "Owner",
  manager: "Manager",
  builder: "Builder",
  guest: "Guest",
  banned: "Banned",
  tenant: "Tenant",
  officer: "Officer",
  member: "Member",
};

const TITLE_WORDS: Readonly<Record<string, string>> = {
  claim: "Claimed",
  sale: "Sold",
  auction_sale: "Sold at auction",
  offer_sale: "Sold by an offer",
  gift: "Given",
  merge: "Merged",
  split: "Split off",
  abandon: "Abandoned",
  reclaim: "Reclaimed",
};

export const titleWord = (kind: string): string => TITLE_WORDS[kind] ?? plainWord(kind);

const SALE_WORDS: Readonly<Record<string, string>> = {
  fixed: "Fixed price",
  english: "Auction",
  dutch: "Falling price",
  sealed: "Sealed bids",
  offer: "Offer",
};

export const saleWord = (kind: string): string => SALE_WORDS[kind] ?? plainWord(kind);

const POSTING_WORDS: Readonly<Record<string, string>> = {
  welcome_grant: "Welcome coins",
  land_claim: "Land claimed",
  land_merge: "Land merged",
  land_split: "Land split",
  land_abandon: "Land abandoned",
  land_gift: "Land given",
  sale: "Sale",
  auction_sale: "Auction",
  offer_sale: "Offer accepted",
  transfer: "Payment",
  rent: "Rent",
  deposit: "Deposit",
  deposit_return: "Deposit back",
  upkeep: "Upkeep",
  reclaim: "Reclaim",
  reversal: "Correction",
};

export const postingWord = (kind: string): string => POSTING_WORDS[kind] ?? plainWord(kind);

const HOLD_WORDS: Readonly<Record<string, string>> = {
  bid: "Bid",
  offer: "Offer",
  deposit: "Deposit",
  checkout: "Checkout",
};

export const holdWord = (kind: string): string => HOLD_WORDS[kind] ?? plainWord(kind);

/** `Not yet known` from `not_yet_known`. */
export function plainWord(code: string): string {
  const text = code.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The token that a reference is about: `lot:4be64c3c`, `parcel:4be6`. */
export function tokenOfReference(reference: string): string | undefined {
  return /(?:^|[:\s])(?:lot|parcel|deed|land):([0-9a-f]{1,16})\b/.exec(reference)?.[1];
}
