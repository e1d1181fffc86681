/**
 * Where sun and moon stand at a time of the planet: pure functions, the same for everybody who looks.
 *
 * A day lasts `dayLengthS` seconds of server time. At Unix time 0 the sun stands over longitude 0, and it goes
 * westwards. A year has {@link YEAR_DAYS} days, a month {@link MONTH_DAYS}.
 */
import { add, cross, normalize, scale, tangent, type Vec3 } from "../geo/vec3.ts";

/** The two lights of the sky: unit vectors from the planet's centre. */
export interface Heaven {
  readonly sun: Vec3;
  readonly moon: Vec3;
}

const YEAR_DAYS = 60;
const MONTH_DAYS = 8;
/** How far the sun wanders north and south: seasons one notices, but no month of darkness. */
const TILT_RAD = (18 * Math.PI) / 180;
const TURN_RAD = 2 * Math.PI;

/** A light over a latitude and a longitude, both in radians. */
function over(latitudeRad: number, longitudeRad: number): Vec3 {
  const ring = Math.cos(latitudeRad);
  return [ring * Math.cos(longitudeRad), ring * Math.sin(longitudeRad), Math.sin(latitudeRad)];
}

/** Sun and moon at a Unix time in seconds. */
export function heavenAt(unixS: number, dayLengthS: number): Heaven {
  const day = unixS / dayLengthS;
  const sunLongitude = -TURN_RAD * (day % 1);
  const declination = TILT_RAD * Math.sin((TURN_RAD * (day % YEAR_DAYS)) / YEAR_DAYS);
  // Half a turn ahead at the start, so that the first moon is full; it falls back one turn in a month.
  const lag = TURN_RAD * ((day % MONTH_DAYS) / MONTH_DAYS) + Math.PI;
  return { sun: over(declination, sunLongitude), moon: over(-declination * 0.7, sunLongitude + lag) };
}

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
