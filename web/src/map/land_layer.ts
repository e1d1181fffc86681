/** Who owns the land, over the map: vector tiles of parcels, each state by a colour and a pattern of its own. */
import type { ExpressionSpecification, LayerSpecification, SourceSpecification } from "maplibre-gl";

/** Land that staff have frozen: nothing can be done with it, whoever owns it. */
export const FROZEN_COLOR = "#0e5f7a";

/** As everywhere else in the client; land of one's own that is for sale is for sale. */
export const SHOWN_STATES = ["mine", "sale", "auction", "taken"] as const;
export type ShownState = (typeof SHOWN_STATES)[number];

export const STATE_COLORS: Readonly<Record<ShownState, string>> = {
  mine: "#b96a00",
  sale: "#0f7a3c",
  auction: "#7c24b0",
  taken: "#2459c4",
};

export const LAND_SOURCE = "land";
/** Layers that answer to a click. */
export const LAND_FILLS = SHOWN_STATES.map((state) => `land-${state}`);
/** From here on single parcels are in the tiles; below, where they crowd. */
const PARCELS_FROM_ZOOM = 12;

export function landSource(origin: string): SourceSpecification {
  return { type: "vector", url: `${origin}/api/v1/lands/tiles.json` };
}

/** Filters for a state, by whose land is one's own. */
function isState(state: ShownState, ownIds: readonly string[]): ExpressionSpecification {
  const isOwn: ExpressionSpecification = ["in", ["get", "owner_id"], ["literal", [...ownIds]]];
  switch (state) {
    case "mine":
      return ["all", ["==", ["get", "state"], "taken"], isOwn];
    case "taken":
      return ["all", ["==", ["get", "state"], "taken"], ["!", isOwn]];
    default:
      return ["==", ["get", "state"], state];
  }
}

export function landLayers(ownIds: readonly string[]): LayerSpecification[] {
  const crowds: LayerSpecification[] = [
    {
      id: "land-crowds",
      type: "circle",
      source: LAND_SOURCE,
      "source-layer": "clusters",
      paint: {
        "circle-color": "#16222a",
        "circle-opacity": 0.75,
        "circle-radius": ["interpolate", ["linear"], ["ln", ["max", 1, ["get", "count"]]], 0, 5, 7, 20],
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 1.5,
      },
    },
    {
      id: "land-counts",
      type: "symbol",
      source: LAND_SOURCE,
      "source-layer": "clusters",
      filter: [">", ["get", "count"], 1],
      layout: {
        "text-field": ["to-string", ["get", "count"]],
        "text-font": ["Noto Sans Variable"],
        "text-size": 11,
        "text-allow-overlap": true,
      },
      paint: { "text-color": "#ffffff" },
    },
  ];
  return [
    ...SHOWN_STATES.flatMap((state): LayerSpecification[] => [
      {
        id: `land-${state}`,
        type: "fill",
        source: LAND_SOURCE,
        "source-layer": "parcels",
        filter: isState(state, ownIds),
        paint: { "fill-pattern": `pattern-${state}` },
      },
      {
        id: `land-${state}-edge`,
        type: "line",
        source: LAND_SOURCE,
        "source-layer": "parcels",
        filter: isState(state, ownIds),
        layout: { "line-join": "round" },
        paint: {
          "line-color": STATE_COLORS[state],
          "line-width": ["interpolate", ["linear"], ["zoom"], PARCELS_FROM_ZOOM, 1, 15, 2.5],
        },
      },
    ]),
    {
      // Over the state, which goes on below: flakes, and a broken edge.
      id: "land-frozen",
      type: "fill",
      source: LAND_SOURCE,
      "source-layer": "parcels",
      filter: ["==", ["get", "is_frozen"], true],
      paint: { "fill-pattern": "pattern-frozen" },
    },
    {
      id: "land-frozen-edge",
      type: "line",
      source: LAND_SOURCE,
      "source-layer": "parcels",
      filter: ["==", ["get", "is_frozen"], true],
      paint: { "line-color": FROZEN_COLOR, "line-width": 4, "line-dasharray": [1.5, 1.2] },
    },
    {
      id: "land-names",
      type: "symbol",
      source: LAND_SOURCE,
      "source-layer": "parcels",
      minzoom: 14,
      filter: ["has", "name"],
      layout: {
        "text-field": ["get", "name"],
        "text-font": ["Noto Sans Variable"],
        "text-size": 12,
        "text-max-width": 7,
      },
      paint: {
        "text-color": "#16222a",
        "text-halo-color": "rgb(255 255 255 / 0.85)",
        "text-halo-width": 1.4,
      },
    },
    ...crowds,
  ];
}

/** What there is a pattern of. */
export const PATTERNS = [...SHOWN_STATES, "frozen"] as const;
export type Pattern = (typeof PATTERNS)[number];

const PATTERN_PX = 16;

/** A pattern as an image: dots, bars, a lattice, strokes, a flake. It repeats without a seam. */
export function patternImage(pattern: Pattern): { width: number; height: number; data: Uint8Array } {
  const color = Number.parseInt((pattern === "frozen" ? FROZEN_COLOR : STATE_COLORS[pattern]).slice(1), 16);
  const data = new Uint8Array(PATTERN_PX * PATTERN_PX * 4);
  for (let y = 0; y < PATTERN_PX; y += 1) {
    for (let x = 0; x < PATTERN_PX; x += 1) {
      const alpha = isInked(pattern, x, y) ? 0.8 : pattern === "frozen" ? 0 : 0.16;
      // Colours of images are multiplied by their cover.
      const channel = (shift: number) => Math.round(((color >> shift) & 255) * alpha);
      data.set([channel(16), channel(8), channel(0), Math.round(255 * alpha)], (y * PATTERN_PX + x) * 4);
    }
  }
  return { width: PATTERN_PX, height: PATTERN_PX, data };
}

function isInked(pattern: Pattern, x: number, y: number): boolean {
  const rising = (x + y) % 8;
  const falling = (x - y + PATTERN_PX) % 8;
  switch (pattern) {
    case "frozen": {
      // One flake: a star of six rays.
      const [away, up] = [Math.abs(x - 7.5), Math.abs(y - 7.5)];
      if (Math.hypot(away, up) > 6.2) return false;
      return away < 1 || Math.abs(up - away * 0.577) < 0.75;
    }
    case "mine":
      return Math.hypot((x % 8) - 3.5, (y % 8) - 3.5) < 2.2;
    case "sale":
      return y % 8 === 3 || y % 8 === 4;
    case "auction":
      return rising === 0 || falling === 0;
    case "taken":
      return rising < 2;
  }
}
