/**
 * The few system calls that Rust's standard library wants from `wasm32-wasip1`.
 *
 * The module computes and nothing else: it is given no files, no arguments, no environment and no clock.
 * What it writes to standard error (a panic's message) goes to the console.
 */

const ERRNO_SUCCESS = 0;
const ERRNO_BADF = 8;
const ERRNO_NOSYS = 52;

/** Thrown when the module ends itself, which it does only after a panic. */
export class CoreExit extends Error {
  constructor(readonly code: number) {
    super(`the planet code stopped with exit code ${code}`);
  }
}

/** Answers for the imports of `wasi_snapshot_preview1`; `memory` is asked for at call time because it grows. */
export function wasiImports(memory: () => WebAssembly.Memory): WebAssembly.ModuleImports {
  const view = () => new DataView(memory().buffer);
  const noItems = (countPtr: number, bytesPtr: number) => {
    view().setUint32(countPtr, 0, true);
    view().setUint32(bytesPtr, 0, true);
    return ERRNO_SUCCESS;
  };
  return {
    args_sizes_get: noItems,
    args_get: () => ERRNO_SUCCESS,
    environ_sizes_get: noItems,
    environ_get: () => ERRNO_SUCCESS,
    random_get: (ptr: number, length: number) => {
      crypto.getRandomValues(new Uint8Array(memory().buffer, ptr, length));
      return ERRNO_SUCCESS;
    },
    fd_write: (fd: number, vectorsPtr: number, vectorCount: number, writtenPtr: number) => {
      let text = "";
      let written = 0;
      for (let index = 0; index < vectorCount; index += 1) {
        const ptr = view().getUint32(vectorsPtr + index * 8, true);
        const length = view().getUint32(vectorsPtr + index * 8 + 4, true);
        text += new TextDecoder().decode(new Uint8Array(memory().buffer, ptr, length));
        written += length;
      }
      view().setUint32(writtenPtr, written, true);
      if (fd === 2) console.error(text.trimEnd());
      else console.log(text.trimEnd());
      return ERRNO_SUCCESS;
    },
    fd_close: () => ERRNO_BADF,
    fd_seek: () => ERRNO_BADF,
    fd_read: () => ERRNO_BADF,
    fd_fdstat_get: () => ERRNO_BADF,
    fd_prestat_get: () => ERRNO_BADF,
    fd_prestat_dir_name: () => ERRNO_BADF,
    path_open: () => ERRNO_NOSYS,
    clock_time_get: () => ERRNO_NOSYS,
    sched_yield: () => ERRNO_SUCCESS,
    proc_exit: (code: number) => {
      throw new CoreExit(code);
    },
  };
}
