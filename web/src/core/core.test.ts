/** The WebAssembly build as the page uses it. `npm run wasm` makes it; its own tests are in `crates/browser`. */
import { readFileSync } from "node:fs";
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { beforeAll, describe, expect, test } from "vitest";
import { Prediction } from "../game/prediction.ts";
import { FencesSchema } from "../gen/terrane_pb.ts";
import { cellLevel, cellParent, cellToken } from "../geo/cell_id.ts";
import { latLngOf, latLngToUnit } from "../geo/lat_lng.ts";
import { add, distance, dot, normalize, scale, tangent } from "../geo/vec3.ts";
import { SERVER_KIND } from "../wire/kinds.ts";
import { BUTTON, MalformedMessage } from "../wire/messages.ts";
import { OwnBody } from "./body.ts";
import { coreForTest } from "./core_test_support.ts";
import type { PageExports } from "./exports.ts";
import { Planet } from "./planet.ts";
import { MalformedFrame, Stream } from "./stream.ts";

const SEED = 1n;
const SHIFT = 9;
const LOT_LEVEL = 9;

let core: PageExports;
let planet: Planet;
beforeAll(async () => {
  core = await coreForTest();
  planet = Planet.forTest(core, SEED, SHIFT);
});

/** Bytes of a golden message of `crates/wire`. */
function golden(name: string): Uint8Array {
  const file = new URL("../../../crates/wire/tests/golden/messages.txt", import.meta.url);
  const hex = new RegExp(`^${name} ([0-9a-f]+)$`, "m").exec(readFileSync(file, "utf8"))?.[1] ?? "";
  return Uint8Array.from(Buffer.from(hex, "hex"));
}

describe("the planet", () => {
  test("has the size and ground of its seed, everywhere", () => {
    expect(planet.radiusM).toBeCloseTo(6_371_000 / 2 ** SHIFT, 3);
    const names = new Set<string>();
    for (let latitude_deg = -90; latitude_deg <= 90; latitude_deg += 10) {
      for (let longitude_deg = -180; longitude_deg <= 180; longitude_deg += 10) {
        const point = latLngToUnit({ latitude_deg, longitude_deg });
        expect(Number.isFinite(planet.elevationM(point))).toBe(true);
        names.add(planet.biomeName(point));
      }
    }
    expect(names).toContain("ocean");
    expect(names.size).toBeGreaterThan(5);
  });

  test("places cells as the ids say", () => {
    const point = latLngToUnit({ latitude_deg: 12.3, longitude_deg: -45.6 });
    const cell = planet.cellAt(scale(point, planet.radiusM), LOT_LEVEL);
    expect(cellLevel(cell)).toBe(LOT_LEVEL);
    expect(planet.cellAt(point, 4)).toBe(cellParent(cell, 4));
    expect(planet.cellAt(planet.centerOf(cell), LOT_LEVEL)).toBe(cell);
    expect(distance(planet.centerOf(cell), point) * planet.radiusM).toBeLessThan(40);
    const around = planet.cellsWithin(point, 60, LOT_LEVEL);
    expect(around).toContain(cell);
    expect(new Set(around.map(cellToken)).size).toBe(around.length);
  });

  test("refuses sizes and levels that are none", () => {
    expect(() => Planet.forTest(core, 1n, 10)).toThrow(RangeError);
    expect(() => planet.cellAt([1, 0, 0], 31)).toThrow(RangeError);
  });
});

describe("our own body", () => {
  const place = () => {
    const ground = latLngToUnit(latLngOf(normalize(arrival())));
    return scale(ground, planet.radiusM + Math.max(0, planet.elevationM(ground)));
  };
  /** Some dry ground: a coarse search is enough on so small a planet. */
  function arrival() {
    for (let longitude_deg = 0; longitude_deg < 360; longitude_deg += 5) {
      const point = latLngToUnit({ latitude_deg: 20, longitude_deg });
      if (planet.elevationM(point) > 5) return point;
    }
    throw new Error("seed 1 has land at 20° north");
  }
  const standing = () => {
    const position = place();
    const facing = tangent([0, 0, 1], normalize(position));
    return { position, velocity: [0, 0, 0], facing, mode: "grounded" } as const;
  };

  test("walks where the look goes and stays on the ground", () => {
    const start = standing();
    const body = new OwnBody(core, planet.handle, start, 100, 30);
    for (let step = 0; step < 60; step += 1) body.step(BUTTON.forward, start.facing);
    const { position, mode } = body.state;
    expect(body.lastSeq).toBe(160);
    expect(mode).toBe("grounded");
    expect(distance(position, start.position)).toBeGreaterThan(3);
    expect(
      dot(
        normalize([
          position[0] - start.position[0],
          position[1] - start.position[1],
          position[2] - start.position[2],
        ]),
        start.facing,
      ),
    ).toBeGreaterThan(0.9);
    expect(Math.hypot(...position) - planet.radiusM).toBeCloseTo(planet.elevationM(position), 1);
    body.dispose();
  });

  test("hands out each input once, in messages of at most sixteen, numbered on from the welcome", () => {
    const start = standing();
    const body = new OwnBody(core, planet.handle, start, 41, 30);
    for (let step = 0; step < 20; step += 1) body.step(BUTTON.forward | BUTTON.run, start.facing);
    const heads = [...body.takeInputs()].map((message) => {
      const view = new DataView(message.buffer);
      return [view.getUint8(0), view.getUint32(1, true), view.getUint8(5), message.length];
    });
    expect(heads).toEqual([
      [2, 42, 16, 6 + 16 * 7],
      [2, 58, 4, 6 + 4 * 7],
    ]);
    expect([...body.takeInputs()]).toEqual([]);
    body.dispose();
  });

  test("cannot be made from numbers that are none", () => {
    const start = { ...standing(), velocity: [Number.NaN, 0, 0] as const };
    expect(() => new OwnBody(core, planet.handle, start, 0, 30)).toThrow(RangeError);
  });

  test("is taken back to what the server says, and what it has not seen is repeated from there", () => {
    // The golden frame answers input 1002 with a body in the air.
    const start = standing();
    const body = new OwnBody(core, planet.handle, start, 1000, 30);
    const prediction = new Prediction(body, 1000 / 30);
    for (let frame = 0; frame < 20; frame += 1) {
      prediction.advance((1000 / 30) * 1.0001, () => ({ buttons: BUTTON.forward, look: start.facing }));
    }
    expect(body.lastSeq).toBe(1020);
    const stream = new Stream(core, planet.handle, 3);
    stream.apply(golden("Frame"));
    const offM = body.reconcile(stream);
    prediction.confirmed(stream.lastInputSeq, offM);
    expect(offM).toBeGreaterThan(1000);
    expect(body.lastSeq).toBe(1020);
    const confirmed = stream.own?.position ?? [0, 0, 0];
    expect(distance(prediction.view().position, confirmed)).toBeLessThan(30);
    // The same answer again finds nothing wrong: the same steps lead to the same place, bit for bit.
    expect(body.reconcile(stream)).toBe(0);
    body.dispose();
    stream.dispose();
  });

  test("stops at land that is closed to it, which the golden message tells, and goes on when it is opened", () => {
    const start = standing();
    const body = new OwnBody(core, planet.handle, start, 0, 30);
    expect(body.takeFences(golden("Fences"))).toBe(0);
    expect(body.closedLots.map(cellToken)).toEqual(["89c25985", "89c25987"]);
    // The lot 60 m ahead, whatever lies between.
    const ahead = planet.cellAt(add(start.position, scale(start.facing, 60)), LOT_LEVEL);
    body.takeFences(fences({ isRestart: true, closed: [{ parcel: ahead, cells: [ahead] }] }));
    expect(body.closedLots).toEqual([ahead]);
    for (let step = 0; step < 600; step += 1) {
      body.step(BUTTON.forward, start.facing);
      expect(planet.cellAt(body.state.position, LOT_LEVEL)).not.toBe(ahead);
    }
    const stopped = body.state.position;
    // As if the server had opened it after the 500th input: the last hundred steps are made again.
    const movedM = body.takeFences(fences({ afterInputSeq: 500, openedCells: [ahead] }));
    expect(body.closedLots).toEqual([]);
    expect(movedM).toBeCloseTo(distance(body.state.position, stopped), 9);
    expect(() => body.takeFences(Uint8Array.of(74, 255, 255))).toThrow(MalformedMessage);
    expect(() => body.takeFences(fences({ closed: [{ parcel: 1n, cells: [0n] }] }))).toThrow(
      MalformedMessage,
    );
    body.dispose();
  });
});

/** A whole message of fences, as the server would send it. */
function fences(init: MessageInitShape<typeof FencesSchema>): Uint8Array {
  return Uint8Array.of(SERVER_KIND.fences, ...toBinary(FencesSchema, create(FencesSchema, init)));
}

describe("a stream", () => {
  test("reads the golden frame", () => {
    const stream = new Stream(core, planet.handle, 3);
    expect([stream.tick, stream.own]).toEqual([0, undefined]);
    stream.apply(golden("Frame"));
    expect([stream.tick, stream.lastInputSeq]).toEqual([90, 1002]);
    expect(stream.own).toMatchObject({
      source: "server",
      position: [796000.25, -1024.5, 3.75],
      velocity: [0, 3, -0.5],
      mode: "airborne",
    });
    const seen = stream.at(90);
    expect(seen.map(({ id }) => id)).toEqual([7, 9, 300]);
    for (const { position, facing } of seen) {
      expect(Math.abs(Math.hypot(...facing) - 1)).toBeLessThan(1e-4);
      expect(Math.hypot(...position)).toBeGreaterThan(planet.radiusM * 0.9);
    }
    stream.dispose();
  });

  test("refuses what is no frame, and cuts that are not between two blocks", () => {
    const stream = new Stream(core, planet.handle, 3);
    const whole = golden("Frame");
    const readable = Array.from({ length: whole.length }, (_, length) => length).filter((length) => {
      try {
        stream.apply(whole.subarray(0, length));
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedFrame);
        return false;
      }
    });
    expect(readable, "only without its one block").toHaveLength(1);
    expect(() => stream.apply(golden("Said"))).toThrow(MalformedFrame);
    stream.dispose();
  });
});

test("the protocol's fingerprint is a number that means something", () => {
  expect(BigInt.asUintN(64, core.protocol_hash())).toBeGreaterThan(0n);
});
