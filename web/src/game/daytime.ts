/** Which time of day is shown: the planet's own, an everlasting morning, or one fixed in the address for pictures. */
import type { Vec3 } from "../geo/vec3.ts";
import { eternalMorning, type Heaven, heavenAtLocalTime } from "../world/daylight.ts";

/** What a person may choose. */
export type Daylight = "planet" | "day";

/**
 * The share of the local day that `?time=` in an address fixes: 0 midnight, 0.25 sunrise, 0.5 noon. Undefined without
 * one, or with anything but a number from 0 to 1.
 */
export function parseFixedTime(search: string): number | undefined {
  const text = new URLSearchParams(search).get("time");
  const share = Number(text);
  return text !== null && text.trim() !== "" && share >= 0 && share <= 1 ? share : undefined;
}

export interface DaytimeQuestion {
  /** From where one looks, any distance from the planet's centre. */
  readonly eye: Vec3;
  /** Where sun and moon stand by the planet's clock. */
  readonly planetHeaven: () => Heaven;
  readonly daylight: Daylight;
  readonly fixedShare: number | undefined;
}

/** Sun and moon as they are to be shown. A fixed time goes before the setting. */
export function heavenShown({ eye, planetHeaven, daylight, fixedShare }: DaytimeQuestion): Heaven {
  if (fixedShare !== undefined) return heavenAtLocalTime(eye, fixedShare);
  return daylight === "day" ? eternalMorning(eye) : planetHeaven();
}
