/** A camera without a body: for pictures and tests, which want the same view every time. */
import { type LatLng, latLngToUnit } from "../geo/lat_lng.ts";
import { add, cross, normalize, scale, tangent, type Vec3 } from "../geo/vec3.ts";
import type { GroundM, Pose } from "./rig.ts";

export interface CameraPlace {
  readonly at: LatLng;
  /** Over ground or water. */
  readonly heightM: number;
  /** Clockwise from north; at a pole, from the meridian of 0°. */
  readonly headingDeg: number;
  /** -90 straight down, 0 to the horizon. */
  readonly pitchDeg: number;
}

/** What is seen from a place. */
export function poseAt(place: CameraPlace, ground: GroundM, radiusM: number): Pose {
  const up = latLngToUnit(place.at);
  const north = tangent([0, 0, 1], up);
  const heading = (place.headingDeg * Math.PI) / 180;
  const pitch = (place.pitchDeg * Math.PI) / 180;
  const ahead = add(scale(north, Math.cos(heading)), scale(cross(north, up), Math.sin(heading)));
  const forward = normalize(add(scale(ahead, Math.cos(pitch)), scale(up, Math.sin(pitch))));
  const screenUp: Vec3 = add(scale(ahead, -Math.sin(pitch)), scale(up, Math.cos(pitch)));
  const eye = scale(up, radiusM + Math.max(0, ground(up)) + place.heightM);
  return { eye, forward, up: normalize(screenUp) };
}
