import { beforeEach, expect, test, vi } from "vitest";
import type { CellId } from "../geo/cell_id.ts";
import { parseCellToken } from "../geo/cell_id.ts";
import type { Lot } from "../net/domain.ts";
import { type LotApi, Lots } from "./lots.ts";

const cellOf = (token: string): CellId => {
  const cell = parseCellToken(token);
  if (cell === undefined) throw new Error(`${token} is no cell`);
  return cell;
};
const HOME = cellOf("89c25a31");
const PIECE = cellOf("89c25b");

const lot = (change: Partial<Lot> = {}): Lot => ({
  cell: HOME,
  cells: [HOME],
  status: "taken",
  reason: undefined,
  ownerId: "ann",
  ownerName: "Ann",
  name: "Meadow",
  areaM2: 1200,
  priceMinor: 12_000,
  fence: "everyone",
  market: undefined,
  isFrozen: false,
  ...change,
});

function setUp(answers: Partial<LotApi> = {}, me = "bob") {
  const api = {
    lot: vi.fn(answers.lot ?? (async () => lot())),
    lotsIn: vi.fn(answers.lotsIn ?? (async () => [lot()])),
  };
  const planet = {
    radiusM: 1000,
    cellAt: () => HOME,
    centerOf: () => [1, 0, 0] as const,
    cellsWithin: () => [PIECE],
  };
  const onFault = vi.fn();
  return { api, onFault, lots: new Lots(api, planet, 14, () => new Set([me]), onFault) };
}
const settle = () => vi.advanceTimersByTimeAsync(0);
const HERE = [1000, 30, 0] as const;

beforeEach(() => {
  vi.useFakeTimers();
  return () => vi.useRealTimers();
});

test("a lot is unknown until the server has said, and is asked about once", async () => {
  const { api, lots } = setUp();
  expect(lots.lookAt(HOME, HERE, 0)).toMatchObject({ status: "unknown", isInReach: true });
  lots.lookAt(HOME, HERE, 10);
  await settle();
  expect(lots.lookAt(HOME, HERE, 20)).toMatchObject({ status: "taken", ownerName: "Ann", name: "Meadow" });
  expect(api.lot).toHaveBeenCalledOnce();
});

test("one's own is told apart, and what is far is out of reach", async () => {
  const { lots } = setUp({}, "ann");
  lots.lookAt(HOME, HERE, 0);
  await settle();
  expect(lots.lookAt(HOME, [1000, 130, 0], 1)).toMatchObject({ status: "mine", isInReach: false });
  expect(lots.onGround).toEqual([{ token: "89c25a31", state: "mine", parcel: "89c25a31", isPicked: false }]);
});

test("pieces around are fetched once a minute, and again when somebody bought something", async () => {
  const { api, lots } = setUp();
  for (const nowMs of [0, 1_000, 59_000]) {
    lots.walkTo(HERE, nowMs);
    await settle();
  }
  expect(api.lotsIn).toHaveBeenCalledTimes(1);
  expect(lots.onGround).toBe(lots.onGround);
  lots.changed(HOME);
  lots.walkTo(HERE, 59_500);
  expect(api.lotsIn).toHaveBeenCalledTimes(2);
});

test("a server in trouble is left alone for a moment", async () => {
  const { api, onFault, lots } = setUp({ lotsIn: () => Promise.reject(new Error("503")) });
  lots.walkTo(HERE, 0);
  await settle();
  lots.walkTo(HERE, 100);
  expect(api.lotsIn).toHaveBeenCalledTimes(1);
  expect(onFault).toHaveBeenCalledOnce();
  await vi.advanceTimersByTimeAsync(3_000);
  lots.walkTo(HERE, 3_100);
  expect(api.lotsIn).toHaveBeenCalledTimes(2);
});

const NEXT = cellOf("89c25a33");
const FAR = cellOf("89c25b01");

test("land of several lots is known by each of them, with what is for sale and whom its fence keeps out", async () => {
  const market = {
    kind: "auction",
    id: "a1",
    priceMinor: 500,
    currency: "coin",
    endsAtMs: undefined,
  } as const;
  const { api, lots } = setUp({ lot: async () => lot({ cells: [HOME, NEXT], fence: "list", market }) });
  lots.lookAt(HOME, HERE, 0);
  await settle();
  expect(lots.lookAt(NEXT, HERE, 1)).toMatchObject({ parcel: HOME, lotCount: 2, fence: "list", market });
  expect(api.lot).toHaveBeenCalledOnce();
  expect(lots.onGround.map(({ state, parcel }) => [state, parcel])).toEqual([
    ["auction", "89c25a31"],
    ["auction", "89c25a31"],
  ]);
  expect(lots.fences).toEqual([{ cells: ["89c25a31", "89c25a33"], isClosed: false }]);
  const closed = [NEXT];
  lots.setClosed(closed);
  expect(lots.fences).toEqual([{ cells: ["89c25a31", "89c25a33"], isClosed: true }]);
  const before = lots.fences;
  lots.setClosed(closed);
  expect(lots.fences).toBe(before);
});

test("free lots are picked to be claimed together, if they touch", () => {
  const { lots } = setUp();
  expect(lots.picked).toBeUndefined();
  lots.pick(HOME);
  expect(lots.picked).toBeUndefined();
  for (const cell of [HOME, NEXT, FAR]) {
    lots.learn(lot({ cell, cells: [cell], status: "free", ownerId: undefined, priceMinor: 100 }), 0);
    lots.pick(cell);
  }
  expect(lots.picked).toMatchObject({ cells: [HOME, NEXT, FAR], priceMinor: 300, areaM2: 3600 });
  expect(lots.picked?.fault).not.toBe("");
  lots.pick(FAR);
  expect(lots.picked?.fault).toBe("");
  // Somebody else was quicker with one of them.
  lots.learn(lot({ cell: NEXT, cells: [NEXT], ownerId: "eve" }), 0);
  expect(lots.picked?.cells).toEqual([HOME]);
  lots.unpickAll();
  expect(lots.picked).toBeUndefined();
});
