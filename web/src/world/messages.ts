/** What the page and its terrain workers say to each other, and the byte layout of what comes back. */

import type { PackedTile } from "../core/tile_source.ts";
import type { CellId } from "../geo/cell_id.ts";
import type { Vec3 } from "../geo/vec3.ts";
import type { CellAddress } from "./cells.ts";

/** Trees and rocks, grass and flowers, woods far away: in the order of their numbers in `plants.rs`. */
export const PLANT_LAYERS = ["trees", "grass", "canopy"] as const;
export type PlantLayer = (typeof PLANT_LAYERS)[number];

export interface StartWork {
  readonly kind: "start";
  readonly module: WebAssembly.Module;
  readonly manifest: Uint8Array;
  /** Raster tiles of the finest layer that a worker keeps. */
  readonly fineTilesMax: number;
}

export type Job =
  | { readonly kind: "tile"; readonly key: number; readonly cell: CellAddress; readonly quads: number }
  | {
      readonly kind: "plants";
      readonly key: number;
      readonly cell: CellAddress;
      readonly slots: number;
      readonly layer: PlantLayer;
    };

/** A mesh that is finished, as {@link readTile} or {@link readPlants} reads it. */
export interface Built {
  readonly kind: Job["kind"];
  readonly key: number;
  readonly bytes: ArrayBuffer;
  readonly workMs: number;
}

export type ToWorker = StartWork | Job | { readonly kind: "raster"; readonly tile: PackedTile };

export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "built"; readonly built: Built }
  /** The job cannot be done before these raster tiles are there; the worker has let it go. */
  | { readonly kind: "lacks"; readonly job: Job; readonly tiles: readonly CellId[] }
  /** A raster tile is not what the manifest says. */
  | { readonly kind: "refused"; readonly tile: PackedTile }
  | { readonly kind: "failed"; readonly reason: string };

/** A tile as `tile_build` in `crates/browser/src/tile.rs` wrote it; the arrays are views of one buffer. */
export interface TileData {
  readonly origin: Vec3;
  readonly center: Vec3;
  readonly radiusM: number;
  readonly lowestM: number;
  readonly highestM: number;
  /** Three a vertex, metres from the origin: on the ground, or the water over it. */
  readonly positions: Float32Array<ArrayBuffer>;
  /** Normal and concavity, four shares a vertex. */
  readonly forms: Int16Array<ArrayBuffer>;
  /** Ground over the sea, metres. */
  readonly elevations: Float32Array<ArrayBuffer>;
  /** Depth of the water in metres; below zero the height over the water nearby, -1000 far from any. */
  readonly waters: Float32Array<ArrayBuffer>;
  /** How many metres higher the parent's surface is. */
  readonly morphs: Float32Array<ArrayBuffer>;
  /** The parent's normal and concavity, four shares a vertex. */
  readonly parentForms: Int8Array<ArrayBuffer>;
  /** Temperature and rain, two shares a vertex. */
  readonly climates: Uint16Array<ArrayBuffer>;
  /** Number of the biome; 255 or 0 for whether the water is sea and whether it is a river; 0. */
  readonly covers: Uint8Array<ArrayBuffer>;
  /** A picture of the rivers, 128 × 128 shares; absent where there are none. */
  readonly rivers: Uint8Array<ArrayBuffer> | undefined;
}

/** A patch as `plants_build` wrote it. */
export interface PlantData {
  readonly origin: Vec3;
  /** Shares of the palette's scales, see `palette.ts`. */
  readonly temperature: number;
  readonly rain: number;
  /** Number of the biome in the middle. */
  readonly biome: number;
  readonly plants: readonly Plant[];
}

export interface Plant {
  /** Metres from the patch's origin. */
  readonly position: Vec3;
  readonly scale: number;
  /** `Kind` in `growth.rs`. */
  readonly kind: number;
  /** The rest are shares 0 to 1. */
  readonly yaw: number;
  readonly tint: number;
  readonly lean: number;
}

export const HEADER_BYTES = 64;
const PLANT_BYTES = 20;

/** Vertices of a tile: the grid and its four skirts. */
export function vertexCount(quads: number): number {
  return (quads + 1) * (quads + 1) + 4 * (quads + 1);
}

/** The vertex arrays of a tile, which follow each other after the header. */
export function tileArrays(bytes: ArrayBuffer, quads: number) {
  const count = vertexCount(quads);
  let at = HEADER_BYTES;
  const next = (vertexBytes: number): [ArrayBuffer, number] => {
    at += count * vertexBytes;
    return [bytes, at - count * vertexBytes];
  };
  return {
    positions: new Float32Array(...next(12), count * 3),
    forms: new Int16Array(...next(8), count * 4),
    elevations: new Float32Array(...next(4), count),
    waters: new Float32Array(...next(4), count),
    morphs: new Float32Array(...next(4), count),
    parentForms: new Int8Array(...next(4), count * 4),
    climates: new Uint16Array(...next(4), count * 2),
    covers: new Uint8Array(...next(4), count * 4),
    endBytes: at,
  };
}

export function readTile(bytes: ArrayBuffer, quads: number): TileData {
  const view = new DataView(bytes);
  const f64 = (index: number) => view.getFloat64(index * 8, true);
  const { endBytes, ...arrays } = tileArrays(bytes, quads);
  return {
    origin: [f64(0), f64(1), f64(2)],
    center: [f64(3), f64(4), f64(5)],
    radiusM: f64(6),
    lowestM: view.getFloat32(56, true),
    highestM: view.getFloat32(60, true),
    ...arrays,
    rivers: endBytes < bytes.byteLength ? new Uint8Array(bytes, endBytes) : undefined,
  };
}

/** A patch on which nothing grows. */
export function emptyPlants(): ArrayBuffer {
  return new ArrayBuffer(HEADER_BYTES);
}

export function readPlants(bytes: ArrayBuffer): PlantData {
  const view = new DataView(bytes);
  const count = view.getUint32(24, true);
  const plants = Array.from({ length: count }, (_, index): Plant => {
    const at = HEADER_BYTES + index * PLANT_BYTES;
    const f32 = (field: number) => view.getFloat32(at + field * 4, true);
    const share = (field: number) => view.getUint8(at + 16 + field) / 256;
    return {
      position: [f32(0), f32(1), f32(2)],
      scale: f32(3),
      kind: view.getUint8(at + 16),
      yaw: share(1),
      tint: share(2),
      lean: share(3),
    };
  });
  return {
    origin: [view.getFloat64(0, true), view.getFloat64(8, true), view.getFloat64(16, true)],
    temperature: view.getFloat32(28, true),
    rain: view.getFloat32(32, true),
    biome: view.getUint8(36),
    plants,
  };
}
