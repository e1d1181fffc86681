import { add, cross, normalize, scale, tangent, type Vec3 } from "../geo/vec3.ts";

/** High enough to warm the ground, low enough to show its shape. */
const HEIGHT_RAD = (40 * Math.PI) / 180;

/**
 * The direction of the sun for someone at `position`: always 40° over the east. Everybody at a place sees the same
 * light; at the poles, where there is no east, it comes from some fixed side.
 */
export function localSun(position: Vec3): Vec3 {
  const up = normalize(position);
  const east = tangent(cross([0, 0, 1], up), up);
  return add(scale(up, Math.sin(HEIGHT_RAD)), scale(east, Math.cos(HEIGHT_RAD)));
}
