/** Where one last stood, kept in this browser for the pages beside the world. */
import type { LatLng } from "../geo/lat_lng.ts";

const STORAGE_KEY = "terrane.place/1";

export function keepPlace({ latitude_deg, longitude_deg }: LatLng): void {
  try {
    localStorage.setItem(STORAGE_KEY, `${latitude_deg.toFixed(5)},${longitude_deg.toFixed(5)}`);
  } catch {
    // A private window keeps nothing.
  }
}

export function lastPlace(): LatLng | undefined {
  try {
    const [latitude_deg, longitude_deg] = (localStorage.getItem(STORAGE_KEY) ?? "").split(",").map(Number);
    if (latitude_deg === undefined || longitude_deg === undefined) return undefined;
    const isPlace = Math.abs(latitude_deg) <= 90 && Math.abs(longitude_deg) <= 180;
    return isPlace ? { latitude_deg, longitude_deg } : undefined;
  } catch {
    return undefined;
  }
}

export function forgetPlace(): void {
  try {
    localStorage.removeItem(STORAGE_KEY);
  } catch {
    // Nothing was kept.
  }
}
