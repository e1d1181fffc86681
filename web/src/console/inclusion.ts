/**
 * Whether an entry stands in the audit log, checked here and not believed: an inclusion proof of RFC 9162 (2.1.3.2).
 *
 * A leaf is SHA-256 over a zero byte and the entry's bytes, a node SHA-256 over a one and its two children.
 */
export interface Inclusion {
  /** From 1. */
  readonly sequence: number;
  /** Hexadecimal, as all below. */
  readonly leaf_data: string;
  readonly tree_size: number;
  readonly root: string;
  readonly path: readonly string[];
}

export async function isIncluded({
  sequence,
  leaf_data,
  tree_size,
  root,
  path,
}: Inclusion): Promise<boolean> {
  let index = sequence - 1;
  let last = tree_size - 1;
  if (index < 0 || index > last) return false;
  let hash = await sha256([0], bytesOf(leaf_data));
  for (const step of path) {
    if (last === 0) return false;
    const sibling = bytesOf(step);
    if (index % 2 === 1 || index === last) {
      hash = await sha256([1], sibling, hash);
      // A node without a right neighbour stands for itself, as far up as that goes.
      while (index % 2 === 0 && index !== 0) {
        index = Math.floor(index / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = await sha256([1], hash, sibling);
    }
    index = Math.floor(index / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && hexOf(hash) === root.toLowerCase();
}

async function sha256(...parts: readonly ArrayLike<number>[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

const hexOf = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
