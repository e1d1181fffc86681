/** What grows near the player: asks the workers for patches of plants and draws each kind in one call. */
import {
  DoubleSide,
  DynamicDrawUsage,
  InstancedBufferAttribute,
  type InstancedBufferGeometry,
  Mesh,
  type Scene,
  type ShaderMaterial,
} from "three";
import { addScaled, anyTangent, cross, distance, normalize, subtract, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellAt, cellKey, cellOf, directionIn } from "./cells.ts";
import { depthMaterial, litMaterial } from "./lit_material.ts";
import { type Job, type Plant, type PlantData, type PlantLayer, readPlants } from "./messages.ts";
import { PLANT_KINDS, PLANT_SHAPE } from "./plant_shapes.ts";

/** How the two layers are cut: the level of a patch at shift 3 and the places along its side. */
const LAYERS = {
  trees: { level: 14, slots: 16 },
  grass: { level: 16, slots: 20 },
} as const satisfies Record<PlantLayer, { level: number; slots: number }>;

/** Nearer than this trees have their full shape. */
const NEAR_M = 85;
/** Lists are made anew after this many metres of walking, so reach a little farther than is shown. */
const REBUILD_M = 8;
/** And not more often than this while patches arrive. */
const REBUILD_MS = 120;
/** Patches are kept this much farther than trees are shown, for those who turn back. */
const KEPT_M = 400;
/** The most plants of one kind drawn at once. */
const KIND_MAX = 16_384;

interface Patch {
  readonly data: PlantData;
  /** Unit vector of the cell's centre. */
  readonly direction: Vec3;
}

interface Needed {
  readonly cell: CellAddress;
  readonly key: number;
  readonly layer: PlantLayer;
}

interface Attributes {
  readonly place: InstancedBufferAttribute;
  readonly look: InstancedBufferAttribute;
  readonly climate: InstancedBufferAttribute;
}

/** One draw call, with its twin in the shadow pass if it casts one. */
interface Stand {
  readonly geometry: InstancedBufferGeometry;
  readonly meshes: readonly Mesh[];
  attributes: Attributes;
  count: number;
}

export interface PlantOptions {
  readonly radiusM: number;
  readonly shift: number;
  readonly treeRadiusM: number;
  readonly grassRadiusM: number;
  readonly uniforms: Record<string, { value: unknown }>;
}

export class Plants {
  private readonly material: ShaderMaterial;
  private readonly depth: ShaderMaterial;
  private readonly near: readonly Stand[];
  private readonly far: readonly (Stand | undefined)[];
  private readonly patches = new Map<number, Patch>();
  private needed: readonly Needed[] = [];
  private anchor: Vec3 | undefined;
  private isStale = false;
  private builtAtMs = 0;

  constructor(
    private readonly scene: Scene,
    private readonly shadowScene: Scene,
    private readonly options: PlantOptions,
  ) {
    this.material = litMaterial(PLANT_SHAPE, options.uniforms);
    this.material.side = DoubleSide;
    this.depth = depthMaterial(PLANT_SHAPE, options.uniforms);
    this.depth.side = DoubleSide;
    this.near = PLANT_KINDS.map((kind) => this.makeStand(kind.near(), kind.castsShadow));
    this.far = PLANT_KINDS.map((kind) => (kind.far ? this.makeStand(kind.far(), false) : undefined));
  }

  /** Shows what stands round `player` and returns the patches still to be made, the nearest first. */
  update(player: Vec3, eye: Vec3, nowMs: number): Job[] {
    const hasMoved = !this.anchor || distance(player, this.anchor) > REBUILD_M;
    if (hasMoved) this.needed = [...this.around(player, "grass"), ...this.around(player, "trees")];
    if (hasMoved || (this.isStale && nowMs - this.builtAtMs > REBUILD_MS)) this.rebuild(player, nowMs);
    if (this.anchor) this.moveTo(subtract(this.anchor, eye));
    return this.needed
      .filter(({ key }) => !this.patches.has(key))
      .map(({ cell, key, layer }) => ({ kind: "plants", key, cell, slots: LAYERS[layer].slots, layer }));
  }

  /** Takes a patch that a worker has made. */
  accept(key: number, bytes: ArrayBuffer): void {
    const data = readPlants(bytes);
    this.patches.set(key, { data, direction: directionIn(cellOf(key), 0.5, 0.5) });
    this.isStale = true;
  }

  hide(): void {
    for (const stand of this.stands()) for (const mesh of stand.meshes) mesh.visible = false;
  }

  dispose(): void {
    for (const stand of this.stands()) {
      for (const mesh of stand.meshes) mesh.removeFromParent();
      stand.geometry.dispose();
    }
    this.material.dispose();
    this.depth.dispose();
    this.patches.clear();
  }

  private stands(): Stand[] {
    return [...this.near, ...this.far.filter((stand) => stand !== undefined)];
  }

  private around(player: Vec3, layer: PlantLayer): Needed[] {
    const { radiusM, shift, treeRadiusM, grassRadiusM } = this.options;
    const reachM = layer === "trees" ? treeRadiusM : grassRadiusM;
    if (reachM <= 0) return [];
    const level = LAYERS[layer].level + 3 - shift;
    return cellsAround(player, reachM + REBUILD_M, level, radiusM).map((cell) => ({
      cell,
      key: cellKey(cell),
      layer,
    }));
  }

  private makeStand(geometry: InstancedBufferGeometry, castsShadow: boolean): Stand {
    const mesh = new Mesh(geometry, this.material);
    this.scene.add(mesh);
    const meshes = [mesh];
    if (castsShadow) {
      const twin = new Mesh(geometry, this.depth);
      this.shadowScene.add(twin);
      meshes.push(twin);
    }
    for (const each of meshes) {
      each.frustumCulled = false;
      each.matrixAutoUpdate = false;
      each.matrixWorldAutoUpdate = false;
      each.visible = false;
    }
    return { geometry, meshes, attributes: attach(geometry, 64), count: 0 };
  }

  private moveTo(at: Vec3): void {
    for (const stand of this.stands()) {
      for (const mesh of stand.meshes) {
        mesh.visible = stand.count > 0;
        const { elements } = mesh.matrixWorld;
        [elements[12], elements[13], elements[14]] = at;
      }
    }
  }

  /** Sorts every plant within reach into the draw call of its kind and distance. */
  private rebuild(player: Vec3, nowMs: number): void {
    const { radiusM, treeRadiusM, grassRadiusM } = this.options;
    const up = normalize(player);
    this.anchor = player;
    this.isStale = false;
    this.builtAtMs = nowMs;
    const near = PLANT_KINDS.map((): Chosen[] => []);
    const far = PLANT_KINDS.map((): Chosen[] => []);
    for (const [key, patch] of this.patches) {
      // Along the ground, whatever its height.
      const away = distance(patch.direction, up) * radiusM;
      if (away > treeRadiusM + KEPT_M) {
        this.patches.delete(key);
        continue;
      }
      const offset = subtract(patch.data.origin, player);
      for (const plant of patch.data.plants) {
        const position: Vec3 = [
          offset[0] + plant.position[0],
          offset[1] + plant.position[1],
          offset[2] + plant.position[2],
        ];
        const reach = plant.kind >= 6 ? grassRadiusM : treeRadiusM;
        const d2 = position[0] ** 2 + position[1] ** 2 + position[2] ** 2;
        if (d2 > (reach + REBUILD_M) ** 2) continue;
        const isNear = d2 < NEAR_M * NEAR_M || !this.far[plant.kind];
        (isNear ? near : far)[plant.kind]?.push({ plant, position, patch: patch.data, reach });
      }
    }
    for (const [kind, chosen] of near.entries()) fill(this.near[kind], chosen);
    for (const [kind, chosen] of far.entries()) fill(this.far[kind], chosen);
  }
}

interface Chosen {
  readonly plant: Plant;
  readonly position: Vec3;
  readonly patch: PlantData;
  readonly reach: number;
}

function fill(stand: Stand | undefined, chosen: readonly Chosen[]): void {
  if (!stand) return;
  stand.count = Math.min(chosen.length, KIND_MAX);
  stand.geometry.instanceCount = stand.count;
  if (stand.count > stand.attributes.place.count) {
    // A buffer on the GPU cannot grow: let the old ones go with everything that refers to them.
    stand.geometry.dispose();
    stand.attributes = attach(stand.geometry, stand.count * 2);
  }
  const { place, look, climate } = stand.attributes;
  for (const [index, { plant, position, patch, reach }] of chosen.slice(0, KIND_MAX).entries()) {
    place.setXYZW(index, ...position, plant.scale);
    look.setXYZW(index, plant.yaw, plant.tint, plant.lean, reach);
    climate.setXY(index, patch.temperature, patch.rain);
  }
  for (const attribute of [place, look, climate]) attribute.needsUpdate = true;
}

function attach(geometry: InstancedBufferGeometry, count: number): Attributes {
  const attribute = (name: string, size: number) => {
    const made = new InstancedBufferAttribute(new Float32Array(count * size), size);
    made.setUsage(DynamicDrawUsage);
    geometry.setAttribute(name, made);
    return made;
  };
  return { place: attribute("iPlace", 4), look: attribute("iLook", 4), climate: attribute("iClimate", 2) };
}

/** Cells of `level` that a disc on the ground touches, the nearest first. */
export function cellsAround(center: Vec3, reachM: number, level: number, radiusM: number): CellAddress[] {
  const up = normalize(center);
  const side = anyTangent(up);
  const ahead = cross(up, side);
  // Half the shortest edge of a cell of this level (0.943, see planet-and-sim.md): no cell slips through.
  const stepM = (radiusM * 0.943 * 2 ** -level) / 2;
  const steps = Math.ceil(reachM / stepM);
  const found = new Map<number, { cell: CellAddress; away: number }>();
  for (let x = -steps; x <= steps; x += 1) {
    for (let y = -steps; y <= steps; y += 1) {
      const away = Math.sqrt(x * x + y * y) * stepM;
      if (away > reachM + stepM) continue;
      const at = addScaled(addScaled(up, side, (x * stepM) / radiusM), ahead, (y * stepM) / radiusM);
      const cell = cellAt(at, level);
      const key = cellKey(cell);
      const known = found.get(key);
      if (!known || known.away > away) found.set(key, { cell, away });
    }
  }
  return [...found.values()].sort((a, b) => a.away - b.away).map(({ cell }) => cell);
}
