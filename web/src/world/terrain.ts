/** The ground on the screen: chooses tiles, has them built, draws them. */
import {
  BufferAttribute,
  BufferGeometry,
  Frustum,
  Matrix4,
  Mesh,
  type PerspectiveCamera,
  type Scene,
  ShaderMaterial,
  Sphere,
  Vector3,
} from "three";
import { subtract, type Vec3 } from "../geo/vec3.ts";
import type { CellAddress } from "./cells.ts";
import { type Job, readTile } from "./messages.ts";
import { morphEndM, Quadtree, type TileNode } from "./quadtree.ts";
import type { Defines } from "./quality.ts";
import { RiverMasks } from "./river_masks.ts";
import { TERRAIN_FRAGMENT, TERRAIN_VERTEX } from "./terrain_shader.ts";

interface DrawnTile {
  readonly mesh: Mesh<BufferGeometry, ShaderMaterial>;
  readonly origin: Vec3;
  /** Where the picture of its rivers is, if it has any. */
  readonly riverLayer: number | undefined;
}

export interface TerrainOptions {
  readonly radiusM: number;
  /** The highest ground there may be. */
  readonly reliefM: number;
  readonly quads: number;
  readonly tilesMax: number;
  /** The level whose quads are about a metre. */
  readonly levelMax: number;
  readonly defines: Defines;
  readonly uniforms: Record<string, { value: unknown }>;
  /** Where a tile lies in the lot grid. */
  readonly lotPlaceOf: (cell: CellAddress) => readonly [number, number, number] | undefined;
}

export class Terrain {
  private readonly tree: Quadtree<DrawnTile>;
  private readonly material: ShaderMaterial;
  private readonly index: BufferAttribute;
  private readonly rivers = new RiverMasks();
  private drawn: readonly TileNode<DrawnTile>[] = [];
  private readonly frustum = new Frustum();
  private readonly matrix = new Matrix4();
  private readonly sphere = new Sphere(new Vector3(), 0);

  constructor(
    private readonly scene: Scene,
    private readonly options: TerrainOptions,
  ) {
    const { radiusM, reliefM, tilesMax, levelMax, quads } = options;
    this.index = new BufferAttribute(gridIndices(quads), 1);
    this.material = new ShaderMaterial({
      defines: options.defines,
      vertexShader: TERRAIN_VERTEX,
      fragmentShader: TERRAIN_FRAGMENT,
      uniforms: {
        ...options.uniforms,
        uGridSide: { value: quads + 1 },
        uWaterMask: { value: this.rivers.texture },
      },
    });
    this.tree = new Quadtree({ radiusM, levelMax, tilesMax, reliefM }, (tile) => this.free(tile));
  }

  get drawnCount(): number {
    return this.drawn.length;
  }

  get readyCount(): number {
    return this.tree.readyCount;
  }

  /** Whether the whole globe is there, coarsely at least. */
  get isWhole(): boolean {
    return this.tree.isWhole;
  }

  /** The jobs that make it whole. */
  wholeJobs(): Job[] {
    return this.tree.roots.map((root) => this.jobFor(root));
  }

  /** Shows the best ready tiles for this eye and returns what to build, the most urgent first. */
  update(camera: PerspectiveCamera, eye: Vec3, splitDistance: number): Job[] {
    this.matrix.multiplyMatrices(camera.projectionMatrix, camera.matrixWorldInverse);
    this.frustum.setFromProjectionMatrix(this.matrix);
    const { drawn, wanted } = this.tree.select({
      eye,
      splitDistance,
      sees: (center, radiusM) => {
        this.sphere.center.set(...center);
        this.sphere.radius = radiusM;
        return this.frustum.intersectsSphere(this.sphere);
      },
    });
    for (const node of this.drawn) if (node.tile) node.tile.mesh.visible = false;
    this.drawn = drawn;
    for (const node of drawn) this.place(node, eye, morphEndM(node, splitDistance));
    return wanted.map((node) => this.jobFor(node));
  }

  /** Takes a tile that a worker has built. */
  accept(key: number, bytes: ArrayBuffer): void {
    const data = readTile(bytes, this.options.quads);
    const geometry = new BufferGeometry();
    geometry.setIndex(this.index);
    const attribute = (
      name: string,
      values: Float32Array | Int16Array | Int8Array | Uint16Array | Uint8Array,
      size: number,
      isShare = false,
    ) => geometry.setAttribute(name, new BufferAttribute(values, size, isShare));
    attribute("position", data.positions, 3);
    attribute("tangentSpace", data.forms, 4, true);
    attribute("elevation", data.elevations, 1);
    attribute("water", data.waters, 1);
    attribute("morph", data.morphs, 1);
    attribute("parentSpace", data.parentForms, 4, true);
    attribute("climate", data.climates, 2, true);
    attribute("cover", data.covers, 4);
    const mesh = new Mesh(geometry, this.material);
    mesh.frustumCulled = false;
    mesh.matrixAutoUpdate = false;
    mesh.matrixWorldAutoUpdate = false;
    mesh.visible = false;
    this.scene.add(mesh);
    const riverLayer = data.rivers && this.rivers.add(data.rivers);
    const tile = { mesh, origin: data.origin, riverLayer };
    if (!this.tree.accept(key, tile, data)) this.free(tile);
  }

  dispose(): void {
    this.tree.dispose();
    this.material.dispose();
    this.rivers.dispose();
  }

  private jobFor(node: TileNode<DrawnTile>): Job {
    return { kind: "tile", key: node.key, cell: node.cell, quads: this.options.quads };
  }

  /** Writes the tile's matrix: where it is from the eye, in doubles until here, and what else its shader must know. */
  private place({ tile, cell, edgeM }: TileNode<DrawnTile>, eye: Vec3, morphM: number): void {
    if (!tile) return;
    const at = subtract(tile.origin, eye);
    const lots = this.options.lotPlaceOf(cell) ?? [0, 0, 0];
    const { elements } = tile.mesh.matrixWorld;
    // Positive on the diagonal and nothing below it: the determinant decides what counts as a front face.
    [elements[0], elements[5], elements[10]] = [morphM, (tile.riverLayer ?? -1) + 2, edgeM];
    [elements[4], elements[8], elements[9]] = lots;
    [elements[12], elements[13], elements[14]] = at;
    tile.mesh.visible = true;
  }

  private free(tile: DrawnTile): void {
    tile.mesh.removeFromParent();
    this.rivers.drop(tile.riverLayer);
    // The index is shared: three.js would free it with the first geometry.
    tile.mesh.geometry.setIndex(null);
    tile.mesh.geometry.dispose();
  }
}

/** Triangles of a grid and its skirts, in the order of `tile_build`'s vertices. */
export function gridIndices(quads: number): Uint16Array<ArrayBuffer> {
  const side = quads + 1;
  const indices: number[] = [];
  const quad = (a: number, b: number, c: number, d: number) => indices.push(a, b, d, a, d, c);
  for (let j = 0; j < quads; j += 1) {
    for (let i = 0; i < quads; i += 1) {
      const a = j * side + i;
      quad(a, a + 1, a + side, a + side + 1);
    }
  }
  const south = side * side;
  const [north, west, east] = [south + side, south + side * 2, south + side * 3];
  for (let k = 0; k < quads; k += 1) {
    quad(south + k, south + k + 1, k, k + 1);
    quad(quads * side + k, quads * side + k + 1, north + k, north + k + 1);
    quad(west + k, k * side, west + k + 1, (k + 1) * side);
    quad(k * side + quads, east + k, (k + 1) * side + quads, east + k + 1);
  }
  return new Uint16Array(indices);
}
