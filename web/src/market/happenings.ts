/** What events are about, and which of them a person wants to be told of. */
import type { HappenedEvent } from "../net/event_stream.ts";

/** A field of an event's data as text. */
export function textOf(data: unknown, name: string): string | undefined {
  const value: unknown = typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A field of an event's data as a whole number. */
export function numberOf(data: unknown, name: string): number | undefined {
  const value: unknown = typeof data === "object" && data !== null ? Reflect.get(data, name) : undefined;
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** Whether an event may have changed what is shown of a thing with one of these ids or tokens. */
export function isAbout(event: HappenedEvent, ids: readonly (string | undefined)[]): boolean {
  const { data } = event;
  if (typeof data !== "object" || data === null) return false;
  const values = Object.values(data).flat();
  return ids.some((id) => id !== undefined && values.includes(id));
}

/** Whether an event is of one of these families: `wallet`, `market`, `land`. */
export function isOf(event: HappenedEvent, ...families: readonly string[]): boolean {
  return families.includes(event.kind.split(".", 1)[0] ?? "");
}
