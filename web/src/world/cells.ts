/**
 * S2 cells by their place on a cube face: the addresses of terrain tiles, plant patches and lots.
 *
 * `crates/cell` is the authority; what is here is the part of it that the renderer needs many times a frame.
 */
import { normalize, type Vec3 } from "../geo/vec3.ts";

/** A cell in the plain order of its level: `i` and `j` run from 0 to 2^level - 1 along the face's axes. */
export interface CellAddress {
  readonly face: number;
  readonly level: number;
  readonly i: number;
  readonly j: number;
}

/** S2's quadratic projection (s2geometry, s2coords.h): a share 0 to 1 of the face to a coordinate -1 to 1. */
export function stToUv(s: number): number {
  return s >= 0.5 ? (4 * s * s - 1) / 3 : (1 - 4 * (1 - s) * (1 - s)) / 3;
}

/** The inverse of {@link stToUv}. */
export function uvToSt(u: number): number {
  return u >= 0 ? 0.5 * Math.sqrt(1 + 3 * u) : 1 - 0.5 * Math.sqrt(1 - 3 * u);
}

/** Unit vector at the share (`s`, `t`) of a face. */
export function directionAt(face: number, s: number, t: number): Vec3 {
  const u = stToUv(s);
  const v = stToUv(t);
  switch (face) {
    case 0:
      return normalize([1, u, v]);
    case 1:
      return normalize([-u, 1, v]);
    case 2:
      return normalize([-u, -v, 1]);
    case 3:
      return normalize([-1, -v, -u]);
    case 4:
      return normalize([v, -1, -u]);
    default:
      return normalize([v, u, -1]);
  }
}

/** The face a direction points through. */
function faceOf(p: Vec3): number {
  const [x, y, z] = [Math.abs(p[0]), Math.abs(p[1]), Math.abs(p[2])];
  if (x >= y && x >= z) return p[0] > 0 ? 0 : 3;
  if (y >= z) return p[1] > 0 ? 1 : 4;
  return p[2] > 0 ? 2 : 5;
}

/**
 * Where a direction meets the plane of `face`, as shares 0 to 1 of the face; beyond it outside.
 * Undefined for directions that point away from the face.
 */
export function shareOn(face: number, p: Vec3): readonly [number, number] | undefined {
  const [x, y, z] = p;
  const depth = [x, y, z, -x, -y, -z][face] ?? 0;
  if (depth <= 0) return undefined;
  const st = (u: number, v: number) => [uvToSt(u / depth), uvToSt(v / depth)] as const;
  switch (face) {
    case 0:
      return st(y, z);
    case 1:
      return st(-x, z);
    case 2:
      return st(-x, -y);
    case 3:
      return st(-z, -y);
    case 4:
      return st(-z, x);
    default:
      return st(y, x);
  }
}

/** The cell of `level` that holds a direction. */
export function cellAt(p: Vec3, level: number): CellAddress {
  const face = faceOf(p);
  const [s, t] = shareOn(face, p) ?? [0.5, 0.5];
  const cells = 2 ** level;
  const index = (share: number) => Math.max(0, Math.min(cells - 1, Math.floor(share * cells)));
  return { face, level, i: index(s), j: index(t) };
}

/** Unit vector at (`x`, `y`) of a cell, each 0 to 1 inside it. */
export function directionIn(cell: CellAddress, x: number, y: number): Vec3 {
  const size = 2 ** -cell.level;
  return directionAt(cell.face, (cell.i + x) * size, (cell.j + y) * size);
}

/** A key that no other cell of level 0 to 22 has; below 2^53. */
export function cellKey(cell: CellAddress): number {
  return ((cell.face * 32 + cell.level) * 2 ** 22 + cell.i) * 2 ** 22 + cell.j;
}

/** The inverse of {@link cellKey}. */
export function cellOf(key: number): CellAddress {
  const span = 2 ** 22;
  const head = Math.floor(key / span / span);
  return { face: head >> 5, level: head & 31, i: Math.floor(key / span) % span, j: key % span };
}

// Hilbert order of the four children, and how each turns its own children (s2geometry, s2cell_id.cc).
const SWAP = 1;
const INVERT = 2;
const POSITION_TO_IJ = [
  [0, 1, 3, 2],
  [0, 2, 3, 1],
  [3, 2, 0, 1],
  [3, 1, 0, 2],
] as const;
const POSITION_TO_TURN = [SWAP, 0, 0, INVERT | SWAP] as const;
const LEVEL_MAX = 30;

/** The token of a cell: its id in hexadecimal without trailing zeros. */
export function tokenOf(cell: CellAddress): string {
  let turn = cell.face & SWAP;
  let id = BigInt(cell.face);
  for (let level = cell.level - 1; level >= 0; level -= 1) {
    const ij = (Math.floor(cell.i / 2 ** level) % 2) * 2 + (Math.floor(cell.j / 2 ** level) % 2);
    const position = (POSITION_TO_IJ[turn as 0 | 1 | 2 | 3] as readonly number[]).indexOf(ij);
    id = (id << 2n) | BigInt(position);
    turn ^= POSITION_TO_TURN[position as 0 | 1 | 2 | 3];
  }
  id = ((id << 1n) | 1n) << BigInt(2 * (LEVEL_MAX - cell.level));
  return id.toString(16).padStart(16, "0").replace(/0+$/, "");
}

/** The cell that a token names; undefined if it names none. */
export function parseToken(token: string): CellAddress | undefined {
  if (!/^[0-9a-f]{1,16}$/.test(token)) return undefined;
  const id = BigInt(`0x${token.padEnd(16, "0")}`);
  const face = Number(id >> 61n);
  let endBit = 0;
  while (endBit <= 60 && ((id >> BigInt(endBit)) & 1n) === 0n) endBit += 1;
  if (face > 5 || endBit > 60 || endBit % 2 !== 0) return undefined;
  const level = LEVEL_MAX - endBit / 2;
  let turn = face & SWAP;
  let i = 0;
  let j = 0;
  for (let depth = 1; depth <= level; depth += 1) {
    const position = Number((id >> BigInt(61 - 2 * depth)) & 3n);
    const ij = POSITION_TO_IJ[turn as 0 | 1 | 2 | 3][position as 0 | 1 | 2 | 3];
    i = i * 2 + (ij >> 1);
    j = j * 2 + (ij & 1);
    turn ^= POSITION_TO_TURN[position as 0 | 1 | 2 | 3];
  }
  return { face, level, i, j };
}
