// A server and bots on one machine: `node bench/crowd.mjs BINARY 200 1000`.
import { spawn } from "node:child_process";
import { costOf, newFolder, removeFolder, startServer, stopServer } from "./server.mjs";

const SECONDS = 30;
const [binary, ...counts] = process.argv.slice(2);

function runBots(url, count) {
  const child = spawn(binary, ["bots", "--url", url, "--count", count, "--seconds", String(SECONDS)], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return new Promise((resolve) => child.on("exit", resolve));
}

let worst = 0;
for (const count of counts) {
  const folder = newFolder();
  const server = await startServer(binary, folder);
  const idle = costOf(server.child.pid);
  const began = performance.now();
  const code = await runBots(server.url, count);
  const elapsed_s = (performance.now() - began) / 1000;
  const cost = costOf(server.child.pid);
  const cores = (cost.cpu_s - idle.cpu_s) / elapsed_s;
  console.log(`server       ${cores.toFixed(2)} cores, ${cost.peak_mib.toFixed(0)} MiB at the most (${idle.peak_mib.toFixed(0)} before)`);
  console.log(`exit code    ${code}\n`);
  worst = Math.max(worst, code ?? 1);
  await stopServer(server);
  removeFolder(folder);
}
process.exit(worst);
