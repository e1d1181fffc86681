/**
 * Loads `crates/browser`: terrain, movement and stream decoding, compiled from the server's own Rust.
 *
 * Compile once on the page with {@link compileCore} and hand the module to workers by `postMessage`;
 * every thread makes its own instance with {@link instantiateCore}.
 */
import wasmUrl from "./terrane.wasm?url";
import { wasiImports } from "./wasi.ts";

/**
 * The plain C functions of the module, one to one; each is documented in `crates/browser/src`.
 * Cell ids and seeds are `u64` in Rust and arrive here as *signed* bigint: wrap with `BigInt.asUintN(64, id)`.
 */
export interface CoreExports extends WebAssembly.Exports {
  readonly memory: WebAssembly.Memory;
  readonly alloc: (byteLength: number) => number;
  readonly dealloc: (ptr: number, byteLength: number) => void;
}

/** Fetches and compiles the module; `onProgress` is told the share that has arrived, 0 to 1. */
export async function compileCore(onProgress?: (share: number) => void): Promise<WebAssembly.Module> {
  const response = await fetch(wasmUrl);
  if (!response.ok || !response.body) {
    throw new Error(`the planet code could not be loaded (HTTP ${response.status})`);
  }
  let arrivedBytes = 0;
  const counted = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        arrivedBytes += chunk.byteLength;
        onProgress?.(Math.min(1, arrivedBytes / __CORE_BYTES__));
        controller.enqueue(chunk);
      },
    }),
  );
  const bytes = await new Response(counted).arrayBuffer();
  onProgress?.(1);
  return WebAssembly.compile(bytes);
}

/** Makes one instance; works on the page, in a worker and in Node. */
export async function instantiateCore(module: WebAssembly.Module): Promise<CoreExports> {
  // Imports are wanted before the instance exists, so they reach the memory through this variable.
  let memory: WebAssembly.Memory | undefined;
  const instance = await WebAssembly.instantiate(module, {
    wasi_snapshot_preview1: wasiImports(() => {
      if (!memory) throw new Error("the planet code called out before it was ready");
      return memory;
    }),
  });
  const exports = instance.exports as CoreExports;
  memory = exports.memory;
  const initialize = exports["_initialize"];
  if (typeof initialize === "function") initialize();
  return exports;
}
