/** The edge of a piece of land: the sides of its cells that no other of its cells shares. */
import type { Vec3 } from "../geo/vec3.ts";
import { type CellAddress, directionAt } from "./cells.ts";

/** One side of a cell, from one corner of the grid to the next. */
export interface Side {
  readonly face: number;
  readonly level: number;
  readonly from: readonly [i: number, j: number];
  readonly to: readonly [i: number, j: number];
}

/** The sides round a set of cells of one level, each once, in no order. A seam between cube faces counts as edge. */
export function outlineOf(cells: readonly CellAddress[]): readonly Side[] {
  const sides = new Map<string, Side | undefined>();
  for (const { face, level, i, j } of cells) {
    for (const [di, dj, ei, ej] of [
      [0, 0, 1, 0],
      [1, 0, 1, 1],
      [0, 1, 1, 1],
      [0, 0, 0, 1],
    ] as const) {
      const key = `${face}.${i + di}.${j + dj}.${i + ei}.${j + ej}`;
      const isShared = sides.has(key);
      sides.set(key, isShared ? undefined : { face, level, from: [i + di, j + dj], to: [i + ei, j + ej] });
    }
  }
  return [...sides.values()].filter((side) => side !== undefined);
}

/** The sides joined into rings of grid corners, each going round once; for drawing paths. */
export function ringsOf(sides: readonly Side[]): readonly (readonly (readonly [number, number])[])[] {
  const key = ([i, j]: readonly [number, number]) => `${i}.${j}`;
  const at = new Map<string, Side[]>();
  for (const side of sides) {
    for (const corner of [side.from, side.to]) {
      const meeting = at.get(key(corner));
      if (meeting) meeting.push(side);
      else at.set(key(corner), [side]);
    }
  }
  const unused = new Set(sides);
  const rings: (readonly [number, number])[][] = [];
  for (const first of sides) {
    if (!unused.delete(first)) continue;
    const ring = [first.from];
    let corner = first.to;
    for (;;) {
      ring.push(corner);
      const next = at.get(key(corner))?.find((side) => unused.has(side));
      if (!next) break;
      unused.delete(next);
      corner = key(next.from) === key(corner) ? next.to : next.from;
    }
    rings.push(ring);
  }
  return rings;
}

/** The unit vector of a corner of the grid. */
export function cornerDirection(face: number, level: number, [i, j]: readonly [number, number]): Vec3 {
  return directionAt(face, i / 2 ** level, j / 2 ** level);
}
