/** Places as people type them. */
import type { LatLng } from "../geo/lat_lng.ts";
import { parsePlaceLink } from "../geo/place_link.ts";

/** One number with an optional degree sign and an optional point of the compass. */
const PART = /^([+-]?\d{1,3}(?:\.\d{1,12})?)\s*°?\s*([nsew])?$/i;

/**
 * Reads `12.5, -40.25`, `12.5 -40.25`, `12.5° N 40.25° W`, `40.25W 12.5N`, or a whole link to a place. `undefined` for
 * anything else, places outside the planet included.
 */
export function parseCoordinates(text: string): LatLng | undefined {
  const trimmed = text.trim();
  const link = parsePlaceLink(/#.*$/.exec(trimmed)?.[0] ?? "");
  if (link?.kind === "place") return link.place;

  // A number, perhaps a compass point right after it: then a comma or a space.
  const parts = trimmed.split(/\s*[,;]\s*|(?<=[\d°nsew])\s+(?=[+-]?\d)/i).map((part) => PART.exec(part));
  const [first, second] = parts;
  if (parts.length !== 2 || !first || !second) return undefined;
  const [a, b] = [first, second].map((part) => ({ value: Number(part[1]), point: part[2]?.toLowerCase() }));
  if (!a || !b || (a.point === undefined) !== (b.point === undefined)) return undefined;

  const isLatitude = (point: string | undefined) => point === "n" || point === "s";
  if (a.point !== undefined && isLatitude(a.point) === isLatitude(b.point)) return undefined;
  const [latitude, longitude] = a.point !== undefined && !isLatitude(a.point) ? [b, a] : [a, b];
  const signed = ({ value, point }: typeof a) => (point === "s" || point === "w" ? -value : value);
  const place = { latitude_deg: signed(latitude), longitude_deg: signed(longitude) };
  if (Math.abs(place.latitude_deg) > 90 || Math.abs(place.longitude_deg) > 180) return undefined;
  return place;
}
