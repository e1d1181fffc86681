/** What Rust writes and what the renderer reads are one layout: through the real WebAssembly build. */
import { beforeAll, describe, expect, it } from "vitest";
import { coreForTest } from "../core/core_test_support.ts";
import { Planet } from "../core/planet.ts";
import { add, distance, dot, length, normalize, scale, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellAt, cellKey, directionIn } from "./cells.ts";
import { type PlantLayer, readPlants, readTile, vertexCount } from "./messages.ts";
import { meshesOf, type PlanetCore } from "./planet_core.ts";
import { gridIndices } from "./terrain.ts";

const QUADS = 16;
let planet: Planet;
let core: PlanetCore;
beforeAll(async () => {
  const instance = await coreForTest();
  planet = Planet.forTest(instance, 1n, 3);
  core = meshesOf(instance, planet);
});
const buildTile = (cell: CellAddress, quads: number) =>
  core.build({ kind: "tile", key: cellKey(cell), cell, quads });
const buildPlants = (cell: CellAddress, slots: number, layer: PlantLayer) =>
  core.build({ kind: "plants", key: cellKey(cell), cell, slots, layer });

/** Some wet, some dry, one at a corner of the cube. */
const PLACES: readonly Vec3[] = [
  [1, 0, 0],
  [-0.8, 0.4, -0.5],
  [0.2, -0.9, 0.4],
  normalize([1, 1, 1]),
  [0, 0, -1],
];

describe("a tile", () => {
  for (const level of [0, 6, 12, 15]) {
    it(`of level ${level} has its vertices on the planet, in the order of its cell`, () => {
      for (const place of PLACES) {
        const cell = cellAt(place, level);
        const tile = readTile(buildTile(cell, QUADS), QUADS);
        expect(tile.positions).toHaveLength(vertexCount(QUADS) * 3);
        const edgeM = (planet.radiusM * Math.PI) / 2 / 2 ** level;
        for (let j = 0; j <= QUADS; j += 1) {
          for (let i = 0; i <= QUADS; i += 1) {
            const index = j * (QUADS + 1) + i;
            const [x = 0, y = 0, z = 0] = tile.positions.subarray(index * 3, index * 3 + 3);
            const at = add(tile.origin, [x, y, z]);
            const elevation = tile.elevations[index] ?? 0;
            const surface = elevation + Math.max(0, tile.waters[index] ?? 0);
            expect(length(at)).toBeCloseTo(planet.radiusM + surface, level > 10 ? 2 : 0);
            const expected = directionIn(cell, i / QUADS, j / QUADS);
            expect(distance(normalize(at), expected) * planet.radiusM).toBeLessThan(edgeM * 1e-4 + 0.01);
            expect(elevation).toBeGreaterThanOrEqual(tile.lowestM - 1e-3);
            expect(elevation).toBeLessThanOrEqual(tile.highestM + 1e-3);
            const [nx = 0, ny = 0, nz = 0] = tile.forms.subarray(index * 4, index * 4 + 3);
            expect(length(scale([nx, ny, nz], 1 / 32_767))).toBeCloseTo(1, 3);
            expect(dot([nx, ny, nz], at)).toBeGreaterThan(0);
          }
        }
      }
    });
  }

  it("at the finest level stands where bodies walk", () => {
    for (const place of PLACES) {
      const cell = cellAt(place, 15);
      const tile = readTile(buildTile(cell, 32), 32);
      const middle = 16 * 33 + 16;
      const walked = planet.elevationM(directionIn(cell, 0.5, 0.5));
      expect(Math.abs((tile.elevations[middle] ?? 0) - walked)).toBeLessThan(1e-3);
    }
  });

  it("knows where its water is, and what its parent looks like", () => {
    const depths: number[] = [];
    for (const place of PLACES) {
      const cell = cellAt(place, 4);
      const tile = readTile(buildTile(cell, QUADS), QUADS);
      const parent = readTile(buildTile(cellAt(place, 3), QUADS), QUADS);
      tile.waters.forEach((depthM, index) => {
        depths.push(depthM);
        const elevation = tile.elevations[index] ?? 0;
        if (tile.covers[index * 4 + 1] === 255 && depthM > 0) expect(depthM).toBeCloseTo(-elevation, 3);
      });
      expect(tile.covers).toHaveLength(vertexCount(QUADS) * 4);
      // The corner that both share in the grid of the parent.
      const half = QUADS / 2;
      const at = (cell.j % 2) * half * (QUADS + 1) + (cell.i % 2) * half;
      const radius = (data: typeof tile, index: number) => {
        const [x = 0, y = 0, z = 0] = data.positions.subarray(index * 3, index * 3 + 3);
        return length(add(data.origin, [x, y, z]));
      };
      expect(radius(tile, 0) + (tile.morphs[0] ?? 0)).toBeCloseTo(radius(parent, at), 0);
      for (let k = 0; k < 4; k += 1) {
        const [own = 0, model = 0] = [tile.parentForms[k], parent.forms[at * 4 + k]];
        expect(own / 127).toBeCloseTo(model / 32_767, 1);
      }
    }
    expect(depths.some((depthM) => depthM > 0)).toBe(true);
    expect(depths.some((depthM) => depthM === -1000)).toBe(true);
  });

  it("has triangles that all face outwards, and skirts below its edges", () => {
    const cell = cellAt([0.2, -0.9, 0.4], 9);
    const tile = readTile(buildTile(cell, QUADS), QUADS);
    const at = (index: number): Vec3 => {
      const [x = 0, y = 0, z = 0] = tile.positions.subarray(index * 3, index * 3 + 3);
      return add(tile.origin, [x, y, z]);
    };
    const indices = gridIndices(QUADS);
    for (let triangle = 0; triangle < QUADS * QUADS * 2; triangle += 1) {
      const [a = 0, b = 0, c = 0] = indices.subarray(triangle * 3, triangle * 3 + 3);
      const [p, q, r] = [at(a), at(b), at(c)];
      const [u, v] = [add(q, scale(p, -1)), add(r, scale(p, -1))];
      const normal: Vec3 = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      expect(dot(normal, p)).toBeGreaterThan(0);
    }
    const south = (QUADS + 1) ** 2;
    for (let k = 0; k <= QUADS; k += 1) expect(length(at(south + k))).toBeLessThan(length(at(k)) - 0.2);
    expect(Math.max(...indices)).toBe(vertexCount(QUADS) - 1);
  });
});

describe("a patch of plants", () => {
  it("stands on dry ground inside its cell", () => {
    let count = 0;
    for (let index = 0; index < 150; index += 1) {
      const z = 1 - (2 * (index + 0.5)) / 150;
      const ring = Math.sqrt(1 - z * z);
      const cell = cellAt([ring * Math.cos(index * 2.4), ring * Math.sin(index * 2.4), z], 14);
      const { origin, plants } = readPlants(buildPlants(cell, 16, "trees"));
      count += plants.length;
      for (const plant of plants) {
        const at = add(origin, plant.position);
        expect(cellAt(at, 14)).toEqual(cell);
        const ground = planet.elevationM(at);
        expect(ground).toBeGreaterThan(0);
        expect(Math.abs(length(at) - planet.radiusM - ground)).toBeLessThan(1);
        expect(plant.kind).toBeLessThan(16);
      }
    }
    expect(count).toBeGreaterThan(50);
    // Each of these places is ground that nobody has seen.
  }, 60_000);
});

it("refuses cells that are not there", () => {
  expect(() => buildTile({ face: 6, level: 3, i: 0, j: 0 }, QUADS)).toThrow("refused");
  expect(() => buildTile({ face: 0, level: 3, i: 8, j: 0 }, QUADS)).toThrow("refused");
  expect(() => buildTile({ face: 0, level: 3, i: 0, j: 0 }, 1000)).toThrow("refused");
});
