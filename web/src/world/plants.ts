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
import {
  add,
  addScaled,
  anyTangent,
  cross,
  distance,
  length,
  normalize,
  subtract,
  type Vec3,
} from "../geo/vec3.ts";
import { type CellAddress, cellAt, cellKey, cellOf, directionIn } from "./cells.ts";
import { depthMaterial, litMaterial } from "./lit_material.ts";
import {
  type Job,
  PLANT_LAYERS,
  type Plant,
  type PlantData,
  type PlantLayer,
  readPlants,
} from "./messages.ts";
import { choosePlant, type PlantChoice, type PlantReach } from "./plant_lod.ts";
import { PLANT_KINDS, PLANT_SHAPE } from "./plant_shapes.ts";

/** How the layers are cut: the level of a patch at shift 3 and the places along its side. */
const LAYERS = {
  trees: { level: 14, slots: 16 },
  grass: { level: 16, slots: 20 },
  canopy: { level: 12, slots: 24 },
} as const satisfies Record<PlantLayer, { level: number; slots: number }>;

/** Lists are made anew after this many metres of walking, so reach a little farther than is shown. */
const REBUILD_M = 8;
/** And not more often than this while patches arrive. */
const REBUILD_MS = 120;
/** Patches are kept this much farther than what they hold is shown, for those who turn back. */
const KEPT_M = 400;
/** The most plants of one kind drawn at once. */
const KIND_MAX = 16_384;
/** Trees leave this much room round places where people arrive. */
const CLEARING_M = 7;

interface Patch {
  readonly data: PlantData;
  /** Unit vector of the cell's centre. */
  readonly direction: Vec3;
  readonly layer: PlantLayer;
}

interface Needed {
  readonly cell: CellAddress;
  readonly key: number;
  readonly layer: PlantLayer;
}

export interface PlantOptions {
  readonly radiusM: number;
  readonly shift: number;
  readonly reach: PlantReach;
  /** Unit vectors of where newcomers arrive: no tree stands in their way. */
  readonly clearings: readonly Vec3[];
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
    this.near = PLANT_KINDS.map((kind) => this.makeStand(kind.near(), kind.isTree));
    this.far = PLANT_KINDS.map((kind) => (kind.far ? this.makeStand(kind.far(), false) : undefined));
  }

  /** Shows what stands round `player` and returns the patches still to be made, the nearest first. */
  update(player: Vec3, eye: Vec3, nowMs: number): Job[] {
    const hasMoved = !this.anchor || distance(player, this.anchor) > REBUILD_M;
    if (hasMoved) this.needed = PLANT_LAYERS.flatMap((layer) => this.around(player, layer));
    if (hasMoved || (this.isStale && nowMs - this.builtAtMs > REBUILD_MS)) this.rebuild(player, nowMs);
    if (this.anchor) this.moveTo(subtract(this.anchor, eye));
    return this.needed
      .filter(({ key }) => !this.patches.has(key))
      .map(({ cell, key, layer }) => ({ kind: "plants", key, cell, slots: LAYERS[layer].slots, layer }));
  }

  /** Takes a patch that a worker has made. */
  accept(key: number, bytes: ArrayBuffer): void {
    const data = readPlants(bytes);
    const cell = cellOf(key);
    const layer = PLANT_LAYERS.find((name) => this.levelOf(name) === cell.level);
    if (!layer) throw new Error(`there are no plants of level ${cell.level}`);
    this.patches.set(key, { data, direction: directionIn(cell, 0.5, 0.5), layer });
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

  private levelOf(layer: PlantLayer): number {
    return LAYERS[layer].level + 3 - this.options.shift;
  }

  private reachOf(layer: PlantLayer): number {
    const { treesM, grassM, canopyM } = this.options.reach;
    return { trees: treesM, grass: grassM, canopy: canopyM }[layer];
  }

  private around(player: Vec3, layer: PlantLayer): Needed[] {
    const reachM = this.reachOf(layer);
    if (reachM <= 0) return [];
    return cellsAround(player, reachM + REBUILD_M, this.levelOf(layer), this.options.radiusM).map((cell) => ({
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
    return new Stand(geometry, meshes);
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
    const { radiusM, reach, clearings } = this.options;
    const up = normalize(player);
    this.anchor = player;
    this.isStale = false;
    this.builtAtMs = nowMs;
    for (const stand of this.stands()) stand.clear();
    const nearby = clearings.filter((place) => distance(place, up) * radiusM < reach.treesM);
    for (const [key, { data, direction, layer }] of this.patches) {
      // Along the ground, whatever its height.
      const away = distance(direction, up) * radiusM;
      if (away > this.reachOf(layer) + KEPT_M) {
        this.patches.delete(key);
        continue;
      }
      const [x0, y0, z0] = subtract(data.origin, player);
      for (const plant of data.plants) {
        const [x, y, z] = plant.position;
        const at: Vec3 = [x0 + x, y0 + y, z0 + z];
        const far = this.far[plant.kind];
        const choice = choosePlant(layer, far !== undefined, length(at), reach, REBUILD_M);
        if (!choice) continue;
        if (layer === "trees" && isIn(nearby, add(at, player), radiusM)) continue;
        const stand = choice.shape === "far" ? far : this.near[plant.kind];
        stand?.add(at, plant, data, choice);
      }
    }
    for (const stand of this.stands()) stand.upload();
  }
}

/** Numbers of one instance in each of the three buffers. */
const INSTANCE = { iPlace: 4, iLook: 4, iClimate: 3 } as const;
type Buffer = keyof typeof INSTANCE;
const BUFFERS = Object.keys(INSTANCE) as readonly Buffer[];
const ROOM_FIRST = 64;

/** One draw call, with its twin in the shadow pass if it casts one. */
class Stand {
  count = 0;
  private values: Record<Buffer, Float32Array<ArrayBuffer>>;
  private uploaded = 0;

  constructor(
    readonly geometry: InstancedBufferGeometry,
    readonly meshes: readonly Mesh[],
  ) {
    this.values = room(ROOM_FIRST);
    this.attach();
  }

  clear(): void {
    this.count = 0;
  }

  /** Adds a plant at a place relative to the anchor; silently full at {@link KIND_MAX}. */
  add(at: Vec3, plant: Plant, patch: PlantData, { fromM, toM }: PlantChoice): void {
    if (this.count === KIND_MAX) return;
    if (this.count * INSTANCE.iPlace === this.values.iPlace.length) {
      const wider = room(this.count * 2);
      for (const name of BUFFERS) wider[name].set(this.values[name]);
      this.values = wider;
    }
    const { iPlace, iLook, iClimate } = this.values;
    iPlace.set(at, this.count * 4);
    iPlace[this.count * 4 + 3] = plant.scale;
    iLook[this.count * 4] = plant.yaw;
    iLook[this.count * 4 + 1] = plant.tint;
    iLook[this.count * 4 + 2] = plant.lean;
    iLook[this.count * 4 + 3] = toM;
    iClimate[this.count * 3] = patch.temperature;
    iClimate[this.count * 3 + 1] = patch.rain;
    iClimate[this.count * 3 + 2] = fromM;
    this.count += 1;
  }

  /** Gives what was added to the GPU. */
  upload(): void {
    this.geometry.instanceCount = this.count;
    if (this.values.iPlace.length > this.uploaded) {
      // A buffer on the GPU cannot grow: let the old ones go with everything that refers to them.
      this.geometry.dispose();
      this.attach();
    }
    for (const name of BUFFERS) {
      const attribute = this.geometry.getAttribute(name) as InstancedBufferAttribute;
      attribute.clearUpdateRanges();
      attribute.addUpdateRange(0, this.count * INSTANCE[name]);
      attribute.needsUpdate = true;
    }
  }

  private attach(): void {
    for (const name of BUFFERS) {
      const attribute = new InstancedBufferAttribute(this.values[name], INSTANCE[name]);
      attribute.setUsage(DynamicDrawUsage);
      this.geometry.setAttribute(name, attribute);
    }
    this.uploaded = this.values.iPlace.length;
  }
}

function room(count: number): Record<Buffer, Float32Array<ArrayBuffer>> {
  return {
    iPlace: new Float32Array(count * INSTANCE.iPlace),
    iLook: new Float32Array(count * INSTANCE.iLook),
    iClimate: new Float32Array(count * INSTANCE.iClimate),
  };
}

/** Whether a place lies in one of the clearings, along the ground. */
function isIn(clearings: readonly Vec3[], at: Vec3, radiusM: number): boolean {
  const direction = normalize(at);
  return clearings.some((clearing) => distance(clearing, direction) * radiusM < CLEARING_M);
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
