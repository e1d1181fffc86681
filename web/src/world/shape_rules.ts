/** Which lots touch: the same rule as the server's, so that nobody is offered what it refuses. */
import { type CellAddress, cellAt, directionIn, parseToken, tokenOf } from "./cells.ts";

/** How far beyond a side one looks for the neighbour, as a share of the lot. */
const BEYOND = 0.01;

/** The tokens of the four lots at the sides of one, also over the seam between two cube faces. */
export function sidesOf(token: string): readonly string[] {
  const cell = parseToken(token);
  if (!cell) return [];
  return (
    [
      [0.5, -BEYOND],
      [0.5, 1 + BEYOND],
      [-BEYOND, 0.5],
      [1 + BEYOND, 0.5],
    ] as const
  ).map(([x, y]) => tokenOf(beside(cell, x, y)));
}

function beside(cell: CellAddress, x: number, y: number): CellAddress {
  return cellAt(directionIn(cell, x, y), cell.level);
}

/** Whether two pieces of land share a side. */
export function areNeighbours(a: readonly string[], b: readonly string[]): boolean {
  const other = new Set(b);
  return a.some((token) => sidesOf(token).some((side) => other.has(side)));
}

/** Whether one can walk over all lots without leaving them or crossing a corner. */
export function isConnected(tokens: readonly string[]): boolean {
  const unseen = new Set(tokens);
  const [first] = unseen;
  if (first === undefined) return false;
  const waiting = [first];
  unseen.delete(first);
  for (let token = waiting.pop(); token !== undefined; token = waiting.pop()) {
    for (const side of sidesOf(token)) if (unseen.delete(side)) waiting.push(side);
  }
  return unseen.size === 0;
}
