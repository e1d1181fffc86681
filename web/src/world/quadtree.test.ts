import { describe, expect, it } from "vitest";
import { addScaled, dot, length, normalize, scale, type Vec3 } from "../geo/vec3.ts";
import { type CellAddress, cellAt, directionIn } from "./cells.ts";
import { Quadtree, type Selection, type TileNode, type Viewpoint } from "./quadtree.ts";

const RADIUS_M = 796_375;
const RELIEF_M = 3000;

function makeTree(tilesMax = 2000) {
  const evicted: number[] = [];
  const tree = new Quadtree<number>(
    { radiusM: RADIUS_M, levelMax: 15, reliefM: RELIEF_M, tilesMax },
    (tile) => evicted.push(tile),
  );
  return { tree, evicted };
}

const build = (tree: Quadtree<number>, node: TileNode<number>) => {
  const edge = node.edgeM;
  const center = scale(directionIn(node.cell, 0.5, 0.5), RADIUS_M + 10);
  return tree.accept(node.key, node.key, { center, radiusM: edge * 0.95 + 20, lowestM: 0, highestM: 20 });
};

const all: Viewpoint["sees"] = () => true;
const viewFrom = (eye: Vec3): Viewpoint => ({ eye, splitDistance: 1.5, sees: all });

/** Selects and builds until nothing is wanted; `perRound` tiles at a time. */
function settle(
  tree: Quadtree<number>,
  view: Viewpoint,
  check: (s: Selection<number>) => void,
  perRound = 60,
) {
  for (let round = 0; round < 3000; round += 1) {
    const selection = tree.select(view);
    check(selection);
    if (selection.wanted.length === 0) return selection;
    for (const node of selection.wanted.slice(0, perRound)) build(tree, node);
  }
  throw new Error("it never settles");
}

const contains = (outer: CellAddress, inner: CellAddress) =>
  outer.face === inner.face &&
  outer.level <= inner.level &&
  inner.i >> (inner.level - outer.level) === outer.i &&
  inner.j >> (inner.level - outer.level) === outer.j;

/** Places that must be covered: near ones below the eye, and some all over the visible cap. */
function visiblePlaces(eye: Vec3): Vec3[] {
  const up = normalize(eye);
  const cosHorizon = RADIUS_M / length(eye);
  const places: Vec3[] = [];
  for (let index = 0; index < 250; index += 1) {
    const reach = Math.acos(cosHorizon) * (index / 250) ** 3 * 0.98;
    const side = normalize([Math.sin(index * 2.4), Math.cos(index * 2.4), Math.sin(index * 1.3)]);
    const flat = normalize(addScaled(side, up, -dot(side, up)));
    places.push(normalize(addScaled(scale(up, Math.cos(reach)), flat, Math.sin(reach))));
  }
  return places;
}

const EYES: readonly (readonly [string, Vec3])[] = [
  ["at eye height by a cube corner", scale(normalize([1, 1, 1.000001]), RADIUS_M + 2)],
  ["at eye height on the north pole", [0, 0, RADIUS_M + 2]],
  ["two kilometres up on a cube edge", scale(normalize([1, 1, 0.2]), RADIUS_M + 2000)],
  ["in space", scale(normalize([-0.3, 0.5, -0.7]), RADIUS_M * 2.5)],
];

describe("the choice of tiles", () => {
  for (const [name, eye] of EYES) {
    it(`covers every visible place exactly once, at every moment, ${name}`, () => {
      const { tree } = makeTree();
      const places = visiblePlaces(eye);
      settle(tree, viewFrom(eye), ({ drawn }) => {
        expect(drawn.every((node) => node.tile !== undefined)).toBe(true);
        if (!tree.isWhole) return;
        for (const place of places) {
          const leaf = cellAt(place, 16);
          expect(drawn.filter((node) => contains(node.cell, leaf))).toHaveLength(1);
        }
      });
    });
  }

  it("is finest under the eye and coarse at the horizon", () => {
    const { tree } = makeTree();
    const eye: Vec3 = [RADIUS_M + 2, 0, 0];
    const { drawn } = settle(tree, viewFrom(eye), () => {}, 50);
    const below = drawn.find((node) => contains(node.cell, cellAt(eye, 15)));
    expect(below?.cell.level).toBe(15);
    expect(Math.min(...drawn.map((node) => node.cell.level))).toBeLessThan(10);
    expect(drawn.length).toBeLessThan(600);
  });

  it("leaves out what lies behind the horizon and what the eye does not look at", () => {
    const { tree } = makeTree();
    const eye: Vec3 = [RADIUS_M * 2, 0, 0];
    const { drawn } = settle(tree, viewFrom(eye), () => {}, 50);
    for (const node of drawn) expect(dot(normalize(node.center), [1, 0, 0])).toBeGreaterThan(-0.7);
    const blind = tree.select({ ...viewFrom(eye), sees: () => false });
    expect(blind.drawn).toHaveLength(0);
  });

  it("asks for the whole way down at once, coarse tiles first", () => {
    const { tree } = makeTree();
    const eye: Vec3 = [0, RADIUS_M + 2, 0];
    for (const root of tree.select(viewFrom(eye)).wanted.slice(0, 6)) build(tree, root);
    const { wanted } = tree.select(viewFrom(eye));
    const levels = wanted.map((node) => node.cell.level);
    expect(Math.max(...levels)).toBeGreaterThan(10);
    expect(levels[0]).toBe(1);
  });

  it("shows the ground under the eye before it turns to the horizon", () => {
    const { tree } = makeTree();
    const eye: Vec3 = scale(normalize([0.3, 0.9, 0.2]), RADIUS_M + 2);
    // What lies behind the eye is out of sight, and still its tiles are sisters of those before it.
    const view: Viewpoint = { ...viewFrom(eye), sees: (center, radiusM) => center[0] > -radiusM };
    const leaf = cellAt(eye, 15);
    let readyWhenFine: number | undefined;
    settle(
      tree,
      view,
      ({ drawn }) => {
        const isFine = drawn.some(({ cell }) => cell.level === 15 && contains(cell, leaf));
        if (isFine) readyWhenFine ??= tree.readyCount;
      },
      10,
    );
    expect(readyWhenFine).toBeLessThan(tree.readyCount * 0.5);
  });

  it("refuses a tile that came twice or that nobody knows", () => {
    const { tree } = makeTree();
    const [root] = tree.roots;
    if (!root) throw new Error("a cube has faces");
    expect(build(tree, root)).toBe(true);
    expect(build(tree, root)).toBe(false);
    expect(tree.accept(12345, 1, { center: [0, 0, 0], radiusM: 1, lowestM: 0, highestM: 0 })).toBe(false);
  });

  it("stays within its limit over a long walk, and frees what it drops", () => {
    const { tree, evicted } = makeTree(1200);
    for (let step = 0; step < 12; step += 1) {
      const angle = step * 0.2;
      const eye: Vec3 = [(RADIUS_M + 2) * Math.cos(angle), (RADIUS_M + 2) * Math.sin(angle), 0];
      settle(tree, viewFrom(eye), () => {}, 100);
      tree.select(viewFrom(eye));
      expect(tree.readyCount).toBeLessThanOrEqual(1200);
    }
    expect(evicted.length).toBeGreaterThan(0);
    expect(new Set(tree.roots.map((root) => root.tile)).size).toBe(6);
  });
});
