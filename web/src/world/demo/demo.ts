import { compileCore, instantiateCore } from "../../core/wasm.ts";
import { add, addScaled, cross, normalize, scale, tangent } from "../../geo/vec3.ts";
import { type BodyView, type Vec3, World } from "../world.ts";

const q = new URLSearchParams(location.search);
const canvas = document.querySelector("canvas")!;
const module = await compileCore();
const seed = BigInt(q.get("seed") ?? 1),
  shift = Number(q.get("shift") ?? 3);
const world = await World.create({
  canvas,
  module,
  planet: { seed, shift },
  quality: (q.get("q") ?? "medium") as "low",
  reducedMotion: q.has("rm"),
});
const size = () => world.resize(innerWidth, innerHeight, devicePixelRatio);
size();
addEventListener("resize", size);
const core = (await instantiateCore(module)) as any;
const planet = core.planet_new(seed, shift),
  R = core.planet_radius_m(planet);
const h = (p: Vec3) => {
  const n = normalize(p);
  return core.planet_elevation_m(planet, ...n);
};
const out = core.alloc(48);
core.planet_arrival(planet, out);
const a = new Float64Array(core.memory.buffer, out, 6);
let dir: Vec3 = [a[0]!, a[1]!, a[2]!],
  facing: Vec3 = [a[3]!, a[4]!, a[5]!];
if (q.has("at")) {
  const [la, lo] = q
    .get("at")!
    .split(",")
    .map((x) => (Number(x) * Math.PI) / 180) as [number, number];
  dir = [Math.cos(la) * Math.cos(lo), Math.cos(la) * Math.sin(lo), Math.sin(la)];
  facing = tangent([0, 0, 1], dir);
}
if (q.has("find")) {
  const want = q.get("find")!;
  const best = -1e9;
  const cl = core.alloc(16);
  const nth = Number(q.get("nth") ?? 0);
  const list: [number, Vec3][] = [];
  for (let k = 0; k < 8000; k++) {
    const z = 1 - (2 * (k + 0.5)) / 8000,
      t = k * 2.399963,
      r = Math.sqrt(1 - z * z);
    const d: Vec3 = [r * Math.cos(t), r * Math.sin(t), z];
    const e = h(d);
    core.planet_climate(planet, ...d, cl);
    const [tc, mm] = new Float64Array(core.memory.buffer, cl, 2) as unknown as [number, number];
    const score =
      want === "peak"
        ? e
        : want === "hill"
          ? -Math.abs(e - 900) - Math.abs(tc - 8) * 30
          : want === "forest"
            ? -Math.abs(e - 80) - Math.abs(tc - 10) * 30 - Math.abs(mm - 1600) * 0.3
            : want === "desert"
              ? -Math.abs(e - 150) - mm - Math.abs(tc - 25) * 10
              : want === "tropic"
                ? -Math.abs(e - 30) * 3 - Math.abs(tc - 26) * 30 - Math.abs(mm - 2600)
                : want === "taiga"
                  ? -Math.abs(e - 150) - Math.abs(tc - 0) * 80 - Math.abs(mm - 800) * 0.5
                  : want === "coast"
                    ? -Math.abs(e - 3) * 50 - Math.abs(tc - 18)
                    : want === "sea"
                      ? -Math.abs(e + 2.5) * 50 - Math.abs(tc - 22)
                      : -Math.abs(e - 30) - Math.abs(tc + 20) * 10;
    list.push([score, d]);
  }
  list.sort((a, b) => b[0] - a[0]);
  dir = list[nth]![1];
  facing = tangent([Math.sin(nth), 0.3, 1], dir);
  void best;
}
if (q.has("turn")) {
  const t = (Number(q.get("turn")) * Math.PI) / 180;
  const u0 = normalize(dir);
  const r0 = cross(facing, u0);
  facing = normalize(add(scale(facing, Math.cos(t)), scale(r0, Math.sin(t))));
}
const up = normalize(dir);
const ground = (d: Vec3): Vec3 => {
  const n = normalize(d);
  const e = h(n);
  return scale(n, R + (e < -1.2 ? -0 : e));
};
const at = ground(up);
const right = cross(facing, up);
const sunH = (Number(q.get("sun") ?? 38) * Math.PI) / 180,
  sunA = (Number(q.get("az") ?? 50) * Math.PI) / 180;
world.setSun(
  add(
    scale(up, Math.sin(sunH)),
    scale(add(scale(facing, Math.cos(sunA)), scale(right, Math.sin(sunA))), Math.cos(sunH)),
  ),
);
const mode = (p: Vec3) => (h(p) < -1.2 ? "swimming" : "grounded") as BodyView["mode"];
const self: BodyView = {
  id: 1,
  position: at,
  facing,
  mode: mode(at),
  speedMps: Number(q.get("v") ?? 0),
  color: 0xd9542b,
};
world.setSelf(self);
const n = Number(q.get("n") ?? 12);
const colors = [0x2f7fd6, 0xe0a92e, 0x3fa35a, 0x8d55c4, 0xd6457a, 0x30a6a6];
const others: BodyView[] = Array.from({ length: n }, (_, i) => {
  const r = 3 + i * 2.7,
    t = i * 2.4;
  const p = ground(addScaled(addScaled(at, facing, r * Math.cos(t) + 6), right, r * Math.sin(t)));
  return {
    id: i + 2,
    position: p,
    facing: tangent(addScaled(facing, right, Math.sin(i * 1.7) * 2), normalize(p)),
    mode: i % 7 === 5 ? "airborne" : mode(p),
    speedMps: (i % 4) * 2.3,
    color: colors[i % 6]!,
  };
});
world.setOthers(others);
if (q.has("lots")) {
  const ids: string[] = [];
  const states = ["free", "taken", "mine", "free", "taken", "free", "unclaimable"] as const;
  for (let x = -4; x <= 4; x++)
    for (let y = -4; y <= 4; y++) {
      const p = normalize(addScaled(addScaled(at, facing, x * 30), right, y * 30));
      const id = BigInt.asUintN(64, core.cell_from_point(...p, 15))
        .toString(16)
        .padStart(16, "0")
        .replace(/0+$/, "");
      if (!ids.includes(id)) ids.push(id);
    }
  world.setLots(ids.map((token, i) => ({ token, state: states[(i * 5) % 7]! })));
}
const view = q.get("view") ?? "ground";
(window as any).world = world;
if (view !== "globe") {
  if (!q.has("fly")) {
    void world.arriveAt(at, facing);
    world.look(0, 0);
  } else void world.arriveAt(at, facing).then(() => console.log("landed"));
}
world.look(Number(q.get("yaw") ?? 0), Number(q.get("pitch") ?? 0));
world.zoom(Number(q.get("zoom") ?? 1));
if (q.has("alt")) {
  // look from a height
  const alt = Number(q.get("alt"));
  const eye = scale(up, R + Math.max(0, h(up)) + alt);
  const f = normalize(addScaled(scale(facing, 1), up, -Number(q.get("down") ?? 0.18)));
  (world as any).viewpoint.pose = () => ({ eye, forward: f, up: tangent(up, f) });
}
const tick = (t: number) => {
  world.frame(t);
  requestAnimationFrame(tick);
};
requestAnimationFrame(tick);
