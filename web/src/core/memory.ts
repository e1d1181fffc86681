import { type CellId, tryCellId } from "../geo/cell_id.ts";
import type { Vec3 } from "../geo/vec3.ts";
import type { CoreExports } from "./wasm.ts";

/**
 * A piece of the module's memory, taken once and kept as long as its owner.
 * Views are made at every use: they go stale when the memory grows.
 */
export class Scratch {
  readonly ptr: number;

  constructor(
    private readonly core: CoreExports,
    readonly byteLength: number,
  ) {
    this.ptr = core.alloc(byteLength);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.core.memory.buffer as ArrayBuffer, this.ptr, this.byteLength);
  }

  get doubles(): Float64Array<ArrayBuffer> {
    return new Float64Array(this.core.memory.buffer as ArrayBuffer, this.ptr, this.byteLength >> 3);
  }

  /** The first `count` cell ids. */
  cellIds(count: number): CellId[] {
    const raw = new BigUint64Array(this.core.memory.buffer, this.ptr, this.byteLength >> 3);
    return [...raw.subarray(0, count)].flatMap((id) => tryCellId(id) ?? []);
  }

  /** Three doubles from the `index`-th on. */
  vec3At(index: number): Vec3 {
    const [x = 0, y = 0, z = 0] = this.doubles.subarray(index, index + 3);
    return [x, y, z];
  }

  dispose(): void {
    this.core.dealloc(this.ptr, this.byteLength);
  }
}
