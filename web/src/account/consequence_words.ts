/** What erasing an account would do, in sentences. */
import { formatMoney } from "../net/domain.ts";
import type { Consequence } from "./shapes.ts";

const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  land: ["One piece of land goes back to everybody.", "{count} pieces of land go back to everybody."],
  listings: ["One sale is taken back.", "{count} sales are taken back."],
  auctions: ["One auction runs to its end first.", "{count} auctions run to their end first."],
  bids: ["One bid is taken back.", "{count} bids are taken back."],
  leases: ["One lease ends.", "{count} leases end."],
  groups: ["You leave one group.", "You leave {count} groups."],
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
