/**
 * S2 cell ids as unsigned 64-bit bigints and their hexadecimal tokens.
 * Geometry of cells is asked of the planet code (`core/planet.ts`); here are only the bits.
 *
 * ```text
 * 63 61 60                                  0
 * ├face┼─ 2 bits a level, 30 levels ─┼1┼0…0─┤   the lowest set bit marks the level
 * ```
 */
declare const brand: unique symbol;
export type CellId = bigint & { readonly [brand]: "CellId" };

const FACE_COUNT = 6n;
const LEVEL_MAX = 30;
/** The positions that the lowest set bit of a valid id can have: even ones, up to 60. */
const LEVEL_BITS = 0x1555_5555_5555_5555n;

/** Takes raw bits as they come from WebAssembly (signed or not); `undefined` when they are no cell. */
export function tryCellId(raw: bigint): CellId | undefined {
  const id = BigInt.asUintN(64, raw);
  const lowest = id & -id;
  return id >> 61n < FACE_COUNT && (lowest & LEVEL_BITS) !== 0n ? (id as CellId) : undefined;
}

/** The published token: sixteen hexadecimal digits without trailing zeros. */
export function cellToken(id: CellId): string {
  return id.toString(16).padStart(16, "0").replace(/0+$/, "");
}

/** Reads a token; `undefined` when it names no cell. */
export function parseCellToken(token: string): CellId | undefined {
  if (!/^[0-9a-f]{1,16}$/i.test(token)) return undefined;
  return tryCellId(BigInt(`0x${token.padEnd(16, "0")}`));
}

/** 0 for a cube face to 30 for a leaf. */
export function cellLevel(id: CellId): number {
  const lowest = id & -id;
  return LEVEL_MAX - (lowest.toString(2).length - 1) / 2;
}

/** The ancestor at `level`, which must not be finer than the cell itself. */
export function cellParent(id: CellId, level: number): CellId {
  const lowest = 1n << BigInt(2 * (LEVEL_MAX - level));
  return ((id & -lowest) | lowest) as CellId;
}
