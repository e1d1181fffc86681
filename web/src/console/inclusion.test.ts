import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { isIncluded } from "./inclusion.ts";

/** The leaves and the root of eight that RFC 6962's own tests use. */
const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
];
const ROOT_OF_8 = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328";

const sha = (...parts: readonly Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leaf = (hex: string) => sha(Buffer.from([0]), Buffer.from(hex, "hex"));
const splitOf = (count: number) => 2 ** Math.ceil(Math.log2(count) - 1);

/** The obvious way, by the definition. */
function rootOf(leaves: readonly string[]): Buffer {
  if (leaves.length === 1) return leaf(leaves[0] ?? "");
  const split = splitOf(leaves.length);
  return sha(Buffer.from([1]), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}
function pathOf(index: number, leaves: readonly string[]): readonly string[] {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...pathOf(index, left), rootOf(right).toString("hex")]
    : [...pathOf(index - split, right), rootOf(left).toString("hex")];
}

test("each entry of each tree is shown to be in it, and in no other", async () => {
  expect(rootOf(LEAVES).toString("hex")).toBe(ROOT_OF_8);
  for (let size = 1; size <= LEAVES.length; size += 1) {
    const leaves = LEAVES.slice(0, size);
    const root = rootOf(leaves).toString("hex");
    for (const [index, leaf_data] of leaves.entries()) {
      const proof = { sequence: index + 1, leaf_data, tree_size: size, root, path: pathOf(index, leaves) };
      expect(await isIncluded(proof), `${index} of ${size}`).toBe(true);
      expect(await isIncluded({ ...proof, leaf_data: `${leaf_data}ff` })).toBe(false);
      expect(await isIncluded({ ...proof, root: "00".repeat(32) })).toBe(false);
      expect(await isIncluded({ ...proof, path: [...proof.path, root] })).toBe(false);
      expect(await isIncluded({ ...proof, sequence: size + 1 })).toBe(false);
      if (size > 1) expect(await isIncluded({ ...proof, path: proof.path.slice(1) })).toBe(false);
    }
  }
});
