/** How land stands to the person who looks at it: the same five everywhere, each with a colour and a pattern. */

export const LAND_STATES = ["mine", "sale", "auction", "taken", "free"] as const;
export type LandState = (typeof LAND_STATES)[number];

export const STATE_WORDS: Readonly<Record<LandState, string>> = {
  mine: "Yours",
  sale: "For sale",
  auction: "At auction",
  taken: "Taken",
  free: "Free",
};

/** What a parcel is to somebody; land of one's own that is for sale is for sale. */
export function landState(
  parcel: {
    readonly status: string;
    readonly owner?: { readonly account_id: string } | null;
    readonly market?: { readonly kind: string } | null;
  },
  ownIds: ReadonlySet<string>,
): LandState {
  if (parcel.status !== "taken") return "free";
  if (parcel.market?.kind === "auction") return "auction";
  if (parcel.market?.kind === "listing") return "sale";
  return parcel.owner && ownIds.has(parcel.owner.account_id) ? "mine" : "taken";
}
