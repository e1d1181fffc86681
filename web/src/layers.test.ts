import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** From the ground up: a folder imports from itself and from those before it. */
const LAYERS = [
  "gen",
  "geo",
  "wire",
  "net",
  "core",
  "world",
  "input",
  "game",
  "map",
  "page",
  "market",
  "account",
  "console",
  "ui",
];
const root = dirname(fileURLToPath(import.meta.url));
const layerOf = (path: string) => LAYERS.indexOf(relative(root, path).split("/")[0] ?? "");

test("imports go down only", () => {
  const upward: string[] = [];
  for (const entry of readdirSync(root, { recursive: true, encoding: "utf8" })) {
    // Tests look at a layer from above, and the pages start the top one.
    if (!/\.(ts|svelte)$/.test(entry) || /(\.test|_test_support)\.ts$/.test(entry) || !entry.includes("/"))
      continue;
    const file = join(root, entry);
    for (const [, path] of readFileSync(file, "utf8").matchAll(/(?:from|import\()\s*"(\.[^"?]+)/g)) {
      if (path && layerOf(join(dirname(file), path)) > layerOf(file)) upward.push(`${entry} → ${path}`);
    }
  }
  expect(upward).toEqual([]);
});
