/** Money between people and the books: text with a decimal point outside, whole minor units inside. */
import { type Currency, formatMoney } from "./domain.ts";

/** The largest amount a request may hold: what JSON carries exactly. */
export const AMOUNT_MAX_MINOR = Number.MAX_SAFE_INTEGER;

export type ParsedMoney =
  | { readonly kind: "amount"; readonly minor: number }
  /** Nothing was written. */
  | { readonly kind: "empty" }
  | { readonly kind: "fault"; readonly text: string };

const fault = (text: string): ParsedMoney => ({ kind: "fault", text });

/**
 * Reads what a person wrote into an amount field: `12`, `12.5`, `12,50`, `1,234.50`, with or without the currency's
 * name. Never rounds: an amount that the currency cannot hold is a fault.
 */
export function parseMoney(text: string, { scale, code }: Currency): ParsedMoney {
  let written = text.trim();
  if (written.toLowerCase().endsWith(code.toLowerCase())) written = written.slice(0, -code.length);
  written = written.replace(/[\s\u00a0\u202f']/g, "");
  if (written === "") return { kind: "empty" };
  if (/^[-−]/.test(written)) return fault("An amount cannot be negative.");
  const plain = /^\d{1,3}(,\d{3})+(\.\d*)?$/.test(written)
    ? written.replaceAll(",", "")
    : written.replace(",", ".");
  const parts = /^(\d*)(?:\.(\d*))?$/.exec(plain);
  if (!parts || plain === ".") return fault("Write an amount in digits, such as 12.50.");
  const [, whole = "", decimals = ""] = parts;
  const spare = decimals.replace(/0+$/, "");
  if (spare.length > scale) {
    return fault(scale === 0 ? `${code} has no decimals.` : `${code} has ${scale} decimals at most.`);
  }
  const minor = BigInt(`${whole}${spare.padEnd(scale, "0")}` || "0");
  if (minor === 0n) return fault("The amount must be more than zero.");
  if (minor > BigInt(AMOUNT_MAX_MINOR)) return fault("That is more than there can be.");
  return { kind: "amount", minor: Number(minor) };
}

/** An amount as one would write it into a field: `12.50`, without the currency. */
export function writeMoney(minor: number, { scale }: Currency): string {
  const digits = String(Math.abs(minor)).padStart(scale + 1, "0");
  const sign = minor < 0 ? "-" : "";
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A change of a balance, with its sign: `+12.50 coin`, `−3.00 coin`. */
export function formatChange(minor: number, currency: Currency): string {
  const sign = minor > 0 ? "+" : minor < 0 ? "−" : "";
  return sign + formatMoney(Math.abs(minor), currency);
}

/** What seller, fee and tax get of a price: the two are rounded down, the seller has the rest, as the books do it. */
export function splitPrice(
  priceMinor: number,
  rates: { readonly seller_fee_bps: number; readonly sales_tax_bps: number },
): { readonly sellerMinor: number; readonly feeMinor: number; readonly taxMinor: number } {
  const part = (bps: number) => Number((BigInt(priceMinor) * BigInt(bps)) / 10_000n);
  const [feeMinor, taxMinor] = [part(rates.seller_fee_bps), part(rates.sales_tax_bps)];
  return { sellerMinor: priceMinor - feeMinor - taxMinor, feeMinor, taxMinor };
}

/** `2.5 %` from 250. */
export function formatRate(rateBps: number): string {
  return `${new Intl.NumberFormat("en", { maximumFractionDigits: 2 }).format(rateBps / 100)} %`;
}
