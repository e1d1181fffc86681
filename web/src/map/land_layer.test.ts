import { expect, test } from "vitest";
import { LAND_FILLS, landLayers, PATTERNS, patternImage } from "./land_layer.ts";

test("every state has a pattern of its own that repeats without a seam", () => {
  const patterns = PATTERNS.map((pattern) => patternImage(pattern));
  const inked = patterns.map(({ data, width, height }) =>
    Array.from({ length: width * height }, (_, index) => ((data[index * 4 + 3] ?? 0) > 128 ? "#" : ".")).join(
      "",
    ),
  );
  expect(new Set(inked).size).toBe(PATTERNS.length);
  for (const pattern of inked) {
    const share = [...pattern].filter((letter) => letter === "#").length / pattern.length;
    expect(share).toBeGreaterThan(0.1);
    expect(share).toBeLessThan(0.5);
  }
});

test("land of one's own is told apart by its owner", () => {
  const layers = landLayers(["ann", "guild"]);
  const filterOf = (id: string) => JSON.stringify(layers.find((layer) => layer.id === id));
  expect(filterOf("land-mine")).toContain('["ann","guild"]');
  expect(filterOf("land-taken")).toContain('["!",');
  expect(LAND_FILLS.every((id) => layers.some((layer) => layer.id === id))).toBe(true);
});

test("frozen land is marked over its state, whoever owns it", () => {
  const layers = landLayers(["ann"]);
  const place = (id: string) => layers.findIndex((layer) => layer.id === id);
  for (const id of ["land-frozen", "land-frozen-edge"]) {
    expect(JSON.stringify(layers[place(id)])).toContain('["==",["get","is_frozen"],true]');
    for (const fill of LAND_FILLS) expect(place(id)).toBeGreaterThan(place(fill));
    expect(place(id)).toBeLessThan(place("land-names"));
  }
});
