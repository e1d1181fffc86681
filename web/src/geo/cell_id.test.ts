import { expect, test } from "vitest";
import { cellLevel, cellParent, cellToken, parseCellToken, tryCellId } from "./cell_id.ts";

test("published ids and tokens correspond", () => {
  // From the S2 documentation and test-suites: a leaf, an ancestor, and the six faces.
  for (const [token, raw, level] of [
    ["1", 0x1000000000000000n, 0],
    ["3", 0x3000000000000000n, 0],
    ["b", 0xb000000000000000n, 0],
    ["89c25a31", 0x89c25a3100000000n, 14],
    ["89c25a3104eccb07", 0x89c25a3104eccb07n, 30],
    ["0000000000000001", 1n, 30],
  ] as const) {
    const id = parseCellToken(token);
    expect(id, token).toBe(raw);
    if (id === undefined) continue;
    expect(cellToken(id)).toBe(token);
    expect(cellLevel(id)).toBe(level);
    expect(cellParent(id, level)).toBe(id);
  }
});

test("a token that is no cell is refused", () => {
  for (const token of [
    "",
    "0",
    "x",
    "d",
    "f000",
    "2",
    "89c25a312",
    "11111111111111111",
    "-1",
    "0x10",
    "1 ",
  ]) {
    expect(parseCellToken(token), token).toBeUndefined();
  }
});

test("the signed form that WebAssembly returns is the same cell", () => {
  expect(tryCellId(BigInt.asIntN(64, 0x89c25a3100000000n))).toBe(0x89c25a3100000000n);
  expect(tryCellId(0n)).toBeUndefined();
});

test("a parent holds its child's range", () => {
  const leaf = parseCellToken("89c25a3104eccb07");
  if (leaf === undefined) throw new Error("a published token parses");
  expect(cellToken(cellParent(leaf, 14))).toBe("89c25a31");
  expect(cellToken(cellParent(leaf, 0))).toBe("9");
});
