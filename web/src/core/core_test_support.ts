import { readFile } from "node:fs/promises";
import type { PageExports } from "./exports.ts";
import { instantiateCore } from "./wasm.ts";

/** The planet code as the page loads it, and what makes whole planets; fails with what to do when it was not built. */
export async function coreForTest(): Promise<PageExports> {
  const target = process.env["CARGO_TARGET_DIR"] ?? new URL("../../../target", import.meta.url).pathname;
  const bytes = await readFile(`${target}/wasm32-wasip1/browser/browser_checks.wasm`).catch(() => {
    throw new Error("the planet code for tests is not there: run npm run wasm first");
  });
  return (await instantiateCore(await WebAssembly.compile(bytes))) as PageExports;
}
