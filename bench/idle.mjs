// Many who are connected and do nothing: `node bench/idle.mjs BINARY [SOCKETS]`. What they cost in memory, and how long
// others wait for a login meanwhile.
import { spawn } from "node:child_process";
import { CROWDED, costOf, newFolder, removeFolder, runBots, startServer, stopServer } from "./server.mjs";

const [binary, sockets = "20000"] = process.argv.slice(2);
const PER_PROCESS = 10_000;
const SECONDS_IDLE = 60;
const NEWCOMERS = "50";

const folder = newFolder();
const server = await startServer(binary, folder, CROWDED);
const empty = costOf(server.child.pid);

const processes = [];
for (let left = Number(sockets), seed = 1; left > 0; left -= PER_PROCESS, seed++) {
  const count = String(Math.min(left, PER_PROCESS));
  const words = ["bots", "idle", "--count", count, "--seconds", "100000", "--seed", String(seed), "--logins", "64", "--url", server.url];
  processes.push(spawn(binary, words, { stdio: ["ignore", "inherit", "inherit"] }));
}
async function gauge(name) {
  const text = await (await fetch(server.metrics)).text();
  return Number(text.match(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "m"))?.[1] ?? 0);
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const began = performance.now();
let connected = 0;
for (let still = 0; connected < Number(sockets) && still < 30; ) {
  await pause(1_000);
  const now = await gauge("terrane_zone_connected");
  still = now === connected ? still + 1 : 0;
  connected = now;
}
console.log(`connected                   ${connected} of ${sockets} in ${((performance.now() - began) / 1000).toFixed(0)} s`);
const before = costOf(server.child.pid);
await pause(SECONDS_IDLE * 1_000);
const after = costOf(server.child.pid);
const { report } = await runBots(binary, server, ["stroll", "--count", NEWCOMERS, "--seconds", "5", "--logins", "1", "--seed", "99"]);
console.log(`memory                      ${after.now_mib.toFixed(0)} MiB, peak ${after.peak_mib.toFixed(0)}, ${empty.now_mib.toFixed(0)} of it before; ${(((after.now_mib - empty.now_mib) * 1024) / connected).toFixed(1)} KiB a socket`);
console.log(`CPU while nobody moves      ${((after.cpu_s - before.cpu_s) / SECONDS_IDLE).toFixed(2)} cores`);
console.log(`login meanwhile             p50 ${report?.login_p50_ms.toFixed(1)}, p99 ${report?.login_p99_ms.toFixed(1)} ms; still connected ${await gauge("terrane_zone_connected")}`);
for (const child of processes) child.kill("SIGKILL");
await stopServer(server);
removeFolder(folder);
const isFine = connected === Number(sockets) && after.now_mib <= 3 * 1024 && report?.login_p99_ms < 100;
process.exit(isFine ? 0 : 1);
