/** What a bid must be before it is sent: the server decides, this only saves a trip. */
import { type Currency, formatMoney } from "../net/domain.ts";

export interface BidSituation {
  readonly currency: Currency;
  /** The least that the next bid may be. */
  readonly minimumMinor: number;
  /** What is not held for anything, without what our own highest bid here holds. */
  readonly availableMinor: number | undefined;
  /** Our own highest bid so far. */
  readonly ownMaxMinor: number | undefined;
  readonly isLeading: boolean;
}

/** What is wrong with a highest bid, or undefined. */
export function bidFault(maxMinor: number, situation: BidSituation): string | undefined {
  const { currency, minimumMinor, availableMinor, ownMaxMinor, isLeading } = situation;
  if (isLeading && ownMaxMinor !== undefined && maxMinor <= ownMaxMinor) {
    return `You lead with ${formatMoney(ownMaxMinor, currency)}: only more than that changes anything.`;
  }
  if (!isLeading && maxMinor < minimumMinor) {
    return `The next bid is at least ${formatMoney(minimumMinor, currency)}.`;
  }
  const spendableMinor = spendable(situation);
  if (spendableMinor !== undefined && maxMinor > spendableMinor) {
    return `You have ${formatMoney(availableMinor ?? 0, currency)} that is not held for something else.`;
  }
  return undefined;
}

/** What a bid can hold at most: what is free, and what our own lower bid holds, which it replaces. */
export function spendable({ availableMinor, ownMaxMinor, isLeading }: BidSituation): number | undefined {
  if (availableMinor === undefined) return undefined;
  return availableMinor + (isLeading ? (ownMaxMinor ?? 0) : 0);
}

/** The step from a price to the next bid, by the table of the currency. */
export function stepAt(
  priceMinor: number,
  increments: readonly { readonly from_minor: number; readonly step_minor: number }[],
): number {
  let step = 1;
  for (const increment of increments) if (priceMinor >= increment.from_minor) step = increment.step_minor;
  return step;
}

/** A few amounts to choose from: the least that counts, and some steps more. */
export function suggestions(minimumMinor: number, stepMinor: number): readonly number[] {
  return [0, 2, 5].map((steps) => minimumMinor + steps * stepMinor);
}
