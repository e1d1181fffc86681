/** Meshes from the server's chunks are those of the workers, within what a chunk leaves out. */
import { beforeAll, describe, expect, it } from "vitest";
import { coreForTest } from "../core/core_test_support.ts";
import { Planet } from "../core/planet.ts";
import { distance, normalize, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellAt, cellKey } from "./cells.ts";
import { CHUNK_QUADS, chunkOf, meshOf, parseChunk } from "./chunk_mesh.ts";
import { readTile, type TileData } from "./messages.ts";
import { meshesOf, type PlanetCore } from "./planet_core.ts";

let planet: Planet;
let core: PlanetCore;
beforeAll(async () => {
  const instance = await coreForTest();
  planet = Planet.forTest(instance, 1n, 3);
  core = meshesOf(instance, planet);
});

const tileOf = (cell: CellAddress, quads: number): TileData =>
  readTile(core.build({ kind: "tile", key: cellKey(cell), cell, quads }), quads);

/** A chunk as the server would write it, rounded as it rounds. */
function answerFor(cell: CellAddress) {
  const tile = tileOf(cell, CHUNK_QUADS);
  const vertices = Array.from({ length: (CHUNK_QUADS + 1) ** 2 }, (_, index) => index);
  const round = (value: number, steps: number) => Math.round(value * steps) / steps;
  const elevation = (index: number) => tile.elevations[index] ?? 0;
  const water = (index: number) => tile.waters[index] ?? 0;
  return {
    elevation_m: vertices.map((index) => round(elevation(index), 1000)),
    water_m: vertices.map((index) =>
      water(index) >= 0 ? round(elevation(index) + water(index), 1000) : null,
    ),
    temperature_c: vertices.map((index) => round(((tile.climates[index * 2] ?? 0) / 65_535) * 80 - 40, 10)),
    rain_mm: vertices.map((index) => round(((tile.climates[index * 2 + 1] ?? 0) / 65_535) ** 2 * 4000, 1)),
    biome: vertices.map((index) => tile.covers[index * 4] ?? 0),
  };
}

const PLACES: readonly Vec3[] = [[1, 0, 0], [-0.8, 0.4, -0.5], [0.2, -0.9, 0.4], normalize([1, 1, 1])];

describe("a tile from a chunk", () => {
  for (const [level, quads] of [
    [0, 16],
    [1, 16],
    [6, 16],
    [6, 32],
    [15, 32],
    [16, 16],
  ] as const) {
    it(`of level ${level} with ${quads} quads is what the workers make`, () => {
      for (const place of PLACES) {
        const cell = cellAt(place, level);
        const chunk = parseChunk(answerFor(chunkOf(cell, quads)));
        const mesh = readTile(meshOf(chunk, cell, quads, planet.radiusM), quads);
        const tile = tileOf(cell, quads);
        // Where no chunk is wide enough for a tile as coarse as the first ones, it has more detail than they.
        const isSame = level >= Math.log2(CHUNK_QUADS / quads);
        expect(distance(mesh.origin, tile.origin)).toBe(0);
        expect(mesh.positions).toHaveLength(tile.positions.length);
        if (!isSame) continue;
        for (let index = 0; index < (quads + 1) ** 2; index += 1) {
          expect(Math.abs((mesh.elevations[index] ?? 0) - (tile.elevations[index] ?? 0))).toBeLessThan(
            1 / 32,
          );
          for (let axis = 0; axis < 3; axis += 1) {
            const [ours = 0, theirs = 0] = [
              mesh.positions[index * 3 + axis],
              tile.positions[index * 3 + axis],
            ];
            expect(Math.abs(ours - theirs)).toBeLessThan(1 / 32 + Math.abs(theirs) * 1e-6);
          }
          expect(mesh.covers[index * 4]).toBe(tile.covers[index * 4]);
          const [ours = 0, theirs = 0] = [mesh.waters[index], tile.waters[index]];
          if (theirs > 0) expect(ours).toBeCloseTo(theirs, 1);
          else expect(ours).toBeLessThanOrEqual(0);
        }
        expect(mesh.radiusM).toBeGreaterThan(0);
        expect(mesh.rivers).toBeUndefined();
      }
    });
  }
});

it("finds the chunk of which a tile is a part", () => {
  expect(chunkOf({ face: 2, level: 9, i: 13, j: 6 }, 32)).toEqual({ face: 2, level: 8, i: 6, j: 3 });
  expect(chunkOf({ face: 2, level: 9, i: 13, j: 6 }, 16)).toEqual({ face: 2, level: 7, i: 3, j: 1 });
  expect(chunkOf({ face: 2, level: 1, i: 1, j: 0 }, 16)).toEqual({ face: 2, level: 0, i: 0, j: 0 });
});

it("takes nothing for a chunk that is none", () => {
  const good = answerFor({ face: 0, level: 3, i: 1, j: 1 });
  expect(() => parseChunk(good)).not.toThrow();
  for (const bad of [
    null,
    [],
    {},
    { ...good, elevation_m: good.elevation_m.slice(1) },
    { ...good, elevation_m: good.elevation_m.map(() => "1") },
    { ...good, water_m: good.water_m.map(() => "wet") },
    { ...good, biome: 3 },
  ]) {
    expect(() => parseChunk(bad)).toThrow(TypeError);
  }
});
