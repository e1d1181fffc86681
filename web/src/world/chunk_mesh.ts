/**
 * Terrain tiles without WebAssembly: from the chunks that the server sends, in the byte layout of
 * `crates/browser/src/tile.rs`, so that everything after it is the same.
 *
 * A chunk has 64 quads along its side. A tile of fewer quads has the same detail as a part of a chunk that is so many
 * times wider: that part is drawn. What is missing here: pictures of rivers, and the parent's shape, so that levels
 * change at once.
 */
import { add, cross, length, normalize, scale, subtract, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, directionIn } from "./cells.ts";
import { HEADER_BYTES, tileArrays, vertexCount } from "./messages.ts";

/** Quads along the side of a chunk. */
export const CHUNK_QUADS = 64;
const CHUNK_SIDE = CHUNK_QUADS + 1;
const CHUNK_VERTICES = CHUNK_SIDE * CHUNK_SIDE;
/** The rest as in `shore.rs` and `mesh.rs`. */
const NO_WATER_M = -1000;
const SHORE_RINGS = 2;
const DRY_M = 0.05;
const ORIGIN_LATTICE_M = 1024;

/** A chunk of the server, with the water's depth at every vertex. */
export interface Chunk {
  readonly elevationM: readonly number[];
  readonly waterM: readonly (number | null)[];
  readonly temperatureC: readonly number[];
  readonly rainMm: readonly number[];
  readonly biome: readonly number[];
  readonly shore: Shore;
}

interface Shore {
  readonly depthM: Float32Array;
  readonly isSea: Uint8Array;
}

/** An answer of `/api/v1/planet/{hash}/chunks/{token}`; throws if it is none. */
export function parseChunk(answer: unknown): Chunk {
  const field = (name: string): unknown[] => {
    const list: unknown =
      typeof answer === "object" && answer !== null ? Reflect.get(answer, name) : undefined;
    if (!Array.isArray(list) || list.length !== CHUNK_VERTICES) throw new TypeError(`no chunk: ${name}`);
    return list;
  };
  const numbers = (name: string): number[] => {
    const list = field(name);
    if (!list.every((value) => Number.isFinite(value))) throw new TypeError(`no chunk: ${name}`);
    return list as number[];
  };
  const waterM = field("water_m");
  if (!waterM.every((value) => value === null || Number.isFinite(value))) {
    throw new TypeError("no chunk: water_m");
  }
  const chunk = {
    elevationM: numbers("elevation_m"),
    waterM: waterM as (number | null)[],
    temperatureC: numbers("temperature_c"),
    rainMm: numbers("rain_mm"),
    biome: numbers("biome"),
  };
  return { ...chunk, shore: shoreOf(chunk.elevationM, chunk.waterM) };
}

/** The chunk that a tile is a part of. */
export function chunkOf(cell: CellAddress, quads: number): CellAddress {
  const up = Math.min(cell.level, Math.log2(CHUNK_QUADS / quads));
  return { face: cell.face, level: cell.level - up, i: cell.i >> up, j: cell.j >> up };
}

/** The tile of a cell, as `tile_build` would write it but for rivers and morphing. */
export function meshOf(chunk: Chunk, cell: CellAddress, quads: number, radiusM: number): ArrayBuffer {
  const side = quads + 1;
  const count = vertexCount(quads);
  const bytes = new ArrayBuffer(HEADER_BYTES + count * VERTEX_BYTES);
  const arrays = tileArrays(bytes, quads);
  const at = indexIn(chunkOf(cell, quads), cell, quads);
  const surface = (x: number, y: number): Vec3 => {
    const index = at(x, y);
    const heightM = Math.max(chunk.elevationM[index] ?? 0, chunk.waterM[index] ?? Number.NEGATIVE_INFINITY);
    return scale(directionIn(cell, x / quads, y / quads), radiusM + heightM);
  };
  const elevation = (x: number, y: number) => chunk.elevationM[at(x, y)] ?? 0;
  const edgeM = (radiusM * Math.PI) / 2 / 2 ** cell.level;
  const spacingM = edgeM / quads;
  const center = surface(quads / 2, quads / 2);
  const origin = center.map(
    (value) => Math.round(value / ORIGIN_LATTICE_M) * ORIGIN_LATTICE_M,
  ) as unknown as Vec3;
  let vertex = 0;
  let reachM = 0;
  const put = (x: number, y: number, dropM: number) => {
    const point = surface(x, y);
    const up = normalize(point);
    const local = subtract(add(point, scale(up, -dropM)), origin);
    const normal = normalize(
      cross(subtract(surface(x + 1, y), surface(x - 1, y)), subtract(surface(x, y + 1), surface(x, y - 1))),
    );
    const around = elevation(x - 1, y) + elevation(x + 1, y) + elevation(x, y - 1) + elevation(x, y + 1);
    const concavity = Math.max(-1, Math.min(1, (around / 4 - elevation(x, y)) / spacingM));
    const index = at(x, y);
    arrays.positions.set(local, vertex * 3);
    [...normal, concavity].forEach((share, axis) => {
      arrays.forms[vertex * 4 + axis] = share * 32_767;
      arrays.parentForms[vertex * 4 + axis] = share * 127;
    });
    arrays.elevations[vertex] = elevation(x, y);
    arrays.waters[vertex] = chunk.shore.depthM[index] ?? NO_WATER_M;
    arrays.climates[vertex * 2] = share((chunk.temperatureC[index] ?? 0) / 80 + 0.5) * 65_535;
    arrays.climates[vertex * 2 + 1] = Math.sqrt(share((chunk.rainMm[index] ?? 0) / 4000)) * 65_535;
    arrays.covers.set([chunk.biome[index] ?? 0, chunk.shore.isSea[index] ? 255 : 0], vertex * 4);
    if (dropM === 0) reachM = Math.max(reachM, length(subtract(point, center)));
    vertex += 1;
  };
  for (let y = 0; y < side; y += 1) for (let x = 0; x < side; x += 1) put(x, y, 0);

  const grid = arrays.elevations.subarray(0, side * side);
  const [lowestM, highestM] = [Math.min(...grid), Math.max(...grid)];
  const reliefM = Math.max(0, highestM) - Math.max(0, lowestM);
  const dropM = 0.3 + Math.min(spacingM, reliefM * 0.25 + 1) + (4 * spacingM) ** 2 / (8 * radiusM);
  for (let x = 0; x < side; x += 1) put(x, 0, dropM);
  for (let x = 0; x < side; x += 1) put(x, quads, dropM);
  for (let y = 0; y < side; y += 1) put(0, y, dropM);
  for (let y = 0; y < side; y += 1) put(quads, y, dropM);

  const header = new DataView(bytes);
  [...origin, ...center, reachM + dropM].forEach((value, index) => {
    header.setFloat64(index * 8, value, true);
  });
  header.setFloat32(56, lowestM, true);
  header.setFloat32(60, highestM, true);
  return bytes;
}

const VERTEX_BYTES = 44;

const share = (value: number) => Math.max(0, Math.min(1, value));

/** Where the vertices of a tile are in its chunk; those beyond the chunk are its outermost. */
function indexIn(chunk: CellAddress, cell: CellAddress, quads: number): (x: number, y: number) => number {
  const tiles = 2 ** (cell.level - chunk.level);
  const step = CHUNK_QUADS / tiles / quads;
  const [i, j] = [cell.i - chunk.i * tiles, cell.j - chunk.j * tiles];
  const clamped = (value: number) => Math.max(0, Math.min(CHUNK_QUADS, value));
  return (x, y) => clamped((j * quads + y) * step) * CHUNK_SIDE + clamped((i * quads + x) * step);
}

/** As `waters` in `shore.rs`. */
function shoreOf(elevationM: readonly number[], waterM: readonly (number | null)[]): Shore {
  let surfaces = Float64Array.from(waterM, (surface) => surface ?? Number.NaN);
  for (let ring = 0; ring < SHORE_RINGS; ring += 1) surfaces = spread(surfaces);
  const depthM = Float32Array.from(elevationM, (ground, index) => {
    const [own, near] = [waterM[index] ?? Number.NaN, surfaces[index] ?? Number.NaN];
    if (!Number.isNaN(own)) return own - ground;
    return Number.isNaN(near) ? NO_WATER_M : Math.min(near - ground, -DRY_M);
  });
  return { depthM, isSea: Uint8Array.from(surfaces, (surface) => (surface === 0 ? 1 : 0)) };
}

/** Gives every vertex without a surface the mean of those around it. */
function spread(surfaces: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  return surfaces.map((own, at) => {
    if (!Number.isNaN(own)) return own;
    const [x, y] = [at % CHUNK_SIDE, Math.floor(at / CHUNK_SIDE)];
    let sum = 0;
    let count = 0;
    for (let row = Math.max(0, y - 1); row <= Math.min(CHUNK_QUADS, y + 1); row += 1) {
      for (let column = Math.max(0, x - 1); column <= Math.min(CHUNK_QUADS, x + 1); column += 1) {
        const near = surfaces[row * CHUNK_SIDE + column] ?? Number.NaN;
        if (Number.isNaN(near)) continue;
        sum += near;
        count += 1;
      }
    }
    return sum / count;
  });
}
