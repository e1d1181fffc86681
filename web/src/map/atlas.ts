/** What the server tells about its planet for the map, in the map's own words. */
import type { components } from "../gen/openapi.ts";
import type { LatLng } from "../geo/lat_lng.ts";
import { client, dataOf } from "../net/asking.ts";

type Schemas = components["schemas"];

export type Place = Schemas["NamedPlaceView"];
export type Here = Schemas["HereView"];
export type LegendEntry = Schemas["LegendEntry"];

/** The pictures there are of the planet. */
export const LAYERS = ["biome", "elevation"] as const;
export type Layer = (typeof LAYERS)[number];

export interface Atlas {
  readonly planetName: string;
  /** Everything below is under it. */
  readonly planetHash: string;
  readonly radiusM: number;
  readonly lotLevel: number;
  /** Where newcomers arrive: what a map begins with. */
  readonly arrival: LatLng;
  readonly currency: { readonly code: string; readonly scale: number };
}

export async function openAtlas(): Promise<Atlas> {
  const planet = await dataOf(client.GET("/api/v1/planet"));
  return {
    planetName: planet.name,
    planetHash: planet.planet_hash,
    radiusM: planet.radius_m,
    lotLevel: planet.lot_level,
    arrival: { latitude_deg: planet.arrival.lat_deg, longitude_deg: planet.arrival.lng_deg },
    currency: planet.currency,
  };
}

const under = ({ planetHash }: Atlas) => ({ planet_hash: planetHash });

/** Every place with a name, the most important first. */
export async function placesOf(atlas: Atlas): Promise<readonly Place[]> {
  const params = { path: under(atlas) };
  return (await dataOf(client.GET("/api/v1/planet/{planet_hash}/places", { params }))).items;
}

export async function searchPlaces(
  atlas: Atlas,
  text: string,
  signal: AbortSignal,
): Promise<readonly Place[]> {
  const params = { path: under(atlas), query: { q: text } };
  return (await dataOf(client.GET("/api/v1/planet/{planet_hash}/places/search", { params, signal }))).items;
}

/** Ground, climate and names of a place. */
export function hereAt(atlas: Atlas, place: LatLng, signal?: AbortSignal): Promise<Here> {
  const query = { lat: place.latitude_deg, lng: place.longitude_deg };
  const params = { path: under(atlas), query };
  return dataOf(client.GET("/api/v1/planet/{planet_hash}/at", { params, ...(signal && { signal }) }));
}

export async function legendOf(atlas: Atlas, layer: Layer): Promise<readonly LegendEntry[]> {
  const params = { path: { ...under(atlas), layer } };
  return (await dataOf(client.GET("/api/v1/planet/{planet_hash}/legend/{layer}", { params }))).entries;
}

/** Where a picture's TileJSON is. */
export function tileJsonUrl(atlas: Atlas, layer: Layer): string {
  return `${location.origin}/api/v1/planet/${atlas.planetHash}/tilejson/${layer}.json`;
}
