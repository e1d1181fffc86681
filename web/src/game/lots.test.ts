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
  status: "taken",
  reason: undefined,
  ownerId: "ann",
  ownerName: "Ann",
  name: "Meadow",
  areaM2: 1200,
  priceMinor: 12_000,
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
  return { api, onFault, lots: new Lots(api, planet, 14, () => me, onFault) };
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
  expect(lots.onGround).toEqual([{ token: "89c25a31", state: "mine" }]);
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
