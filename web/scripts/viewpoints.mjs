// Finds places worth a picture on a running planet and prints them as views for postcards.mjs:
//
//   node scripts/viewpoints.mjs URL > views.json
//
// It asks the planet what is where (`/at`, `/places`), so that it works for every seed: the globe by day, at dawn and by
// night, a coast, a river from orbit to its bank, mountains, desert, forest, ice.
const [url] = process.argv.slice(2);
if (!url) {
  console.error("usage: node scripts/viewpoints.mjs URL > views.json");
  process.exit(2);
}
const DEGREES = 180 / Math.PI;
const ask = async (path) => {
  const answer = await fetch(new URL(path, url));
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};
const { planet_hash, radius_m, arrival } = await ask("/api/v1/planet");
const at = ({ lat, lng }) =>
  ask(`/api/v1/planet/${planet_hash}/at?lat=${lat}&lng=${((lng + 540) % 360) - 180}`);

/** The place so many metres away in a direction, clockwise from north. */
function beside({ lat, lng }, metres, headingDeg) {
  const heading = headingDeg / DEGREES;
  const north = (metres / radius_m) * DEGREES * Math.cos(heading);
  const east = ((metres / radius_m) * DEGREES * Math.sin(heading)) / Math.max(0.05, Math.cos(lat / DEGREES));
  return { lat: Math.max(-89.9, Math.min(89.9, lat + north)), lng: lng + east };
}
/** The shorter way round the globe, in degrees of longitude. */
const eastwards = (from, to) => ((((to - from) % 360) + 540) % 360) - 180;
const headingFrom = (a, b) =>
  (Math.atan2(eastwards(a.lng, b.lng) * Math.cos(a.lat / DEGREES), b.lat - a.lat) * DEGREES + 360) % 360;
const around = (count) => Array.from({ length: count }, (_, index) => (index * 360) / count);
const isWet = (here) => here.water !== undefined;
const isSea = (here) => isWet(here) && Math.abs(here.water.surface_m) < 0.1;

/** Asks a few places at a time: a server at work should stay one. */
async function atAll(places) {
  const found = [];
  for (let index = 0; index < places.length; index += 12) {
    found.push(...(await Promise.all(places.slice(index, index + 12).map(at))));
  }
  return found;
}

const views = [];
const view = (name, { lat, lng }, height_m, heading_deg, pitch_deg, time, more = {}) =>
  views.push({
    name,
    latitude_deg: lat,
    longitude_deg: lng,
    height_m,
    heading_deg,
    pitch_deg,
    time,
    ...more,
  });

// ---- the globe, over the place of arrival ----
const home = { lat: arrival.lat_deg, lng: arrival.lng_deg };
const orbitM = radius_m * 1.45;
view("globe", { lat: home.lat * 0.6, lng: home.lng }, orbitM, 0, -90, 0.44);
view("globe-other-side", { lat: -home.lat * 0.4, lng: home.lng + 160 }, orbitM, 0, -90, 0.44);
view("globe-pole", { lat: home.lat < 0 ? -72 : 72, lng: home.lng }, orbitM, 0, -90, 0.44);
view("globe-terminator", { lat: home.lat * 0.6, lng: home.lng + 20 }, orbitM, 0, -90, 0.27);
view("globe-night", { lat: home.lat * 0.6, lng: home.lng }, orbitM, 0, -90, 0.04);

// ---- coast and arrival ----
/** Which way the sea lies from a place, and how far its shore is; undefined where none is within some 20 km. */
async function seaFrom(place) {
  for (const away of [350, 1_200, 4_000, 9_000, 20_000]) {
    const rose = await atAll(around(16).map((heading) => beside(place, away, heading)));
    const seaward = around(16).filter((_, index) => isSea(rose[index]));
    const heading = seaward[seaward.length >> 1];
    if (heading === undefined) continue;
    let [dry, wet] = [0, away];
    while (wet - dry > 10) {
      const middle = (dry + wet) / 2;
      if (isSea(await at(beside(place, middle, heading)))) wet = middle;
      else dry = middle;
    }
    return { heading, shoreM: dry };
  }
  return undefined;
}
const { heading: sea, shoreM } = (await seaFrom(home)) ?? { heading: 0, shoreM: 0 };
const shore = beside(home, shoreM - 40, sea);
view("arrival", home, 1.8, sea + 70, -3, 0.4);
view("coast", shore, 22, sea + 62, -9, 0.38);
view("coast-high", beside(shore, 700, sea + 150), 420, sea + 40, -14, 0.36);
view("sunset", shore, 12, sea, 3, 0.742);
view("night", home, 8, sea + 70, 6, 0.98);
view("dawn-high", home, 26_000, 90, -8, 0.255);

// ---- a river: from orbit to its bank ----
const { items: places } = await ask(`/api/v1/planet/${planet_hash}/places`);
const rivers = places.filter(({ kind, line }) => kind === "river" && line?.length > 8);
rivers.sort((a, b) => (b.length_km ?? 0) - (a.length_km ?? 0));
/** A point in the middle of the water of a river, near a vertex of its line; undefined where it is hidden by a lake. */
async function waterOf(line, share) {
  const index = Math.floor(line.length * share);
  const [here, next] = [line[index], line[index + 1]].map(([lng, lat]) => ({ lat, lng }));
  const downstream = headingFrom(here, next);
  for (const along of [0, 0.25, 0.5]) {
    const from = {
      lat: here.lat + (next.lat - here.lat) * along,
      lng: here.lng + eastwards(here.lng, next.lng) * along,
    };
    const offsets = Array.from({ length: 161 }, (_, step) => (step - 80) * 25);
    const cross = offsets.map((metres) => beside(from, metres, downstream + 90));
    const wet = (await atAll(cross))
      .map((answer, step) => ({ answer, place: cross[step] }))
      .filter(({ answer }) => isWet(answer) && !isSea(answer));
    if (wet.length > 0 && wet.length < 40) return { place: wet[wet.length >> 1].place, downstream };
  }
  return undefined;
}
for (const river of rivers.slice(0, 6)) {
  const found = await waterOf(river.line, 0.72);
  if (!found) continue;
  const { place, downstream } = found;
  console.error(`river: ${river.name}`);
  const looking = (metres) => beside(place, metres, downstream + 180);
  view("river-1-orbit", place, orbitM * 0.5, 0, -90, 0.4);
  view("river-2-250km", place, 250_000, 0, -90, 0.4);
  view("river-3-40km", looking(22_000), 40_000, downstream, -52, 0.4);
  view("river-4-6km", looking(4_500), 6_000, downstream, -42, 0.4);
  view("river-5-800m", looking(900), 800, downstream, -28, 0.4);
  view("river-valley", looking(260), 90, downstream, -13, 0.37);
  view("river-6-bank", looking(40), 5, downstream + 12, -7, 0.38);
  break;
}

// ---- mountains ----
const ranges = places
  .filter(({ kind }) => kind === "range")
  .sort((a, b) => (b.area_km2 ?? b.length_km ?? 0) - (a.area_km2 ?? a.length_km ?? 0));
let summit;
for (const range of ranges.slice(0, 3)) {
  const spots = (range.line ?? [[range.center.lng_deg, range.center.lat_deg]])
    .slice(0, 12)
    .flatMap(([lng, lat]) => around(6).map((heading) => beside({ lat, lng }, 3_000, heading)));
  for (const [index, here] of (await atAll(spots)).entries()) {
    if (!summit || here.elevation_m > summit.elevation_m)
      summit = { ...spots[index], elevation_m: here.elevation_m };
  }
}
if (summit) {
  const feet = around(12).map((heading) => beside(summit, 5_000, heading));
  const heights = (await atAll(feet)).map(({ elevation_m }) => elevation_m);
  const lowest = heights.indexOf(Math.min(...heights));
  const foot = feet[lowest];
  view("mountains", foot, 220, headingFrom(foot, summit), 1, 0.36);
  view("mountains-high", beside(summit, 14_000, lowest * 30), 2_600, headingFrom(foot, summit), -9, 0.3);
  view("summit", summit, 6, headingFrom(foot, summit) + 200, -6, 0.33);
}

// ---- climates, by looking at places all over the globe ----
const lattice = Array.from({ length: 900 }, (_, index) => ({
  lat: Math.asin(1 - (2 * (index + 0.5)) / 900) * DEGREES,
  lng: ((index * 137.50776405) % 360) - 180,
}));
const known = (await atAll(lattice)).map((here, index) => ({ ...here, ...lattice[index] }));
const kinds = {
  desert: ["desert"],
  "cold-desert": ["cold desert", "steppe"],
  rainforest: ["tropical forest", "tropical rain forest", "rain forest"],
  savanna: ["savanna"],
  forest: ["temperate forest", "temperate rain forest"],
  taiga: ["taiga"],
  ice: ["ice"],
  tundra: ["tundra"],
};
for (const [name, biomes] of Object.entries(kinds)) {
  const candidates = known.filter((here) => !isWet(here) && biomes.includes(here.biome)).slice(0, 14);
  let best;
  for (const candidate of candidates) {
    const neighbours = await atAll(around(6).map((heading) => beside(candidate, 1_500, heading)));
    const alike = neighbours.filter(({ biome }) => biomes.includes(biome)).length;
    const relief = Math.max(
      ...neighbours.map(({ elevation_m }) => Math.abs(elevation_m - candidate.elevation_m)),
    );
    const score = alike * 100 + Math.min(relief, 150);
    if (!best || score > best.score) best = { ...candidate, score };
  }
  if (best) view(name, best, 14, 140, -5, 0.36);
}
const floes = known.find(({ biome, lat }) => biome === "sea ice" && Math.abs(lat) < 80);
if (floes) view("sea-ice", floes, 60, 0, -10, 0.36);

console.log(JSON.stringify(views, undefined, 1));
