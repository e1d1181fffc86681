import { type CellId, cellToken, parseCellToken } from "./cell_id.ts";
import type { LatLng } from "./lat_lng.ts";

/** What the part of the address after `#` asks for. */
export type PlaceLink =
  | { readonly kind: "place"; readonly place: LatLng }
  | { readonly kind: "lot"; readonly cell: CellId };

/** Reads `#lat,lng` or `#lot=<token>`; `undefined` for anything else, a place outside the planet included. */
export function parsePlaceLink(hash: string): PlaceLink | undefined {
  const text = hash.replace(/^#/, "");
  const lot = /^lot=([0-9a-f]+)$/i.exec(text)?.[1];
  if (lot !== undefined) {
    const cell = parseCellToken(lot.toLowerCase());
    return cell === undefined ? undefined : { kind: "lot", cell };
  }
  const numbers = /^(-?\d{1,3}(?:\.\d{1,12})?),(-?\d{1,3}(?:\.\d{1,12})?)$/.exec(
    decodeURIComponentSafely(text),
  );
  if (!numbers) return undefined;
  const place = { latitude_deg: Number(numbers[1]), longitude_deg: Number(numbers[2]) };
  if (Math.abs(place.latitude_deg) > 90 || Math.abs(place.longitude_deg) > 180) return undefined;
  return { kind: "place", place };
}

/** The `#…` of a link to a place or lot; five decimals are 14 cm on the default planet. */
export function formatPlaceLink(link: PlaceLink): string {
  if (link.kind === "lot") return `#lot=${cellToken(link.cell)}`;
  return `#${link.place.latitude_deg.toFixed(5)},${link.place.longitude_deg.toFixed(5)}`;
}

function decodeURIComponentSafely(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
