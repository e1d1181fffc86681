/** A scale bar for a planet that is not Earth, whose size MapLibre's own takes for granted. */
import type { IControl, Map as MapLibre } from "maplibre-gl";
import { formatDistance } from "../net/domain.ts";
import { preferences, type Units } from "../net/preferences.ts";

const FOOT_M = 0.3048;
const MILE_M = 1609.344;
const WIDTH_MAX_PX = 110;
/** MapLibre's world is this wide at zoom 0. */
const WORLD_PX = 512;

/** The longest of 1, 2, 5, 10, 20, 50, … that is not above this. */
export function roundLength(metres: number): number {
  const power = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((digit) => digit * power).find((length) => length <= metres) ?? power;
}

/** The longest length that is round in these units and not above this. */
export function roundLengthM(metres: number, units: Units): number {
  if (units === "metric") return roundLength(metres);
  // As `formatDistance` changes from feet to miles.
  const unitM = metres < MILE_M / 10 ? FOOT_M : MILE_M;
  return roundLength(metres / unitM) * unitM;
}

/** Metres that a pixel covers on a planet of this radius. */
export function metresPerPixel(radiusM: number, zoom: number, latitudeDeg: number): number {
  return (2 * Math.PI * radiusM * Math.cos((latitudeDeg * Math.PI) / 180)) / (WORLD_PX * 2 ** zoom);
}

export class ScaleBar implements IControl {
  readonly #bar = document.createElement("div");
  #map: MapLibre | undefined;

  constructor(private readonly radiusM: number) {
    this.#bar.className = "maplibregl-ctrl scale-bar";
  }

  onAdd(map: MapLibre): HTMLElement {
    this.#map = map;
    map.on("move", this.#update);
    this.#update();
    return this.#bar;
  }

  onRemove(): void {
    this.#map?.off("move", this.#update);
    this.#bar.remove();
  }

  readonly #update = () => {
    if (!this.#map) return;
    const pixelM = metresPerPixel(this.radiusM, this.#map.getZoom(), this.#map.getCenter().lat);
    const lengthM = roundLengthM(WIDTH_MAX_PX * pixelM, preferences().units);
    this.#bar.style.width = `${lengthM / pixelM}px`;
    this.#bar.textContent = formatDistance(lengthM);
  };
}
