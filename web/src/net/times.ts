/** Moments and spans of time as people read them. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const UNITS = [
  [365 * DAY_MS, "year"],
  [30 * DAY_MS, "month"],
  [DAY_MS, "day"],
  [HOUR_MS, "hour"],
  [MINUTE_MS, "minute"],
  [SECOND_MS, "second"],
] as const;

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** `5 minutes ago`, `in 2 hours`, `now`. */
export function formatRelative(atMs: number, nowMs: number): string {
  const awayMs = atMs - nowMs;
  if (Math.abs(awayMs) < 5 * SECOND_MS) return "now";
  const [unitMs, unit] = UNITS.find(([size]) => Math.abs(awayMs) >= size) ?? [SECOND_MS, "second"];
  return relative.format(Math.trunc(awayMs / unitMs), unit);
}

/** The whole date and time, in the reader's own time zone. */
export function formatMoment(atMs: number): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" }).format(atMs);
}

/** The date alone, for statements and histories. */
export function formatDay(atMs: number): string {
  return new Intl.DateTimeFormat("en", { dateStyle: "medium" }).format(atMs);
}

const two = (value: number): string => String(value).padStart(2, "0");

/**
 * What is left of a countdown: `2 d 4 h`, `3 h 05 min`, `4:09`, `0:07`; rounded up, so that `0:00` means over.
 */
export function formatLeft(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / SECOND_MS));
  const days = Math.floor(seconds / 86_400);
  const hours = Math.floor(seconds / 3_600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${two(minutes)} min`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** The same for a screen reader, which does not want to be told every second: `2 days`, `less than a minute`. */
export function saidLeft(leftMs: number): string {
  if (leftMs <= 0) return "ended";
  if (leftMs < MINUTE_MS) return "less than a minute left";
  const [unitMs, unit] = UNITS.find(([size]) => leftMs >= size) ?? [MINUTE_MS, "minute"];
  const count = Math.floor(leftMs / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"} left`;
}

/** How soon a countdown shows something else. */
export function nextTickMs(leftMs: number): number {
  if (leftMs <= 0) return Number.POSITIVE_INFINITY;
  if (leftMs > HOUR_MS + MINUTE_MS) return Math.min(MINUTE_MS, leftMs - HOUR_MS);
  return leftMs % SECOND_MS || SECOND_MS;
}

/** `2 hours`, `1 day`, `7 days`, of a whole span. */
export function formatSpan(spanS: number): string {
  const spanMs = spanS * SECOND_MS;
  const [unitMs, unit] = UNITS.slice(2).find(([size]) => spanMs >= size && spanMs % size === 0) ?? [
    SECOND_MS,
    "second",
  ];
  const count = Math.round(spanMs / unitMs);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
