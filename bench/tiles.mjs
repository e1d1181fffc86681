// Map tiles over HTTP: what a cached tile costs the server beside a plain file of the same size, and what drawing one
// costs. CPU time of the server process per request, so that the client on the same cores does not count.
import { Agent, get } from "node:http";
import { readdirSync, statSync } from "node:fs";
import { costOf, median, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const ROUNDS = 7;
const REQUESTS = 6_000;
const CONNECTIONS = 8;
// A tile drawn anew takes milliseconds.
const DRAWN = 24;

const folder = newFolder();
const server = await startServer(process.argv[2], folder);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
const { planet_hash: hash } = await (await fetch(`${server.url}/api/v1/planet`)).json();
const below = `${server.url}/api/v1/planet/${hash}`;

function load(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let bytes = 0;
      response.on("data", (chunk) => (bytes += chunk.length));
      response.on("end", () =>
        response.statusCode === 200 ? resolve(bytes) : reject(new Error(`${response.statusCode}: ${url}`)),
      );
    }).on("error", reject);
  });
}

// CPU microseconds of the server per request; `urlOf` names the request by its number.
async function costPerRequest(count, urlOf) {
  const before_s = costOf(server.child.pid).cpu_s;
  let next = 0;
  const worker = async () => {
    while (next < count) await load(urlOf(next++));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return ((costOf(server.child.pid).cpu_s - before_s) * 1e6) / count;
}

const tile = `${below}/map/biome/3/4/3.webp`;
const tile_bytes = await load(tile);
// The file of the client nearest in size: a plain answer from memory, through the same edge.
const assets = new URL("../web/dist/assets/", import.meta.url);
const [plain] = readdirSync(assets)
  .filter((name) => name.endsWith(".woff2"))
  .map((name) => ({ name, bytes: statSync(new URL(name, assets)).size }))
  .sort((a, b) => Math.abs(a.bytes - tile_bytes) - Math.abs(b.bytes - tile_bytes));
const file = `${server.url}/assets/${plain.name}`;
await load(file);

const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  const tile_us = await costPerRequest(REQUESTS, () => tile);
  const file_us = await costPerRequest(REQUESTS, () => file);
  rounds.push({ tile_us, file_us, ratio: tile_us / file_us });
}
const of = (key) => median(rounds.map((round) => round[key]));
console.log(`a cached tile (${tile_bytes} B)  ${of("tile_us").toFixed(0)} µs of the server's CPU`);
console.log(`a plain file (${plain.bytes} B)  ${of("file_us").toFixed(0)} µs`);
console.log(`tile / file  ${of("ratio").toFixed(2)} (median of ${ROUNDS} paired rounds, ${REQUESTS} requests each)`);

// Tiles that nobody has seen, whole request: drawing, packing, sending.
for (const z of [3, 6, 9, 12, 14]) {
  const n = 2 ** z;
  // A strip in the middle of the map, no two neighbours, so that no ground is shared.
  const urlOf = (index) => `${below}/map/biome/${z}/${(index * 7 + 1) % n}/${((n >> 1) + Math.floor((index * 7 + 1) / n)) % n}.webp`;
  const count = Math.min(DRAWN, n * n / 8);
  const us = await costPerRequest(count, urlOf);
  console.log(`a new tile at z ${z}  ${(us / 1000).toFixed(1)} ms`);
}
agent.destroy();
await stopServer(server);
removeFolder(folder);
