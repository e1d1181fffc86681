/**
 * Sun and moon where they do not follow the planet's clock: an everlasting morning, and a fixed time for pictures. Where
 * they really stand the planet's own code says (`core/sky.ts`).
 */
import type { Heaven } from "../core/sky.ts";
import { add, cross, normalize, scale, tangent, type Vec3 } from "../geo/vec3.ts";

export type { Heaven } from "../core/sky.ts";

const TURN_RAD = 2 * Math.PI;

/**
 * Sun and moon for someone at `position` whose clock shows a share of the day: 0 midnight, 0.25 sunrise, 0.5 noon. The
 * sun crosses the sky east to west, 60° high at noon wherever one is, the poles too; the moon is full.
 */
export function heavenAtLocalTime(position: Vec3, dayShare: number): Heaven {
  const up = normalize(position);
  const east = tangent(cross([0, 0, 1], up), up);
  const south = cross(east, up);
  const noon = add(scale(up, Math.cos(NOON_RAD)), scale(south, Math.sin(NOON_RAD)));
  const angle = (dayShare - 0.5) * TURN_RAD;
  const sun = add(scale(noon, Math.cos(angle)), scale(east, -Math.sin(angle)));
  const moon = normalize(add(scale(noon, -Math.cos(angle)), scale(east, 0.35 + Math.sin(angle))));
  return { sun, moon };
}

/** Between the sun at noon and straight up. */
const NOON_RAD = Math.PI / 6;

/** How much of the moon is lit as seen from the planet, 0 (new) to 1 (full). */
export function moonPhase({ sun, moon }: Heaven): number {
  return (1 - (sun[0] * moon[0] + sun[1] * moon[1] + sun[2] * moon[2])) / 2;
}

/** In the setting "always day": 40° over the east, high enough to warm the ground, low enough to show its shape. */
export function eternalMorning(position: Vec3): Heaven {
  const up = normalize(position);
  const east = tangent(cross([0, 0, 1], up), up);
  const height = (40 * Math.PI) / 180;
  const sun = add(scale(up, Math.sin(height)), scale(east, Math.cos(height)));
  return { sun, moon: scale(sun, -1) };
}
