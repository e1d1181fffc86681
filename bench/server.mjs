// Starts a planet in a temporary folder and says what it cost.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CLOCK_TICKS_PER_S = 100; // USER_HZ, fixed on Linux

export function newFolder() {
  return mkdtempSync(join(tmpdir(), "terrane-bench-"));
}

export function removeFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
}

// Resolves once the server has printed its URL, with the milliseconds that took. `settings` are further settings by
// environment, for example `{ TERRANE_ZONE_SEND_HZ: "20" }`.
export function startServer(binary, folder, settings = {}) {
  const started = performance.now();
  const child = spawn(binary, ["serve", "--data", folder, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
    // Everything measured comes from one address.
    env: { TERRANE_LIMITS_FACTOR: "100000", ...process.env, ...settings },
  });
  let log = "";
  let metrics;
  child.stderr.on("data", (chunk) => (log += chunk));
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      metrics ??= line.match(/metrics at (http\S+)/)?.[1];
      const url = line.match(/Terrane is ready: (http\S+)/)?.[1];
      if (url) resolve({ child, url, metrics, log: () => log, ready_ms: performance.now() - started });
    });
    child.on("exit", (code) => reject(new Error(`the server ended with code ${code}:\n${log}`)));
  });
}

// Settings under which thousands may come from one machine.
export const CROWDED = {
  TERRANE_HTTP_SOCKETS_MAX: "30000",
  TERRANE_HTTP_CONNECTIONS_MAX: "30000",
  TERRANE_ZONE_BODIES_MAX: "30000",
};

// Runs `terrane bots` against a server; their table goes to standard output. Gives exit code and report.
export async function runBots(binary, server, words) {
  const folder = newFolder();
  const out = join(folder, "report.json");
  const watched = ["--metrics", server.metrics, "--server-pid", String(server.child.pid)];
  const child = spawn(binary, ["bots", ...words, "--url", server.url, ...watched, "--out", out], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  const code = await new Promise((resolve) => child.on("exit", resolve));
  const report = existsSync(out) ? JSON.parse(readFileSync(out, "utf8")) : undefined;
  removeFolder(folder);
  return { code, report };
}

// What a command prints, and its exit code.
export async function output(command, words) {
  const child = spawn(command, words, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => (text += chunk));
  const code = await new Promise((resolve) => child.on("exit", resolve));
  return { code, text };
}

export async function stopServer(server) {
  const gone = new Promise((resolve) => server.child.on("exit", resolve));
  server.child.kill("SIGTERM");
  await gone;
}

// CPU seconds used so far, and the resident size in MiB, now and at the most.
export function costOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpu_s = (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mib = (name) => Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))[1]) / 1024;
  return { cpu_s, now_mib: mib("VmRSS"), peak_mib: mib("VmHWM") };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
