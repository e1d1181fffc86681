// Walks over the ground in WebAssembly and prints nanoseconds a step and a sum of heights; see src/walk.rs.
//
//   node bench/planet/walk.mjs MODULE.wasm SEED SHIFT STEPS STEP

import { readFileSync } from "node:fs";

const [modulePath, seed, shift, steps, step] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(modulePath));
const imports = WebAssembly.Module.imports(module);
const wasi = Object.fromEntries(imports.map(({ name }) => [name, () => 0]));
const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: wasi });
exports._initialize?.();

const planet = exports.planet_generate(BigInt(seed), Number(shift));
const out = exports.alloc(16);
const walk = (from) => {
  let sum = 0;
  const before = process.cpuUsage();
  for (let index = 0; index < Number(steps); index += 1) {
    exports.planet_ground(planet, from + index * Number(step), -0.8, 0.5, out);
    sum += new Float64Array(exports.memory.buffer, out, 1)[0];
  }
  const { user, system } = process.cpuUsage(before);
  return { ns: ((user + system) * 1e3) / Number(steps), sum };
};
walk(0.1); // The compiler takes its time at the first steps.
const { ns, sum } = walk(0.3);
console.log(`${ns} ${sum}`);
