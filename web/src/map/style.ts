/** How the map is drawn: one picture layer, names above it. */
import type { ExpressionSpecification, StyleSpecification, SymbolLayerSpecification } from "maplibre-gl";
import { type Atlas, LAYERS, type Layer, type Place, tileJsonUrl } from "./atlas.ts";
import { LAND_SOURCE, landLayers, landSource } from "./land_layer.ts";

/** Drawn by the browser from the page's own font: no glyph files are needed. */
const FONT = ["Noto Sans Variable"];
const WATER_INK = "#0f3d5c";
const LAND_INK = "#22301f";
const ROCK_INK = "#4a2f1c";

type Geometry =
  | { readonly type: "Point"; readonly coordinates: number[] }
  | { readonly type: "LineString"; readonly coordinates: number[][] };

interface Names {
  readonly type: "FeatureCollection";
  readonly features: {
    readonly type: "Feature";
    readonly properties: { readonly name: string; readonly kind: Place["kind"]; readonly rank: number };
    readonly geometry: Geometry;
  }[];
}

/** Names as GeoJSON in shape; its coordinates are the planet's own, not WGS 84. */
export function namesOf(places: readonly Place[]): Names {
  return {
    type: "FeatureCollection",
    features: places.map((place, rank) => ({
      type: "Feature" as const,
      properties: { name: place.name, kind: place.kind, rank },
      geometry:
        place.kind === "river" && place.line
          ? { type: "LineString" as const, coordinates: unwrapped(place.line) }
          : { type: "Point" as const, coordinates: [place.center.lng_deg, place.center.lat_deg] },
    })),
  };
}

/** A line that crosses the antimeridian goes on beyond 180° instead of round the planet. */
export function unwrapped(line: readonly (readonly number[])[]): number[][] {
  let turns = 0;
  let before: number | undefined;
  return line.map(([longitude = 0, latitude = 0]) => {
    if (before !== undefined && Math.abs(longitude - before) > 180) turns += longitude < before ? 360 : -360;
    before = longitude;
    return [longitude + turns, latitude];
  });
}

interface Naming {
  readonly kind: Place["kind"];
  readonly minzoom: number;
  readonly maxzoom: number;
  readonly size: ExpressionSpecification;
  readonly ink: string;
  readonly spacing: number;
  readonly isItalic?: boolean;
}

const growing = (from: number, to: number): ExpressionSpecification => [
  "interpolate",
  ["linear"],
  ["zoom"],
  0,
  from,
  8,
  to,
];

const NAMINGS: readonly Naming[] = [
  { kind: "ocean", minzoom: 0, maxzoom: 7, size: growing(13, 24), ink: WATER_INK, spacing: 0.25 },
  { kind: "continent", minzoom: 0, maxzoom: 7, size: growing(13, 26), ink: LAND_INK, spacing: 0.2 },
  { kind: "sea", minzoom: 2.5, maxzoom: 10, size: growing(10, 18), ink: WATER_INK, spacing: 0.12 },
  { kind: "island", minzoom: 3.5, maxzoom: 12, size: growing(10, 16), ink: LAND_INK, spacing: 0.05 },
  { kind: "range", minzoom: 3, maxzoom: 11, size: growing(10, 17), ink: ROCK_INK, spacing: 0.12 },
  { kind: "lake", minzoom: 5, maxzoom: 24, size: growing(10, 15), ink: WATER_INK, spacing: 0.02 },
  { kind: "river", minzoom: 4.5, maxzoom: 24, size: growing(9, 14), ink: WATER_INK, spacing: 0.04 },
];

function nameLayer({ kind, minzoom, maxzoom, size, ink, spacing }: Naming): SymbolLayerSpecification {
  const isGreat = kind === "ocean" || kind === "continent";
  return {
    id: `name-${kind}`,
    type: "symbol",
    source: "names",
    minzoom,
    maxzoom,
    filter: ["==", ["get", "kind"], kind],
    layout: {
      "text-field": ["get", "name"],
      "text-font": FONT,
      "text-size": size,
      "text-letter-spacing": spacing,
      "text-transform": isGreat ? "uppercase" : "none",
      "text-max-width": 9,
      "text-padding": 6,
      "symbol-sort-key": ["get", "rank"],
      ...(kind === "river" ? { "symbol-placement": "line", "symbol-spacing": 400 } : {}),
    },
    paint: { "text-color": ink, "text-halo-color": "rgb(255 255 255 / 0.75)", "text-halo-width": 1.4 },
  };
}

/** `ownIds` are those whose land is that of the person who looks. */
export function styleOf(
  atlas: Atlas,
  places: readonly Place[],
  layer: Layer,
  ownIds: readonly string[],
): StyleSpecification {
  return {
    version: 8,
    projection: { type: "globe" },
    sources: {
      ...Object.fromEntries(
        LAYERS.map((name) => [
          name,
          { type: "raster", url: tileJsonUrl(atlas, name), tileSize: 256 } as const,
        ]),
      ),
      [LAND_SOURCE]: landSource(location.origin),
      names: { type: "geojson", data: namesOf(places) },
      selected: { type: "geojson", data: { type: "FeatureCollection", features: [] } },
    },
    layers: [
      { id: "space", type: "background", paint: { "background-color": "#12303f" } },
      ...LAYERS.map((name) => ({
        id: name,
        type: "raster" as const,
        source: name,
        layout: { visibility: name === layer ? ("visible" as const) : ("none" as const) },
        paint: { "raster-fade-duration": 150 },
      })),
      {
        id: "selected",
        type: "line",
        source: "selected",
        paint: { "line-color": "#7a2500", "line-width": 2.5 },
      },
      ...landLayers(ownIds),
      ...NAMINGS.toReversed().map(nameLayer),
    ],
  };
}
