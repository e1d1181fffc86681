import { normalize, type Vec3 } from "./vec3.ts";

/** Geocentric latitude and longitude in degrees: for links and people; everything else uses vectors. */
export interface LatLng {
  readonly latitude_deg: number;
  readonly longitude_deg: number;
}

const DEGREES = 180 / Math.PI;

/** The unit vector of a place. */
export function latLngToUnit({ latitude_deg, longitude_deg }: LatLng): Vec3 {
  const latitude = latitude_deg / DEGREES;
  const longitude = longitude_deg / DEGREES;
  return [
    Math.cos(latitude) * Math.cos(longitude),
    Math.cos(latitude) * Math.sin(longitude),
    Math.sin(latitude),
  ];
}

/** The place under a point; at the poles the longitude is 0. */
export function latLngOf(point: Vec3): LatLng {
  const [x, y, z] = normalize(point);
  return {
    latitude_deg: Math.atan2(z, Math.hypot(x, y)) * DEGREES,
    longitude_deg: Math.atan2(y, x) * DEGREES,
  };
}

/** `12.3456° N, 45.6789° W`: four decimals are 1.4 m on the default planet. */
export function formatLatLng({ latitude_deg, longitude_deg }: LatLng): string {
  const half = (degrees: number, positive: string, negative: string) =>
    `${Math.abs(degrees).toFixed(4)}° ${degrees < 0 ? negative : positive}`;
  return `${half(latitude_deg, "N", "S")}, ${half(longitude_deg, "E", "W")}`;
}
