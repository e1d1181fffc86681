// How long until a planet answers: in an empty folder, and in one that it made before.
import { costOf, median, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const ROUNDS = 5;
const binary = process.argv[2];
const first_ms = [];
const later_ms = [];
let idle_mib = 0;
for (let round = 0; round < ROUNDS; round++) {
  const folder = newFolder();
  for (const times of [first_ms, later_ms]) {
    const server = await startServer(binary, folder);
    const health = await fetch(`${server.url}/health/ready`);
    if (!health.ok) throw new Error(`not ready: ${health.status}`);
    times.push(server.ready_ms);
    idle_mib = Math.max(idle_mib, costOf(server.child.pid).peak_mib);
    await stopServer(server);
  }
  removeFolder(folder);
}
const show = (times) => `${median(times).toFixed(0)} ms (${Math.min(...times).toFixed(0)}..${Math.max(...times).toFixed(0)})`;
console.log(`first start  ${show(first_ms)}`);
console.log(`later start  ${show(later_ms)}`);
console.log(`memory of an empty planet, peak  ${idle_mib.toFixed(0)} MiB`);
