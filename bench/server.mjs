// Starts a planet in a temporary folder and says what it cost.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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

// Resolves once the server has printed its URL, with the milliseconds that took.
export function startServer(binary, folder) {
  const started = performance.now();
  const child = spawn(binary, ["serve", "--data", folder, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0"], {
    stdio: ["ignore", "pipe", "pipe"],
    // Everything measured comes from one address.
    env: { TERRANE_LIMITS_FACTOR: "100000", ...process.env },
  });
  let log = "";
  child.stderr.on("data", (chunk) => (log += chunk));
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = line.match(/Terrane is ready: (http\S+)/)?.[1];
      if (url) resolve({ child, url, ready_ms: performance.now() - started });
    });
    child.on("exit", (code) => reject(new Error(`the server ended with code ${code}:\n${log}`)));
  });
}

export async function stopServer(server) {
  const gone = new Promise((resolve) => server.child.on("exit", resolve));
  server.child.kill("SIGTERM");
  await gone;
}

// CPU seconds used so far, and the largest resident size in MiB.
export function costOf(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const cpu_s = (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S;
  const peak_kib = Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/VmHWM:\s+(\d+)/)[1]);
  return { cpu_s, peak_mib: peak_kib / 1024 };
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
