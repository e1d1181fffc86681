/** Double-precision vectors as plain tuples: positions on the planet do not fit the 32-bit floats of a GPU. */
export type Vec3 = readonly [number, number, number];

export const add = (a: Vec3, b: Vec3): Vec3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
export const subtract = (a: Vec3, b: Vec3): Vec3 => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const scale = (a: Vec3, s: number): Vec3 => [a[0] * s, a[1] * s, a[2] * s];
/** `a + b * s` */
export const addScaled = (a: Vec3, b: Vec3, s: number): Vec3 => [
  a[0] + b[0] * s,
  a[1] + b[1] * s,
  a[2] + b[2] * s,
];
export const dot = (a: Vec3, b: Vec3): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
export const cross = (a: Vec3, b: Vec3): Vec3 => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
// Not Math.hypot, which guards against overflow at ten times the cost.
export const length = (a: Vec3): number => Math.sqrt(dot(a, a));
export const distance = (a: Vec3, b: Vec3): number => length(subtract(a, b));

/** Unit vector along `a`; the zero vector, which has no direction, gives the x axis. */
export function normalize(a: Vec3): Vec3 {
  const size = length(a);
  return size > 0 ? scale(a, 1 / size) : [1, 0, 0];
}

/** A unit vector at right angles to `up`, the same one for the same `up`. */
export function anyTangent(up: Vec3): Vec3 {
  const axis: Vec3 = Math.abs(up[2]) < 0.9 ? [0, 0, 1] : [1, 0, 0];
  return normalize(cross(axis, up));
}

/** The part of `a` along the ground where `up` is up, as a unit vector; any tangent if `a` is vertical. */
export function tangent(a: Vec3, up: Vec3): Vec3 {
  const flat = addScaled(a, up, -dot(a, up));
  return length(flat) > 1e-9 ? normalize(flat) : anyTangent(up);
}

/** Turns `a` by `angleRad` about the unit vector `axis`, anticlockwise seen from its tip. */
export function rotate(a: Vec3, axis: Vec3, angleRad: number): Vec3 {
  const c = Math.cos(angleRad);
  const s = Math.sin(angleRad);
  const along = dot(a, axis) * (1 - c);
  const side = cross(axis, a);
  return [
    a[0] * c + side[0] * s + axis[0] * along,
    a[1] * c + side[1] * s + axis[1] * along,
    a[2] * c + side[2] * s + axis[2] * along,
  ];
}

/**
 * Carries the tangent vector `a` from the place with up `from` to the place with up `to` by the shortest turn,
 * so that a heading stays straight while one walks, over the poles too.
 */
export function transport(a: Vec3, from: Vec3, to: Vec3): Vec3 {
  const axis = cross(from, to);
  const sine = length(axis);
  if (sine < 1e-15) return tangent(a, to);
  return tangent(rotate(a, scale(axis, 1 / sine), Math.atan2(sine, dot(from, to))), to);
}

/** Great-circle interpolation between unit vectors. */
export function slerp(a: Vec3, b: Vec3, share: number): Vec3 {
  const angle = Math.atan2(length(cross(a, b)), dot(a, b));
  if (angle < 1e-9) return normalize(add(scale(a, 1 - share), scale(b, share)));
  const axis = normalize(length(cross(a, b)) > 1e-12 ? cross(a, b) : anyTangent(a));
  return normalize(rotate(a, axis, angle * share));
}
