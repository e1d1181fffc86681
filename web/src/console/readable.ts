/** Answers of many shapes as lines that people can read. */
import { formatMoney } from "../net/domain.ts";

export interface Line {
  readonly name: string;
  readonly text: string;
  readonly depth: number;
}

/** `people_online_count` as `People online count`. */
export function nameWords(name: string): string {
  const words = name.replaceAll("_", " ").replaceAll(".", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function textOf(value: unknown): string {
  if (value === null || value === undefined || value === "") return "—";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number")
    return new Intl.NumberFormat("en", { maximumFractionDigits: 3 }).format(value);
  return String(value);
}

const isPlain = (value: unknown): boolean => typeof value !== "object" || value === null;

/** An object, line by line; what is inside of it a step further in. */
export function linesOf(value: unknown, depth = 0): readonly Line[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = Array.isArray(value) ? `${Number(key) + 1}.` : nameWords(key);
    if (isPlain(inner)) return [{ name, text: textOf(inner), depth }];
    if (Array.isArray(inner) && inner.every(isPlain)) {
      return [{ name, text: inner.length === 0 ? "none" : inner.map(textOf).join(", "), depth }];
    }
    return [{ name, text: "", depth }, ...linesOf(inner, depth + 1)];
  });
}

/** An amount of the books, whose currencies all have two places. */
export function moneyWords(amountMinor: number, asset: string): string {
  return formatMoney(amountMinor, { code: asset, scale: 2 });
}
