/** The map itself: MapLibre on our tiles. Nothing else imports MapLibre. */
import {
  type AddLayerObject,
  type GeoJSONSource,
  Map as MapLibre,
  NavigationControl,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import "./scale_bar.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { LatLng } from "../geo/lat_lng.ts";
import { type Atlas, LAYERS, type Layer, type Place } from "./atlas.ts";
import { LAND_FILLS, LAND_SOURCE, PATTERNS, patternImage } from "./land_layer.ts";
import { ScaleBar } from "./scale_bar.ts";
import { styleOf } from "./style.ts";

setWorkerUrl(workerUrl);

/** As deep as a lot fills a good part of the screen. */
const ZOOM_MAX = 17;
const FLIGHT_MS = 1_600;
/** A busy server is asked again after this. */
const RETRY_MS = 3_000;

export interface MapEvents {
  /** Somebody pointed at a place, and perhaps at owned land there. */
  readonly onPick: (place: LatLng, parcelToken: string | undefined) => void;
  /** All that is asked for has been drawn. */
  readonly onIdle: () => void;
  /** Tiles or names cannot be had. */
  readonly onTrouble: (reason: string) => void;
}

type Shapes = Extract<
  Exclude<Parameters<GeoJSONSource["setData"]>[0], string>,
  { readonly type: "FeatureCollection" }
>["features"];

export class PlanetMap {
  readonly #map: MapLibre;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    container: HTMLElement,
    atlas: Atlas,
    places: readonly Place[],
    layer: Layer,
    events: MapEvents,
    /** Whose land is that of the person who looks. */
    ownIds: readonly string[],
  ) {
    this.#map = new MapLibre({
      container,
      style: styleOf(atlas, places, layer, ownIds),
      center: [atlas.arrival.longitude_deg, atlas.arrival.latitude_deg],
      zoom: 1.6,
      maxZoom: ZOOM_MAX,
      // The address remembers where one looks, beside what else stands there.
      hash: "map",
      attributionControl: false,
      pitchWithRotate: false,
      dragRotate: false,
    });
    this.#map.touchZoomRotate.disableRotation();
    this.#map.addControl(new NavigationControl({ showCompass: false }), "bottom-right");
    this.#map.addControl(new ScaleBar(atlas.radiusM), "bottom-right");
    this.#map.on("styleimagemissing", ({ id }) => {
      const pattern = PATTERNS.find((name) => id === `pattern-${name}`);
      if (pattern && !this.#map.hasImage(id)) this.#map.addImage(id, patternImage(pattern));
    });
    this.#map.on("click", ({ point, lngLat }) => {
      const { lng, lat } = lngLat.wrap();
      const [hit] = this.#map.queryRenderedFeatures(point, { layers: LAND_FILLS });
      const token: unknown = hit?.properties["token"];
      events.onPick({ latitude_deg: lat, longitude_deg: lng }, typeof token === "string" ? token : undefined);
    });
    this.#map.on("idle", events.onIdle);
    this.#map.on("error", ({ error }) => {
      events.onTrouble(error.message);
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        for (const layer of [...LAYERS, LAND_SOURCE]) this.#map.refreshTiles(layer);
      }, RETRY_MS);
    });
  }

  /** Where the middle of the screen is. */
  get center(): LatLng {
    const { lng, lat } = this.#map.getCenter().wrap();
    return { latitude_deg: lat, longitude_deg: lng };
  }

  /** Land has changed hands: its tiles are asked for again. */
  refreshLand(): void {
    if (this.#map.getSource(LAND_SOURCE)) this.#map.refreshTiles(LAND_SOURCE);
  }

  show(layer: Layer): void {
    for (const name of LAYERS) {
      this.#map.setLayoutProperty(name, "visibility", name === layer ? "visible" : "none");
    }
  }

  flyTo(place: LatLng, zoom: number): void {
    this.#map.flyTo({
      center: [place.longitude_deg, place.latitude_deg],
      zoom: Math.max(this.#map.getZoom(), zoom),
      duration: FLIGHT_MS,
    });
  }

  /** Draws the outline of what is picked; an empty list takes it away. */
  outline(corners: readonly LatLng[]): void {
    const ring = corners.map(({ latitude_deg, longitude_deg }) => [longitude_deg, latitude_deg]);
    const [first] = ring;
    const source = this.#map.getSource<GeoJSONSource>("selected");
    source?.setData({
      type: "FeatureCollection",
      features: first
        ? [
            {
              type: "Feature",
              properties: {},
              geometry: { type: "LineString", coordinates: [...ring, first] },
            },
          ]
        : [],
    });
  }

  /** Shows where people are, for those who may see that. */
  people(people: readonly LatLng[]): void {
    const points = people.map(({ latitude_deg, longitude_deg }) => ({
      type: "Feature" as const,
      properties: {},
      geometry: { type: "Point" as const, coordinates: [longitude_deg, latitude_deg] },
    }));
    const paint = {
      "circle-radius": 6,
      "circle-color": "#f2b541",
      "circle-stroke-color": "#16222a",
      "circle-stroke-width": 2,
    };
    this.#overlay(points, { id: "people", type: "circle", source: "people", paint });
  }

  /** Shows the borders of zones: for each its lines, longitude and latitude, and how busy it is, 0 to 1. */
  zones(
    zones: readonly { readonly border: readonly (readonly number[][])[]; readonly load: number }[],
  ): void {
    const lines = zones.map(({ border, load }) => ({
      type: "Feature" as const,
      properties: { load },
      geometry: { type: "MultiLineString" as const, coordinates: border.map((line) => [...line]) },
    }));
    const paint = {
      "line-color": ["interpolate", ["linear"], ["get", "load"], 0, "#f4f7f4", 0.5, "#f2b541", 1, "#d8432f"],
      "line-width": 2.5,
      "line-opacity": 0.9,
    } as const;
    this.#overlay(lines, {
      id: "zones",
      type: "line",
      source: "zones",
      layout: { "line-cap": "round" },
      paint: { ...paint, "line-color": [...paint["line-color"]] as never },
    });
  }

  /** Puts shapes over the map in a layer of its own, once the map is there; the people stay on top. */
  #overlay(features: Shapes, layer: AddLayerObject & { readonly source: string }): void {
    const data = { type: "FeatureCollection" as const, features: [...features] };
    const show = () => {
      const source = this.#map.getSource<GeoJSONSource>(layer.source);
      if (source) {
        source.setData(data);
        return;
      }
      this.#map.addSource(layer.source, { type: "geojson", data });
      this.#map.addLayer(layer, layer.id !== "people" && this.#map.getLayer("people") ? "people" : undefined);
    };
    if (this.#map.getSource("selected")) show();
    else this.#map.once("load", show);
  }

  dispose(): void {
    clearTimeout(this.#retry);
    this.#map.remove();
  }
}
