// Holds the budgets of what a page loads, in KiB after gzip, by the manifest of the last build.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const dist = join(dirname(fileURLToPath(import.meta.url)), "..", "dist");
const manifestPath = join(dist, ".vite", "manifest.json");
if (!existsSync(manifestPath)) {
  console.error("There is no build to measure: run npm run build first.");
  process.exit(1);
}
const manifest = JSON.parse(readFileSync(manifestPath, "utf8"));

/** The files of a chunk, of what it imports at once, and their styles. */
function filesOf(key, files = new Set()) {
  const chunk = manifest[key];
  if (!chunk) throw new Error(`the manifest has no ${key}`);
  if (files.has(chunk.file)) return files;
  files.add(chunk.file);
  for (const style of chunk.css ?? []) files.add(style);
  for (const other of chunk.imports ?? []) filesOf(other, files);
  return files;
}

const entry = filesOf("index.html");
const game = filesOf("src/game/open_game.ts");
const world = filesOf("src/world/world.ts");
const mapPage = filesOf("map.html");
const map = filesOf("src/map/planet_map.ts");
const market = filesOf("market.html");
const account = filesOf("account.html");
const staff = filesOf("console.html");
const only = (files, ...others) => [...files].filter((file) => !others.some((other) => other.has(file)));

const budgets = [
  ["entry: the page, its panels and styles", [...entry], 58],
  // 1 KiB more than before the crowd (adaptive delays, quick resume, weather), of the 3 that the entry gave.
  ["game: session, codecs, prediction", only(game, entry), 41],
  ["world: the renderer", only(world, entry, game), 200],
  ["map: its page, panels and styles", [...mapPage], 60],
  ["market: its page, panels and styles", [...market], 100],
  ["account: its page, panels and styles", [...account], 80],
  ["console: its page, panels and styles", [...staff], 90],
  ["map: MapLibre without its worker", only(map, mapPage), 320],
  // The local stage with SIMD, unpacking and verifying of tiles, movement, the stream and its range coder, the weather.
  ["planet code (WebAssembly)", [manifest["src/core/terrane.wasm"].file], 190],
];
let isOver = false;
for (const [name, files, budgetKib] of budgets) {
  const bytes = files.reduce(
    (sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length,
    0,
  );
  const kib = bytes / 1024;
  isOver ||= kib > budgetKib;
  console.log(
    `${kib > budgetKib ? "OVER" : "  ok"} ${kib.toFixed(1).padStart(6)} of ${budgetKib} KiB  ${name}`,
  );
}
process.exit(isOver ? 1 : 0);
