// Terrane and Colyseus side by side: as many players, each of whom sees as many others, sent ten times a second, in
// paired rounds. `node bench/colyseus.mjs BINARY [PLAYERS] [SECONDS] [ROUNDS]`.
//
// Terrane's CPU is that of the whole server: movement on its ground, interest and journal included. Colyseus' room takes
// as many inputs, keeps what they say, moves its bodies by chance and knows from the start whom each player sees.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { median, newFolder, removeFolder, runBots, startServer, stopServer } from "./server.mjs";

const [binary, players = "200", seconds = "10", rounds = "3"] = process.argv.slice(2);
const HZ = 10;
// What the bots send by themselves.
const INPUT_HZ = "6";
// Share of the people of a crowd that moves at a time.
const MOVING = 0.74;
// As close as people stand in a square.
const RADIUS_M = String(Math.sqrt((Number(players) * 4) / Math.PI));
const room = fileURLToPath(new URL("./colyseus/", import.meta.url));
if (!existsSync(`${room}node_modules`)) throw new Error("run `npm ci` in bench/colyseus first");

async function ours() {
  const folder = newFolder();
  const server = await startServer(binary, folder);
  try {
    const { report } = await runBots(binary, server, ["crowd", "--count", players, "--seconds", seconds, "--seed", "1", "--watchers", "20", "--radius", RADIUS_M, "--input-hz", INPUT_HZ]);
    if (report.connected !== Number(players) || report.dropped > 0) throw new Error(JSON.stringify(report.sums.reasons));
    return {
      seen: Math.round(report.visible_bodies),
      cpu_us: report.server.cpu_us_per_frame,
      bytes: report.bytes_per_update,
      hz: report.frames_per_s,
    };
  } finally {
    await stopServer(server);
    removeFolder(folder);
  }
}

function lines(child) {
  const waiting = [];
  const ready = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (!line.startsWith("{")) return;
    const told = JSON.parse(line);
    const wanted = waiting.shift();
    if (wanted) wanted(told);
    else ready.push(told);
  });
  return () => new Promise((resolve) => (ready.length > 0 ? resolve(ready.shift()) : waiting.push(resolve)));
}

async function theirs(seen) {
  const run = (...words) => spawn("node", words.map(String), { cwd: room, stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, NODE_ENV: "production" } });
  const server = run("server.mjs", players, seen, MOVING, seconds);
  const fromServer = lines(server);
  const { port } = await fromServer();
  const reader = run("reader.mjs", port, players, INPUT_HZ);
  const fromReader = lines(reader);
  try {
    await fromReader();
    const counted = async () => {
      reader.stdin.write("\n");
      return await fromReader();
    };
    await fromServer();
    const before = await counted();
    const { cpu_us, patches, elapsed_s } = await fromServer();
    const after = await counted();
    const messages = after.messages - before.messages;
    return {
      cpu_us: cpu_us / (patches * Number(players)),
      bytes: (after.bytes - before.bytes) / (messages * seen * MOVING),
      hz: messages / Number(players) / elapsed_s,
    };
  } finally {
    server.kill();
    reader.kill();
  }
}

const pairs = [];
for (let round = 0; round < Number(rounds); round++) {
  const terrane = await ours();
  const colyseus = await theirs(Math.min(terrane.seen, Number(players)));
  pairs.push({ terrane, colyseus });
  const show = ({ cpu_us, bytes, hz }) => `${cpu_us.toFixed(1)} µs a snapshot, ${bytes.toFixed(2)} B an update, ${hz.toFixed(1)} a second`;
  console.log(`${terrane.seen} of ${players} seen   terrane ${show(terrane)}   colyseus ${show(colyseus)}`);
}
const ratio = (of) => median(pairs.map(({ terrane, colyseus }) => of(colyseus) / of(terrane)));
console.log(`colyseus / terrane, CPU per client snapshot   ${ratio((it) => it.cpu_us).toFixed(1)} (goal 8; a body that is asked to send ${HZ} a second)`);
console.log(`colyseus / terrane, bytes per update seen     ${ratio((it) => it.bytes).toFixed(1)} (goal 4)`);
