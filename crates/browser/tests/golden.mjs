// The planets of crates/planet/tests/golden.txt, the names of golden_planets.txt (hashes over every tile that the global
// stage makes), the walks of golden_walks.txt and the weather of golden_weather.txt are the same in WebAssembly as in the
// server, whose tests read the same files. Also says which functions of the host the module wants. The module is the page's with the feature `checks`.
//
//   node crates/browser/tests/golden.mjs [MODULE.wasm]

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const fromRoot = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
const modulePath = process.argv[2] ?? fromRoot("target/wasm32-wasip1/browser/browser_checks.wasm");
const walksPath = fromRoot("crates/browser/tests/golden_walks.txt");
const goldenPath = fromRoot("crates/planet/tests/golden.txt");

const bytes = readFileSync(modulePath);
const module = new WebAssembly.Module(bytes);
const imports = WebAssembly.Module.imports(module);
const kib = (count) => `${(count / 1024).toFixed(0)} KiB`;
console.log(`${modulePath}: ${kib(bytes.length)}, ${kib(gzipSync(bytes).length)} compressed`);
console.log(`imports: ${imports.map(({ name }) => name).join(", ") || "none"}`);

// The module computes and wants nothing of the host, unless it panics: then it writes why and exits.
let memory;
const wasi = Object.fromEntries(
  imports.map(({ module: from, name }) => {
    assert.equal(from, "wasi_snapshot_preview1", `an import from ${from}`);
    return [name, () => 0];
  }),
);
wasi.fd_write = (_fd, vectors, count, written) => {
  const view = new DataView(memory.buffer);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const [at, length] = [0, 4].map((offset) => view.getUint32(vectors + 8 * index + offset, true));
    process.stderr.write(new Uint8Array(memory.buffer, at, length));
    total += length;
  }
  view.setUint32(written, total, true);
  return 0;
};
wasi.proc_exit = (code) => {
  throw new Error(`the module stopped with exit code ${code}`);
};

const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
memory = exports.memory;
exports._initialize?.();

const [version, ...planets] = readFileSync(goldenPath, "utf8")
  .trimEnd()
  .split("\n")
  .filter((line) => !line.startsWith("#"));
assert.match(version, /^generator \d+$/);
assert.ok(planets.length >= 8, "golden planets are missing");
for (const planet of planets) {
  const [seed, shift, expected] = planet.split(/\s+/);
  const started = performance.now();
  const hash = BigInt.asUintN(64, exports.planet_golden(BigInt(seed), Number(shift)));
  const actual = hash.toString(16).padStart(16, "0");
  assert.equal(actual, expected, `planet ${seed}, shift ${shift} differs from the server's`);
  console.log(`planet ${seed}, shift ${shift}: ${actual} (${(performance.now() - started).toFixed(0)} ms)`);
}
console.log(`${planets.length} planets are equal to the server's`);

const named = readFileSync(fromRoot("crates/browser/tests/golden_planets.txt"), "utf8").trimEnd().split("\n");
assert.ok(named.length >= 3, "golden names are missing");
for (const line of named) {
  const [seed, shift, level, expected] = line.split(" ");
  const at = exports.alloc(32);
  assert.equal(exports.planet_golden_name(BigInt(seed), Number(shift), Number(level), at), 1);
  const actual = Buffer.from(memory.buffer, at, 32).toString("hex");
  assert.equal(actual, expected, `the planet of seed ${seed}, raster level ${level}, has another name`);
}
console.log(`${named.length} planets have the server's names`);

const walks = readFileSync(walksPath, "utf8")
  .trimEnd()
  .split("\n")
  .filter((line) => !line.startsWith("#"));
assert.ok(walks.length >= 3, "golden walks are missing");
for (const walk of walks) {
  const [seed, shift, expected] = walk.split(" ");
  const hash = BigInt.asUintN(64, exports.body_golden(exports.planet_generate(BigInt(seed), Number(shift))));
  assert.equal(hash.toString(16).padStart(16, "0"), expected, `the walk on planet ${seed}, shift ${shift} differs`);
}
console.log(`${walks.length} walks end where the server's do`);

const skies = readFileSync(fromRoot("crates/browser/tests/golden_weather.txt"), "utf8")
  .trimEnd()
  .split("\n")
  .filter((line) => !line.startsWith("#"));
assert.ok(skies.length >= 3, "golden weather is missing");
for (const sky of skies) {
  const [seed, shift, expected] = sky.split(" ");
  const hash = BigInt.asUintN(64, exports.weather_golden(exports.planet_generate(BigInt(seed), Number(shift))));
  assert.equal(hash.toString(16).padStart(16, "0"), expected, `the weather of planet ${seed}, shift ${shift} differs`);
}
console.log(`${skies.length} planets have the server's weather`);
