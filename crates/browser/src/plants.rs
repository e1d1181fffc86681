//! What grows on the ground, for the renderer: trees, rocks and grass of one S2 cell, placed by an integer hash, so
//! that everyone sees the same tree. Runs in the page's workers. What grows where is said in `growth.rs`.

use cell::{CellId, FaceIj};
use glam::{DVec2, DVec3};
use planet::{Climate, Patch, Planet};

use crate::growth::{Kind, Site, growth};
use crate::mesh::{Bytes, HEADER_BYTES, cell_at, climate_shares, origin_near};
use crate::planet::{planet_ref, write_tile_ids};
use crate::shore::{RINGS, Water, waters};

/// The most places a patch may have a side.
const SLOTS_MAX: u32 = 64;
/// The most quads of walked ground a patch may have a side.
const QUADS_MAX: u32 = 256;
/// Bytes of one plant.
const PLANT_BYTES: usize = 20;

/// Bytes that [`plants_build`] may write for a patch of `slots`×`slots` places.
///
/// ```text
/// header  origin f64×3 | count u32 | temperature, rain f32×2, scaled as in a tile | biome u8 | padding to 64
/// plant   position f32×3 from the origin | scale f32 | kind u8 | yaw u8 (1/256 turn) | tint u8 | lean u8
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn plants_bytes(slots: u32) -> u32 {
    if slots == 0 || slots > SLOTS_MAX {
        return 0;
    }
    (HEADER_BYTES + (slots * slots) as usize * PLANT_BYTES) as u32
}

/// Writes the plants of the cell (`face`, `level`, `i`, `j`) to `out` and returns the bytes written, 0 if refused: cells
/// are at shift 3, of levels 12 to 20. `layer` 0 is trees and rocks, 1 is grass and
/// flowers, 2 the far woods, whose cells are of level 12.
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
    let (Some(cell), Some(layer)) = (cell_at(face, level, i, j), Layer::from_number(layer)) else { return 0 };
    if capacity == 0 {
        return 0;
    }
    // SAFETY: the caller's promise above.
    let (planet, out) =
        unsafe { (planet_ref(planet), std::slice::from_raw_parts_mut(out, capacity as usize)) };
    plants(planet, cell, slots as usize, layer).map_or(0, |stand| stand.write(out) as u32)
}

/// Writes the raster tiles that are missing for [`plants_build`] of a cell: at most `capacity` ids. Returns how many are
/// missing, which may be more; 0 for what it would refuse.
///
/// # Safety
/// `planet` is a live handle of `planet_new`; `out` has room for `capacity` ids.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn plants_missing(
    planet: usize,
    face: u32,
    level: u32,
    i: u32,
    j: u32,
    layer: u32,
    out: *mut u64,
    capacity: u32,
) -> u32 {
    // SAFETY: the caller's promise above.
    let planet = unsafe { planet_ref(planet) };
    let (Some(cell), Some(layer)) = (cell_at(face, level, i, j), Layer::from_number(layer)) else { return 0 };
    let Some(quads) = layer.quads(planet, cell) else { return 0 };
    let tiles = planet.missing(cell, planet.spacing_m(cell.level(), quads));
    // SAFETY: the caller's promise above.
    unsafe { write_tile_ids(tiles, out, capacity) }
}

/// What a patch of plants holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Layer {
    Trees,
    Grass,
    /// Trees that stand for the woods far away, a few of the many.
    Canopy,
}

impl Layer {
    /// The layer of its number at the boundary.
    fn from_number(number: u32) -> Option<Self> {
        [Self::Trees, Self::Grass, Self::Canopy].get(number as usize).copied()
    }

    /// Quads along a cell for its ground, for what stands near as fine as what bodies walk on; none if the cell is too
    /// wide or too narrow for the layer.
    fn quads(self, planet: &Planet, cell: CellId) -> Option<u32> {
        /// Chunks of this level have a vertex every metre.
        const CHUNK_LEVEL: u8 = 14;
        const CHUNK_DEPTH: u8 = 6;
        const CANOPY_LEVEL: u8 = 12;
        const CANOPY_QUADS: u32 = 64;
        match self {
            Self::Trees | Self::Grass => {
                let depth = (planet.grid_level(CHUNK_LEVEL) + CHUNK_DEPTH).checked_sub(cell.level())?;
                1_u32.checked_shl(u32::from(depth)).filter(|quads| *quads <= QUADS_MAX)
            }
            // From so far nobody sees whether a tree stands a step too high.
            Self::Canopy => (cell.level() == planet.grid_level(CANOPY_LEVEL)).then_some(CANOPY_QUADS),
        }
    }

    /// So that the dice of one layer do not fall like another's.
    fn salt(self) -> u64 {
        match self {
            Self::Trees => 0x7265_6573,
            Self::Grass => 0x6772_6173,
            Self::Canopy => 0x6361_6e6f,
        }
    }
}

struct Plant {
    position: DVec3,
    scale: f64,
    kind: Kind,
    yaw: u8,
    tint: u8,
    lean: u8,
}

/// The plants of a cell.
struct Stand {
    origin: DVec3,
    climate: Climate,
    biome: u8,
    plants: Vec<Plant>,
}

impl Stand {
    fn write(&self, out: &mut [u8]) -> usize {
        let mut bytes = Bytes(&mut *out);
        for value in self.origin.to_array() {
            bytes.put(value.to_le_bytes());
        }
        bytes.put((self.plants.len() as u32).to_le_bytes());
        for share in climate_shares(self.climate) {
            bytes.put((share as f32).to_le_bytes());
        }
        bytes.put([self.biome]);
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

fn plants(planet: &Planet, cell: CellId, slots: usize, layer: Layer) -> Option<Stand> {
    let radius_m = planet.radius_m();
    let ground = GroundGrid::of(planet, cell, layer.quads(planet, cell)?);
    let middle = ground.patch.side() * (ground.patch.side() / 2) + ground.patch.side() / 2;
    let climate = ground.climate(middle);
    let origin =
        origin_near(cell.center() * (radius_m + f64::from(ground.patch.elevations_m[middle]).max(0.0)));
    let FaceIj { face, i, j } = cell.face_ij();
    let seed = mix(planet.spec().seed ^ layer.salt())
        ^ mix(u64::from(face) << 32 | u64::from(cell.level()))
        ^ mix(u64::from(i) << 32 | u64::from(j));
    let mut plants = Vec::new();
    for slot in 0..slots * slots {
        let mut dice = Dice::new(seed.wrapping_add(slot as u64));
        let x = ((slot % slots) as f64 + dice.unit()) / slots as f64;
        let y = ((slot / slots) as f64 + dice.unit()) / slots as f64;
        let (direction, mut site) = ground.site(DVec2::new(x, y));
        site.grove = groves(direction * radius_m);
        let Some((kind, scale)) = growth(layer, &site, &mut dice) else { continue };
        plants.push(Plant {
            // A little into the ground, so that no root hangs in the air on a slope.
            position: direction * (radius_m + site.ground_m - 0.25 * site.slope * scale) - origin,
            scale,
            kind,
            yaw: dice.byte(),
            tint: dice.byte(),
            lean: dice.byte(),
        });
    }
    Some(Stand { origin, climate, biome: ground.patch.biomes[middle] as u8, plants })
}

/// The walked ground of a cell, to be read between its vertices.
struct GroundGrid {
    patch: Patch,
    waters: Vec<Water>,
    directions: Vec<DVec3>,
    spacing_m: f64,
}

impl GroundGrid {
    fn of(planet: &Planet, cell: CellId, quads: u32) -> Self {
        let patch = planet.patch(cell, quads, RINGS);
        let waters = waters(&patch);
        let directions: Vec<_> = Patch::directions(cell, quads, RINGS).collect();
        let spacing_m = (directions[1] - directions[0]).length() * planet.radius_m();
        Self { patch, waters, directions, spacing_m }
    }

    fn climate(&self, vertex: usize) -> Climate {
        Climate {
            temperature_c: f64::from(self.patch.temperatures_c[vertex]),
            rain_mm: f64::from(self.patch.rain_mm[vertex]),
        }
    }

    /// The spot at a place of the cell, 0 to 1 along its sides, in no grove; and its direction.
    fn site(&self, place: DVec2) -> (DVec3, Site) {
        let side = self.patch.side();
        let at = place * f64::from(self.patch.quads) + f64::from(self.patch.border);
        let (corner, share) = (at.floor(), at - at.floor());
        let first = corner.y as usize * side + corner.x as usize;
        let corners = [first, first + 1, first + side, first + side + 1];
        let read = |values: &dyn Fn(usize) -> f64| on_triangles(corners.map(values), share);
        let ground = |vertex: usize| f64::from(self.patch.elevations_m[vertex]);
        let [a, b, c, d] = corners.map(ground);
        let rise = DVec2::new(b - a + d - c, c - a + d - b) / (2.0 * self.spacing_m);
        let [p, q, r, s] = corners.map(|vertex| self.directions[vertex]);
        let direction = p.lerp(q, share.x).lerp(r.lerp(s, share.x), share.y).normalize();
        let nearest = first + usize::from(share.x >= 0.5) + side * usize::from(share.y >= 0.5);
        let site = Site {
            biome: self.patch.biomes[nearest],
            climate: self.climate(nearest),
            ground_m: read(&ground),
            water_m: read(&|vertex| f64::from(self.waters[vertex].depth_m)),
            slope: rise.length(),
            grove: 0.0,
        };
        (direction, site)
    }
}

/// The height between four corners of a quad, cut from the first to the last as the renderer cuts it.
fn on_triangles([a, b, c, d]: [f64; 4], share: DVec2) -> f64 {
    if share.x >= share.y {
        a + (b - a) * share.x + (d - b) * share.y
    } else {
        a + (c - a) * share.y + (d - c) * share.x
    }
}

/// How deep in a grove a point is, 0 to 1: two waves of value noise, 190 m and 47 m wide.
fn groves(point: DVec3) -> f64 {
    let wide = value_noise(point / 190.0);
    let narrow = value_noise(point / 47.0 + DVec3::splat(31.7));
    ramp(0.65 * wide + 0.35 * narrow, 0.38, 0.66)
}

pub(crate) fn ramp(value: f64, from: f64, to: f64) -> f64 {
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
        Dice::new(key).unit() * weight(smooth.x, dx) * weight(smooth.y, dy) * weight(smooth.z, dz)
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
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn byte(&mut self) -> u8 {
        (self.next() >> 56) as u8
    }
}

#[cfg(test)]
mod tests {
    use planet::PlanetSpec;

    use super::*;

    #[test]
    fn a_patch_is_the_same_every_time_and_stands_on_the_drawn_ground_and_dry() {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
        let cell = CellId::from_point(planet.arrival().ground).parent(14);
        let [first, second] = [(); 2]
            .map(|()| plants(&planet, cell, 16, Layer::Trees).expect("cells of this level have plants"));
        assert_eq!(first.plants.len(), second.plants.len());
        for (a, b) in first.plants.iter().zip(&second.plants) {
            assert_eq!((a.position, a.kind, a.yaw), (b.position, b.kind, b.yaw));
            let at = a.position + first.origin;
            let ground = planet.ground(at);
            assert_eq!(ground.water_m, None);
            assert!((at.length() - planet.radius_m() - ground.elevation_m).abs() < 1.0);
        }
    }

    #[test]
    fn cells_too_wide_or_too_narrow_for_plants_are_refused() {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
        let leaf = CellId::from_point(DVec3::new(0.1, 0.2, 0.9));
        assert_eq!(Layer::Trees.quads(&planet, leaf.parent(14)), Some(64));
        assert_eq!(Layer::Trees.quads(&planet, leaf.parent(20)), Some(1));
        assert_eq!(Layer::Trees.quads(&planet, leaf.parent(21)), None);
        assert_eq!(Layer::Trees.quads(&planet, leaf.parent(11)), None);
        assert_eq!(Layer::Canopy.quads(&planet, leaf.parent(12)), Some(64));
        assert_eq!(Layer::Canopy.quads(&planet, leaf.parent(14)), None);
    }

    #[test]
    fn between_vertices_the_ground_is_that_of_the_triangles() {
        let corners = [1.0, 3.0, 2.0, 7.0];
        for (share, expected) in [((0.0, 0.0), 1.0), ((1.0, 0.0), 3.0), ((0.0, 1.0), 2.0), ((0.5, 0.5), 4.0)]
        {
            assert_eq!(on_triangles(corners, share.into()), expected);
        }
    }
}
