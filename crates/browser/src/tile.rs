//! Meshes for the renderer: terrain tiles and the plants that stand on them.
//!
//! Runs in the page's workers. A tile is one S2 cell drawn as a grid of `quads`×`quads`; a plant patch is one S2 cell
//! whose trees, rocks or grass are placed by an integer hash, so that everyone sees the same tree.
//!
//! Neither refuses a place: poles, cube edges and the sea are ordinary input. Addresses outside the cube are refused
//! with a count of zero bytes.

use cell::{face_uv_to_point, st_to_uv};
use glam::DVec3;
use planet::{Climate, Planet};

use crate::planet::planet_ref;

/// Tile origins are multiples of this, so that a local position is also a noise coordinate that fits its neighbours'.
const ORIGIN_LATTICE_M: f64 = 1024.0;
/// Quads between two climate samples: climate is smoother than relief, and dearer.
const CLIMATE_STEP: usize = 4;
/// Tiles with vertices closer than this show the very ground that bodies walk on.
const WALKED_SPACING_M: f64 = 1.5;
/// The most quads a tile may have a side; keeps vertex indices below 2^16.
const QUADS_MAX: u32 = 64;
/// The finest level, where a quad would be smaller than a footstep.
const LEVEL_MAX: u32 = 24;
/// Bytes before the vertex arrays of a tile, and before the plants of a patch.
const HEADER_BYTES: usize = 64;
/// Bytes of one plant.
const PLANT_BYTES: usize = 20;

/// Bytes that [`tile_build`] writes for a grid of `quads`; 0 if it would refuse them.
///
/// ```text
/// header  origin f64×3 | bounding sphere centre f64×3 | its radius f64 | lowest, highest elevation f32×2
/// arrays  position f32×3 | normal and concavity i16×4 | elevation f32 | temperature, rain u16×2, each for V vertices
/// V       (quads+1)² of the grid, row by row (j, then i), then the skirts: south, north, west, east
/// ```
///
/// Positions are metres from the origin; everything is little endian.
#[unsafe(no_mangle)]
pub extern "C" fn tile_bytes(quads: u32) -> u32 {
    if quads == 0 || quads > QUADS_MAX || !(quads as usize).is_multiple_of(CLIMATE_STEP) {
        return 0;
    }
    (HEADER_BYTES + vertex_count(quads as usize) * 28) as u32
}

/// Writes the mesh of the cell (`face`, `level`, `i`, `j`) to `out` and returns the bytes written, 0 if refused.
///
/// # Safety
/// `planet` is a live handle of `planet_new`; `out` has room for [`tile_bytes`]`(quads)` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tile_build(
    planet: usize,
    face: u32,
    level: u32,
    i: u32,
    j: u32,
    quads: u32,
    out: *mut u8,
) -> u32 {
    let bytes = tile_bytes(quads);
    let Some(address) = Address::try_new(face, level, i, j) else { return 0 };
    if bytes == 0 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let (planet, out) = unsafe { (planet_ref(planet), std::slice::from_raw_parts_mut(out, bytes as usize)) };
    Tile::build(planet, address, quads as usize).write(out);
    bytes
}

/// Bytes that [`plants_build`] may write for a patch of `slots`×`slots` places.
///
/// ```text
/// header  origin f64×3 | count u32 | temperature, rain f32×2, scaled as in a tile | padding to 64
/// plant   position f32×3 from the origin | scale f32 | kind u8 | yaw u8 (1/256 turn) | tint u8 | lean u8
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn plants_bytes(slots: u32) -> u32 {
    if slots == 0 || slots > QUADS_MAX {
        return 0;
    }
    (HEADER_BYTES + (slots * slots) as usize * PLANT_BYTES) as u32
}

/// Writes the plants of the cell (`face`, `level`, `i`, `j`) to `out` and returns the bytes written, 0 if refused.
/// `layer` 0 is trees and rocks, 1 is grass and flowers.
///
/// # Safety
/// `planet` is a live handle of `planet_new`; `out` has room for [`plants_bytes`]`(slots)` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plants_build(
    planet: usize,
    face: u32,
    level: u32,
    i: u32,
    j: u32,
    slots: u32,
    layer: u32,
    out: *mut u8,
) -> u32 {
    let capacity = plants_bytes(slots);
    let Some(address) = Address::try_new(face, level, i, j) else { return 0 };
    if capacity == 0 || layer > 1 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let (planet, out) =
        unsafe { (planet_ref(planet), std::slice::from_raw_parts_mut(out, capacity as usize)) };
    let layer = if layer == 0 { Layer::Trees } else { Layer::Grass };
    plants(planet, address, slots as usize, layer).write(out) as u32
}

/// A cell of the cube by its place on a face, in the plain (not the Hilbert) order of its level.
#[derive(Clone, Copy)]
struct Address {
    face: u8,
    level: u32,
    i: u32,
    j: u32,
}

impl Address {
    fn try_new(face: u32, level: u32, i: u32, j: u32) -> Option<Self> {
        let fits = face < 6 && level <= LEVEL_MAX && i >> level == 0 && j >> level == 0;
        fits.then_some(Self { face: face as u8, level, i, j })
    }

    /// Unit vector at (`x`, `y`) of the cell, each 0 to 1 inside it and a little beyond for borders.
    fn direction(self, x: f64, y: f64) -> DVec3 {
        let size = 1.0 / f64::from(1_u32 << self.level);
        let u = st_to_uv((f64::from(self.i) + x) * size);
        let v = st_to_uv((f64::from(self.j) + y) * size);
        face_uv_to_point(self.face, u, v).normalize()
    }

    /// Mean edge in metres, on a planet of radius `radius_m`.
    fn edge_m(self, radius_m: f64) -> f64 {
        radius_m * std::f64::consts::FRAC_PI_2 / f64::from(1_u32 << self.level)
    }
}

fn vertex_count(quads: usize) -> usize {
    let side = quads + 1;
    side * side + 4 * side
}

fn origin_near(point: DVec3) -> DVec3 {
    (point / ORIGIN_LATTICE_M).round() * ORIGIN_LATTICE_M
}

struct Vertex {
    position: DVec3,
    normal: DVec3,
    concavity: f64,
    elevation_m: f64,
    climate: Climate,
}

struct Tile {
    origin: DVec3,
    center: DVec3,
    radius_m: f64,
    lowest_m: f64,
    highest_m: f64,
    vertices: Vec<Vertex>,
}

impl Tile {
    fn build(planet: &Planet, address: Address, quads: usize) -> Self {
        let side = quads + 1;
        let bordered = side + 2;
        let spacing_m = address.edge_m(planet.radius_m()) / quads as f64;
        let step = 1.0 / quads as f64;
        // Where people walk the ground is drawn with all its detail, or their feet would sink into it.
        let smallest_form_m = if spacing_m < WALKED_SPACING_M { 0.0 } else { spacing_m };

        // One sample more on every side, so that normals agree with the neighbour's.
        let mut directions = Vec::with_capacity(bordered * bordered);
        let mut elevations = Vec::with_capacity(bordered * bordered);
        for y in 0..bordered {
            for x in 0..bordered {
                let direction = address.direction((x as f64 - 1.0) * step, (y as f64 - 1.0) * step);
                elevations.push(planet.elevation_coarse_m(direction, smallest_form_m));
                directions.push(direction);
            }
        }
        let surface: Vec<DVec3> = directions
            .iter()
            .zip(&elevations)
            .map(|(direction, elevation)| *direction * (planet.radius_m() + elevation.max(0.0)))
            .collect();

        let climates = ClimateGrid::sample(planet, address, quads);
        let middle = surface[(bordered / 2) * bordered + bordered / 2];
        let origin = origin_near(middle);
        let vertex = |x: usize, y: usize, drop_m: f64| {
            let at = (y + 1) * bordered + x + 1;
            let (west, east, south, north) = (at - 1, at + 1, at - bordered, at + bordered);
            let up = directions[at];
            let around = (elevations[west] + elevations[east] + elevations[south] + elevations[north]) / 4.0;
            Vertex {
                position: surface[at] - up * drop_m - origin,
                normal: (surface[east] - surface[west])
                    .cross(surface[north] - surface[south])
                    .normalize_or(up),
                concavity: ((around - elevations[at]) / spacing_m).clamp(-1.0, 1.0),
                elevation_m: elevations[at],
                climate: climates.at(x, y, elevations[at]),
            }
        };

        let mut vertices = Vec::with_capacity(vertex_count(quads));
        for y in 0..side {
            vertices.extend((0..side).map(|x| vertex(x, y, 0.0)));
        }
        let grid = &vertices[..side * side];
        let center = middle;
        let reach_m = grid.iter().map(|v| (v.position + origin - center).length()).fold(0.0, f64::max);
        let lowest_m = grid.iter().map(|v| v.elevation_m).fold(f64::INFINITY, f64::min);
        let highest_m = grid.iter().map(|v| v.elevation_m).fold(f64::NEG_INFINITY, f64::max);

        // Deep enough for a neighbour of half the detail, whose edge may pass below ours, and for the curve of the globe.
        let relief_m = highest_m.max(0.0) - lowest_m.max(0.0);
        let chord_m = 4.0 * spacing_m;
        let bulge_m = chord_m * chord_m / (8.0 * planet.radius_m());
        let drop_m = 0.3 + spacing_m.min(relief_m * 0.25 + 1.0) + bulge_m;
        vertices.extend((0..side).map(|x| vertex(x, 0, drop_m)));
        vertices.extend((0..side).map(|x| vertex(x, quads, drop_m)));
        vertices.extend((0..side).map(|y| vertex(0, y, drop_m)));
        vertices.extend((0..side).map(|y| vertex(quads, y, drop_m)));
        Self { origin, center, radius_m: reach_m + drop_m, lowest_m, highest_m, vertices }
    }

    fn write(&self, out: &mut [u8]) {
        let mut bytes = Bytes(out);
        for value in self.origin.to_array().into_iter().chain(self.center.to_array()).chain([self.radius_m]) {
            bytes.put(value.to_le_bytes());
        }
        bytes.put((self.lowest_m as f32).to_le_bytes());
        bytes.put((self.highest_m as f32).to_le_bytes());
        for vertex in &self.vertices {
            for value in vertex.position.to_array() {
                bytes.put((value as f32).to_le_bytes());
            }
        }
        for vertex in &self.vertices {
            for value in vertex.normal.to_array().into_iter().chain([vertex.concavity]) {
                bytes.put(((value * 32_767.0) as i16).to_le_bytes());
            }
        }
        for vertex in &self.vertices {
            bytes.put((vertex.elevation_m as f32).to_le_bytes());
        }
        for vertex in &self.vertices {
            for share in climate_shares(vertex.climate) {
                bytes.put(((share * 65_535.0) as u16).to_le_bytes());
            }
        }
    }
}

/// Temperature -40..40 °C and the root of rain 0..4000 mm as shares: dry places need the finer steps.
fn climate_shares(climate: Climate) -> [f64; 2] {
    [
        ((climate.temperature_c + 40.0) / 80.0).clamp(0.0, 1.0),
        (climate.rain_mm / 4000.0).clamp(0.0, 1.0).sqrt(),
    ]
}

/// Climate at every fourth vertex, at the sea's level and high above it; read in between by linear interpolation, so
/// that snow follows the heights of the tile.
struct ClimateGrid {
    side: usize,
    samples: Vec<[Climate; 2]>,
}

impl ClimateGrid {
    const HIGH_M: f64 = 1000.0;

    fn sample(planet: &Planet, address: Address, quads: usize) -> Self {
        let intervals = quads / CLIMATE_STEP;
        let side = intervals + 1;
        let at = |index: usize| index as f64 / intervals as f64;
        let samples = (0..side)
            .flat_map(|y| (0..side).map(move |x| (x, y)))
            .map(|(x, y)| {
                let direction = address.direction(at(x), at(y));
                [0.0, Self::HIGH_M].map(|height_m| planet.climate_at_elevation(direction, height_m))
            })
            .collect();
        Self { side, samples }
    }

    fn at(&self, x: usize, y: usize, elevation_m: f64) -> Climate {
        let (column, row) = ((x / CLIMATE_STEP).min(self.side - 2), (y / CLIMATE_STEP).min(self.side - 2));
        let share =
            |vertex: usize, sample: usize| (vertex - sample * CLIMATE_STEP) as f64 / CLIMATE_STEP as f64;
        let (along, across) = (share(x, column), share(y, row));
        let upwards = elevation_m.max(0.0) / Self::HIGH_M;
        let read = |field: fn(&Climate) -> f64| {
            let value = |dx: usize, dy: usize| {
                let [low, high] = &self.samples[(row + dy) * self.side + column + dx];
                field(low) + (field(high) - field(low)) * upwards
            };
            let south = value(0, 0) + (value(1, 0) - value(0, 0)) * along;
            let north = value(0, 1) + (value(1, 1) - value(0, 1)) * along;
            south + (north - south) * across
        };
        Climate { temperature_c: read(|c| c.temperature_c), rain_mm: read(|c| c.rain_mm).max(0.0) }
    }
}

/// What a patch of plants holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layer {
    Trees,
    Grass,
}

/// What stands on a spot; the numbers are the renderer's shapes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Kind {
    Conifer = 0,
    Broadleaf = 1,
    Palm = 2,
    Shrub = 3,
    Cactus = 4,
    Rock = 5,
    Grass = 6,
    Flower = 7,
}

struct Plant {
    position: DVec3,
    scale: f64,
    kind: Kind,
    yaw: u8,
    tint: u8,
    lean: u8,
}

struct Patch {
    origin: DVec3,
    climate: Climate,
    plants: Vec<Plant>,
}

impl Patch {
    fn write(&self, out: &mut [u8]) -> usize {
        let mut bytes = Bytes(&mut *out);
        for value in self.origin.to_array() {
            bytes.put(value.to_le_bytes());
        }
        bytes.put((self.plants.len() as u32).to_le_bytes());
        for share in climate_shares(self.climate) {
            bytes.put((share as f32).to_le_bytes());
        }
        let mut bytes = Bytes(&mut out[HEADER_BYTES..]);
        for plant in &self.plants {
            for value in plant.position.to_array().into_iter().chain([plant.scale]) {
                bytes.put((value as f32).to_le_bytes());
            }
            bytes.put([plant.kind as u8, plant.yaw, plant.tint, plant.lean]);
        }
        HEADER_BYTES + self.plants.len() * PLANT_BYTES
    }
}

fn plants(planet: &Planet, address: Address, slots: usize, layer: Layer) -> Patch {
    let radius_m = planet.radius_m();
    let middle = address.direction(0.5, 0.5);
    let climate = planet.climate(middle);
    let ground_m = planet.elevation_m(middle);
    let origin = origin_near(middle * (radius_m + ground_m.max(0.0)));
    let salt = match layer {
        Layer::Trees => 0x7265_6573,
        Layer::Grass => 0x6772_6173,
    };
    let seed = mix(planet.spec().seed ^ salt)
        ^ mix(u64::from(address.face) << 32 | u64::from(address.level))
        ^ mix(u64::from(address.i) << 32 | u64::from(address.j));
    let mut plants = Vec::new();
    for slot in 0..slots * slots {
        let mut dice = Dice(mix(seed.wrapping_add(slot as u64)));
        let x = ((slot % slots) as f64 + dice.unit()) / slots as f64;
        let y = ((slot / slots) as f64 + dice.unit()) / slots as f64;
        let direction = address.direction(x, y);
        let grove = groves(direction * radius_m);
        let Some((kind, scale)) = growth(layer, climate, grove, &mut dice) else { continue };
        let elevation_m = planet.elevation_m(direction);
        // Nothing stands in the surf, and the beach stays open.
        if elevation_m < 1.2 || (elevation_m < 3.0 && kind != Kind::Palm && dice.unit() < 0.7) {
            continue;
        }
        let slope = slope(planet, direction, elevation_m);
        if slope > if kind == Kind::Rock { 1.2 } else { 0.62 } {
            continue;
        }
        plants.push(Plant {
            // A little into the ground, so that no root hangs in the air on a slope.
            position: direction * (radius_m + elevation_m - 0.25 * slope * scale) - origin,
            scale,
            kind,
            yaw: dice.byte(),
            tint: dice.byte(),
            lean: dice.byte(),
        });
    }
    Patch { origin, climate, plants }
}

/// What grows on a spot of this climate, and how large; `grove` is 0 in a clearing and 1 deep in a wood.
fn growth(layer: Layer, climate: Climate, grove: f64, dice: &mut Dice) -> Option<(Kind, f64)> {
    let Climate { temperature_c, rain_mm } = climate;
    let chance = dice.unit();
    let size = dice.unit();
    if layer == Layer::Grass {
        let lush = ramp(rain_mm, 200.0, 900.0) * ramp(temperature_c, -4.0, 6.0);
        if chance > lush * (0.35 + 0.5 * grove) {
            return None;
        }
        let is_flower = temperature_c > 4.0 && grove < 0.45 && dice.unit() < 0.16;
        return Some(if is_flower {
            (Kind::Flower, 0.7 + 0.5 * size)
        } else {
            (Kind::Grass, 0.6 + 0.8 * size)
        });
    }
    let wood = ramp(rain_mm, 250.0, 1400.0) * ramp(temperature_c, -7.0, 4.0);
    let density = wood * (0.035 + 0.2 * grove + 0.4 * grove * grove);
    if chance < density {
        let kind = dice.unit();
        return Some(match temperature_c {
            t if t < 6.0 + 5.0 * (kind - 0.5) => (Kind::Conifer, 0.75 + 0.7 * size),
            t if t > 21.0 && (rain_mm > 900.0 || kind < 0.3) && kind < 0.65 => (Kind::Palm, 0.8 + 0.6 * size),
            _ if kind > 0.88 => (Kind::Shrub, 0.8 + 0.8 * size),
            _ => (Kind::Broadleaf, 0.7 + 0.75 * size),
        });
    }
    if rain_mm < 520.0 && chance < 0.035 && temperature_c > 2.0 {
        let is_cactus = temperature_c > 16.0 && size > 0.45;
        return Some(if is_cactus { (Kind::Cactus, 0.6 + size) } else { (Kind::Shrub, 0.4 + 0.7 * size) });
    }
    // Counted from the far end of the dice, so that rocks do not depend on how dense the wood is.
    if chance > 0.988 - 0.012 * ramp(temperature_c, 6.0, -8.0) {
        return Some((Kind::Rock, 0.35 + 1.6 * size * size * size));
    }
    (chance > 0.955 && wood > 0.2).then_some((Kind::Shrub, 0.5 + 0.6 * size))
}

/// Rise over run at a spot, from two short steps.
fn slope(planet: &Planet, direction: DVec3, elevation_m: f64) -> f64 {
    const STEP_M: f64 = 2.0;
    let (along, across) = direction.any_orthonormal_pair();
    let rise = |axis: DVec3| {
        let there = (direction + axis * (STEP_M / planet.radius_m())).normalize();
        (planet.elevation_m(there) - elevation_m) / STEP_M
    };
    let (a, b) = (rise(along), rise(across));
    (a * a + b * b).sqrt()
}

/// How deep in a grove a point is, 0 to 1: two waves of value noise, 190 m and 47 m wide.
fn groves(point: DVec3) -> f64 {
    let wide = value_noise(point / 190.0);
    let narrow = value_noise(point / 47.0 + DVec3::splat(31.7));
    ramp(0.65 * wide + 0.35 * narrow, 0.38, 0.66)
}

fn ramp(value: f64, from: f64, to: f64) -> f64 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

fn value_noise(point: DVec3) -> f64 {
    let base = point.floor();
    let share = point - base;
    let smooth = share * share * (DVec3::splat(3.0) - 2.0 * share);
    let corner = |dx: f64, dy: f64, dz: f64| {
        let lattice = base + DVec3::new(dx, dy, dz);
        let key = mix(lattice.x as i64 as u64)
            ^ mix(lattice.y as i64 as u64 ^ 0x5bd1)
            ^ mix(lattice.z as i64 as u64 ^ 0x27d4_eb2f);
        let weight = |axis: f64, at: f64| if at > 0.5 { axis } else { 1.0 - axis };
        Dice(mix(key)).unit() * weight(smooth.x, dx) * weight(smooth.y, dy) * weight(smooth.z, dz)
    };
    let mut sum = 0.0;
    for (dx, dy, dz) in [
        (0., 0., 0.),
        (1., 0., 0.),
        (0., 1., 0.),
        (1., 1., 0.),
        (0., 0., 1.),
        (1., 0., 1.),
        (0., 1., 1.),
        (1., 1., 1.),
    ] {
        sum += corner(dx, dy, dz);
    }
    sum
}

/// `SplitMix64`'s finaliser (Steele, Lea and Flood, 2014).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Numbers that follow from one spot's hash.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In `[0, 1)`.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }
}

/// Fills a slice from its start.
struct Bytes<'a>(&'a mut [u8]);

impl Bytes<'_> {
    fn put<const N: usize>(&mut self, value: [u8; N]) {
        let (head, rest) = std::mem::take(&mut self.0).split_at_mut(N);
        head.copy_from_slice(&value);
        self.0 = rest;
    }
}

#[cfg(test)]
mod tests {
    use planet::PlanetSpec;

    use super::*;

    fn planet_for_test() -> Planet {
        Planet::new(PlanetSpec { seed: 1, shift: 3 })
    }

    fn tile(face: u32, level: u32, i: u32, j: u32) -> Tile {
        let address = Address::try_new(face, level, i, j).expect("inside the face");
        Tile::build(&planet_for_test(), address, 8)
    }

    #[test]
    fn neighbours_share_the_vertices_of_their_edge() {
        for (level, i, j) in [(3, 2, 5), (10, 511, 300), (19, 262_143, 77_777)] {
            let (west, east) = (tile(2, level, i, j), tile(2, level, i + 1, j));
            for y in 0..=8 {
                let a = &west.vertices[y * 9 + 8];
                let b = &east.vertices[y * 9];
                assert!(
                    (a.position + west.origin - b.position - east.origin).length() < 1e-6,
                    "level {level} row {y}"
                );
                assert!((a.normal - b.normal).length() < 1e-6, "level {level} row {y}");
            }
        }
    }

    #[test]
    fn faces_of_the_cube_meet_without_a_gap() {
        // Face 0's east edge is face 1's west edge.
        let last = (1 << 6) - 1;
        let (west, east) = (tile(0, 6, last, 20), tile(1, 6, 0, 20));
        for y in 0..=8 {
            let a = west.vertices[y * 9 + 8].position + west.origin;
            let b = east.vertices[y * 9].position + east.origin;
            assert!((a - b).length() < 1e-6, "row {y}: {a} {b}");
        }
    }

    #[test]
    fn every_vertex_lies_inside_the_bounding_sphere_and_not_below_the_sea() {
        let planet = planet_for_test();
        for (face, level, i, j) in [(0, 0, 0, 0), (5, 1, 1, 1), (4, 9, 200, 3), (2, 20, 1, 1 << 19)] {
            let tile = tile(face, level, i, j);
            for vertex in &tile.vertices {
                let at = vertex.position + tile.origin;
                assert!((at - tile.center).length() <= tile.radius_m + 1e-6);
            }
            for vertex in &tile.vertices[..81] {
                let at = vertex.position + tile.origin;
                assert!(at.length() >= planet.radius_m() - 1e-6);
                assert!(vertex.normal.dot(at.normalize()) > 0.0, "normals point outwards");
            }
        }
    }

    #[test]
    fn the_climate_of_a_vertex_is_the_planets() {
        let planet = planet_for_test();
        let (address, quads) = (Address::try_new(1, 9, 250, 300).expect("inside the face"), 16);
        let grid = ClimateGrid::sample(&planet, address, quads);
        for (x, y) in [(0, 0), (3, 5), (9, 16), (16, 16)] {
            let direction = address.direction(x as f64 / 16.0, y as f64 / 16.0);
            for elevation_m in [-500.0, 0.0, 340.0, 2100.0] {
                let (read, exact) =
                    (grid.at(x, y, elevation_m), planet.climate_at_elevation(direction, elevation_m));
                assert!((read.temperature_c - exact.temperature_c).abs() < 0.2, "{x} {y} {elevation_m}");
                assert!(
                    (read.rain_mm - exact.rain_mm).abs() < 0.05 * exact.rain_mm + 20.0,
                    "{x} {y} {elevation_m}"
                );
            }
        }
    }

    #[test]
    fn a_patch_is_the_same_every_time_and_stands_on_dry_ground() {
        let planet = planet_for_test();
        let ground = planet.arrival().ground;
        let at = cell::CellId::from_point(ground).parent(14).face_ij();
        let address = Address::try_new(u32::from(at.face), 14, at.i, at.j).expect("a cell of level 14");
        let (first, second) =
            (plants(&planet, address, 16, Layer::Trees), plants(&planet, address, 16, Layer::Trees));
        assert_eq!(first.plants.len(), second.plants.len());
        for (a, b) in first.plants.iter().zip(&second.plants) {
            assert_eq!((a.position, a.kind, a.yaw), (b.position, b.kind, b.yaw));
            let direction = (a.position + first.origin).normalize();
            assert!(planet.elevation_m(direction) > 1.0);
        }
    }

    #[test]
    fn addresses_outside_the_cube_are_refused() {
        for (face, level, i, j) in [(6, 0, 0, 0), (0, 0, 1, 0), (0, 3, 0, 8), (0, 25, 0, 0)] {
            assert!(Address::try_new(face, level, i, j).is_none());
        }
        for quads in [0, 3, 68, 1000] {
            assert_eq!(tile_bytes(quads), 0);
        }
    }
}
