import { readFile } from "node:fs/promises";
import type { PageExports } from "./exports.ts";
import { instantiateCore } from "./wasm.ts";

/** The planet code as the page would load it; fails with what to do when it has not been built. */
export async function coreForTest(): Promise<PageExports> {
  const file = new URL("./terrane.wasm", import.meta.url);
  const bytes = await readFile(file).catch(() => {
    throw new Error("src/core/terrane.wasm is not there: run npm run wasm first");
  });
  return (await instantiateCore(await WebAssembly.compile(bytes))) as PageExports;
}
