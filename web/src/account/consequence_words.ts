/** What erasing an account would do, in sentences. */
import { formatMoney } from "../net/domain.ts";
import type { Consequence } from "./shapes.ts";

const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  land_returned: [
    "One piece of land is free for anybody again.",
    "{count} pieces of land are free for anybody again.",
  ],
  listings_cancelled: ["One sale is taken back.", "{count} sales are taken back."],
  auctions_run_on: ["One auction runs to its end first.", "{count} auctions run to their end first."],
  bids_stand: ["One bid stands until its auction ends.", "{count} bids stand until their auctions end."],
  offers_withdrawn: ["One offer is withdrawn.", "{count} offers are withdrawn."],
  gifts_cancelled: ["One gift is taken back.", "{count} gifts are taken back."],
  leases_ended: ["One lease ends.", "{count} leases end."],
  groups_left: ["You leave one group.", "You leave {count} groups."],
  groups_dissolved: [
    "One group ends, as nobody else is in it.",
    "{count} groups end, as nobody else is in them.",
  ],
};

export function consequenceWords({ code, count, amount_minor, currency }: Consequence): string {
  if (amount_minor != null) {
    return `${formatMoney(amount_minor, { code: currency ?? "coin", scale: 2 })} are given up.`;
  }
  const words = COUNTED[code];
  if (words && count != null) return count === 1 ? words[0] : words[1].replace("{count}", String(count));
  const plain = code.replaceAll("_", " ");
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}${count == null ? "" : `: ${count}`}`;
}
