/** A planet of one's own for a test: the real binary, a temporary folder, a free port. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const BINARY =
  process.env["TERRANE_BIN"] ?? fileURLToPath(new URL("../../target/debug/terrane", import.meta.url));
const START_TIMEOUT_MS = 60_000;
/** A planet is made in a tenth of a second, and is coarse: enough for everything but its looks. All come from one address. */
const QUICK = { TERRANE_PLANET_RASTER_LEVEL: "6", TERRANE_LIMITS_FACTOR: "100000" };

export class TerraneServer {
  #process: ChildProcess | undefined;
  #output = "";

  private constructor(
    readonly dataPath: string,
    readonly port: number,
    /** Settings beyond the defaults, as environment variables. */
    private readonly settings: Readonly<Record<string, string>>,
  ) {}

  static async create(settings: Readonly<Record<string, string>> = {}): Promise<TerraneServer> {
    if (!existsSync(BINARY)) {
      throw new Error(`${BINARY} is not there: run cargo build, or set TERRANE_BIN to a terrane binary`);
    }
    const dataPath = await mkdtemp(join(tmpdir(), "terrane-e2e-"));
    const server = new TerraneServer(dataPath, await freePort(), settings);
    await server.start();
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, on the same port and folder as before, and waits until it can write. */
  async start(): Promise<void> {
    const child = spawn(
      BINARY,
      ["serve", "--data", this.dataPath, "--listen", `127.0.0.1:${this.port}`, "--metrics-listen", "off"],
      { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...QUICK, ...this.settings } },
    );
    this.#process = child;
    for (const pipe of [child.stdout, child.stderr]) {
      pipe?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString()).slice(-8_000);
      });
    }
    for (let waitedMs = 0; waitedMs < START_TIMEOUT_MS; waitedMs += 100) {
      if (child.exitCode !== null) throw new Error(`terrane ended with ${child.exitCode}:\n${this.#output}`);
      const isReady = await fetch(`${this.url}/health/ready`).then(
        (response) => response.ok,
        () => false,
      );
      if (isReady) return;
      await sleep(100);
    }
    await this.kill();
    throw new Error(`terrane was not ready in ${START_TIMEOUT_MS / 1000} s:\n${this.#output}`);
  }

  /** Asks it to end, as an operator would. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  /** Ends it as a power cut would. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  async dispose(): Promise<void> {
    await this.kill();
    await rm(this.dataPath, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await ended;
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}
