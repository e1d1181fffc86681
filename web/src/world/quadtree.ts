/**
 * Which terrain tiles to draw: a quadtree over the six faces of the cube, without a screen and without workers.
 *
 * The rule that keeps the ground whole: a tile is replaced by its four children only when all four are ready,
 * so whatever is asked for and not yet there is covered by an ancestor.
 */

import { distance, length, scale, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellKey, directionIn } from "./cells.ts";

/** A node of the tree; `T` is what the renderer keeps for a tile that is ready. */
export interface TileNode<T> {
  readonly cell: CellAddress;
  readonly key: number;
  readonly edgeM: number;
  /** Bounding sphere and highest ground: estimates until the tile is ready. */
  center: Vec3;
  radiusM: number;
  highestM: number;
  lowestM: number;
  /** Absent until built. */
  tile: T | undefined;
  children: readonly [TileNode<T>, TileNode<T>, TileNode<T>, TileNode<T>] | undefined;
  /** The last selection that drew this tile, or wanted it to. */
  usedAt: number;
}

/** What a finished tile tells the tree about itself. */
export interface TileBounds {
  readonly center: Vec3;
  readonly radiusM: number;
  readonly lowestM: number;
  readonly highestM: number;
}

export interface QuadtreeOptions {
  readonly radiusM: number;
  readonly levelMax: number;
  /** The highest ground there may be, for tiles not yet built. */
  readonly reliefM: number;
  readonly tilesMax: number;
}

export interface Viewpoint {
  readonly eye: Vec3;
  /** A tile is split when it is nearer than this many times its edge. */
  readonly splitDistance: number;
  /** Whether a sphere, its centre given relative to the eye, may be on the screen. */
  readonly sees: (relativeCenter: Vec3, radiusM: number) => boolean;
}

export interface Selection<T> {
  /** Ready tiles that cover everything visible, none over another. */
  readonly drawn: readonly TileNode<T>[];
  /** Tiles to build, the most urgent first. */
  readonly wanted: readonly TileNode<T>[];
}

/** Deep sea needs no small tiles: there is nothing on it but waves, which the shader makes. */
const DEEP_SEA_M = -40;
/** The first levels are split early: from orbit a coast should be a coast, and the outline of the globe round. */
const ROUND_LEVELS = 3;
const ROUND_SPLIT_DISTANCE = 4.2;
/** No more is asked for at once than this; the rest is asked for in later frames. */
const WANTED_MAX = 300;
/** Added to the urgency of what is not right below the eye: more than there are levels. */
const AROUND = 100;

/** How near a tile is when it is split, over its edge. */
const splitDistanceAt = (level: number, splitDistance: number) =>
  level < ROUND_LEVELS ? Math.max(splitDistance, ROUND_SPLIT_DISTANCE) : splitDistance;

/**
 * Farther than this from the eye a tile is to look like its parent, so that one takes the other's place unseen: no
 * vertex of it is nearer at the moment when the parent is split.
 */
export function morphEndM({ cell, edgeM }: TileNode<unknown>, splitDistance: number): number {
  // A tile's sphere reaches about 0.75 of its edge, and a third of that beyond what `nearness` takes off.
  return 2 * edgeM * (splitDistanceAt(cell.level - 1, splitDistance) - 0.25);
}

/** Whether the eye is so near to a tile that it stands on it, or all but. */
const isAt = (node: TileNode<unknown>, nearM: number) => nearM < node.edgeM * 0.05;

export class Quadtree<T> {
  readonly roots: readonly TileNode<T>[];
  private readonly ready = new Set<TileNode<T>>();
  private readonly nodes = new Map<number, TileNode<T>>();
  private turn = 0;

  constructor(
    private readonly options: QuadtreeOptions,
    /** Told of every tile that leaves the tree, to free what it holds. */
    private readonly onEvict: (tile: T) => void,
  ) {
    this.roots = [0, 1, 2, 3, 4, 5].map((face) => this.makeNode({ face, level: 0, i: 0, j: 0 }, undefined));
  }

  get readyCount(): number {
    return this.ready.size;
  }

  /** Whether the whole globe can be drawn, coarsely at least. */
  get isWhole(): boolean {
    return this.roots.every((root) => root.tile !== undefined);
  }

  /** Puts a finished tile in its place; false if nobody wants it any more, and the caller keeps it. */
  accept(key: number, tile: T, bounds: TileBounds): boolean {
    const node = this.nodes.get(key);
    if (!node || node.tile !== undefined) return false;
    node.tile = tile;
    node.center = bounds.center;
    node.radiusM = bounds.radiusM;
    node.lowestM = bounds.lowestM;
    node.highestM = bounds.highestM;
    this.ready.add(node);
    return true;
  }

  select(view: Viewpoint): Selection<T> {
    this.turn += 1;
    const drawn: TileNode<T>[] = [];
    const wanted: { node: TileNode<T>; urgency: number }[] = [];
    const eyeRadius = length(view.eye);
    const { radiusM } = this.options;
    const eyeToHorizon = Math.sqrt(Math.max(0, eyeRadius * eyeRadius - radiusM * radiusM));
    const want = (node: TileNode<T>, urgency: number) => {
      if (node.tile === undefined) wanted.push({ node, urgency });
    };

    const reachOf = (node: TileNode<T>): number => {
      const reach = splitDistanceAt(node.cell.level, view.splitDistance);
      const isDeepSea = node.tile !== undefined && node.highestM < DEEP_SEA_M && node.cell.level >= 5;
      return node.edgeM * (isDeepSea ? reach * 0.4 : reach);
    };
    /** How near the tile is, or undefined where it cannot be seen. */
    const nearness = (node: TileNode<T>): number | undefined => {
      node.usedAt = this.turn;
      const away = distance(node.center, view.eye);
      if (!this.mayBeSeen(node, away, eyeToHorizon, view)) return undefined;
      return Math.max(away - node.radiusM * 0.7, 1e-3);
    };
    /** Asks for a tile that is not there, and for what will be wanted below it: one round instead of one a level. */
    const expect = (node: TileNode<T>, isBelowEye: boolean): void => {
      const near = nearness(node);
      // Sisters out of sight are as urgent as their level: until they are there the others cannot be shown.
      const far = Math.min((near ?? radiusM) / radiusM, 0.99);
      want(node, node.cell.level + far + (isBelowEye ? 0 : AROUND));
      if (near === undefined || near >= reachOf(node) || node.cell.level >= this.options.levelMax) return;
      if (wanted.length >= WANTED_MAX) return;
      for (const child of this.childrenOf(node)) expect(child, isBelowEye && isAt(node, near));
    };
    const visit = (node: TileNode<T>): void => {
      const near = nearness(node);
      if (near === undefined) return;
      if (near < reachOf(node) && node.cell.level < this.options.levelMax) {
        const children = this.childrenOf(node);
        if (children.every((child) => child.tile !== undefined)) {
          for (const child of children) visit(child);
          return;
        }
        for (const child of children) expect(child, isAt(node, near));
      }
      if (node.tile !== undefined) drawn.push(node);
    };

    for (const root of this.roots) {
      // Roots are always wanted first: until all six are there, nothing can promise to be without a hole.
      root.usedAt = this.turn;
      want(root, -1);
      if (root.tile !== undefined) visit(root);
    }
    this.evict();
    wanted.sort((a, b) => a.urgency - b.urgency);
    return { drawn, wanted: wanted.map((entry) => entry.node) };
  }

  /** Lets every tile go. */
  dispose(): void {
    for (const node of this.ready) if (node.tile !== undefined) this.onEvict(node.tile);
    this.ready.clear();
    this.nodes.clear();
  }

  private mayBeSeen(node: TileNode<T>, away: number, eyeToHorizon: number, view: Viewpoint): boolean {
    const { radiusM } = this.options;
    const top = radiusM + Math.max(0, node.highestM);
    const horizonToTop = Math.sqrt(top * top - radiusM * radiusM);
    if (away - node.radiusM > eyeToHorizon + horizonToTop) return false;
    const { center } = node;
    return view.sees(
      [center[0] - view.eye[0], center[1] - view.eye[1], center[2] - view.eye[2]],
      node.radiusM,
    );
  }

  private childrenOf(node: TileNode<T>) {
    if (!node.children) {
      const { face, level, i, j } = node.cell;
      const child = (di: number, dj: number) =>
        this.makeNode({ face, level: level + 1, i: i * 2 + di, j: j * 2 + dj }, node);
      node.children = [child(0, 0), child(1, 0), child(0, 1), child(1, 1)];
    }
    return node.children;
  }

  private makeNode(cell: CellAddress, parent: TileNode<T> | undefined): TileNode<T> {
    const { radiusM, reliefM } = this.options;
    const edgeM = (radiusM * Math.PI) / 2 / 2 ** cell.level;
    const highestM = parent?.tile === undefined ? reliefM : parent.highestM + edgeM * 0.5;
    const groundM = Math.max(0, parent?.highestM ?? 0) / 2;
    const node: TileNode<T> = {
      cell,
      key: cellKey(cell),
      edgeM,
      center: scale(directionIn(cell, 0.5, 0.5), radiusM + groundM),
      radiusM: edgeM * 0.95 + Math.min(highestM, edgeM),
      highestM,
      lowestM: parent?.lowestM ?? -reliefM,
      tile: undefined,
      children: undefined,
      usedAt: this.turn,
    };
    this.nodes.set(node.key, node);
    return node;
  }

  /** Frees the tiles longest unused, four sisters at a time, until the limits hold. Roots stay. */
  private evict(): void {
    const { tilesMax } = this.options;
    // Nodes that were wanted for a moment and never built hold no tile, but are not free either.
    const isFull = () => this.ready.size > tilesMax || this.nodes.size > tilesMax * 4;
    // Leaves first; what that lays bare goes in the next round.
    for (let hasDropped = true; hasDropped && isFull(); ) {
      hasDropped = false;
      for (const parent of this.unusedParents()) {
        if (!isFull()) return;
        this.dropChildren(parent);
        hasDropped = true;
      }
    }
  }

  /** Nodes whose four children are leaves and were not used in this turn, the longest unused first. */
  private unusedParents(): TileNode<T>[] {
    const found: { parent: TileNode<T>; usedAt: number }[] = [];
    for (const parent of this.nodes.values()) {
      const { children } = parent;
      if (!children?.every((child) => !child.children && child.usedAt < this.turn)) continue;
      found.push({ parent, usedAt: Math.max(...children.map((child) => child.usedAt)) });
    }
    return found.sort((a, b) => a.usedAt - b.usedAt).map(({ parent }) => parent);
  }

  private dropChildren(parent: TileNode<T>): void {
    for (const child of parent.children ?? []) {
      this.nodes.delete(child.key);
      if (child.tile !== undefined) {
        this.ready.delete(child);
        this.onEvict(child.tile);
      }
    }
    parent.children = undefined;
  }
}
