//! What grows on the ground, for the renderer: trees, rocks and grass of one S2 cell, placed by an integer hash, so
//! that everyone sees the same tree. Runs in the page's workers.

use glam::DVec3;
use planet::{Climate, Planet};

use crate::mesh::{Address, Bytes, HEADER_BYTES, climate_shares, origin_near};
use crate::planet::planet_ref;

/// The most places a patch may have a side.
const SLOTS_MAX: u32 = 64;
/// Bytes of one plant.
const PLANT_BYTES: usize = 20;

/// Bytes that [`plants_build`] may write for a patch of `slots`×`slots` places.
///
/// ```text
/// header  origin f64×3 | count u32 | temperature, rain f32×2, scaled as in a tile | padding to 64
/// plant   position f32×3 from the origin | scale f32 | kind u8 | yaw u8 (1/256 turn) | tint u8 | lean u8
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn plants_bytes(slots: u32) -> u32 {
    if slots == 0 || slots > SLOTS_MAX {
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

#[cfg(test)]
mod tests {
    use planet::PlanetSpec;

    use super::*;

    #[test]
    fn a_patch_is_the_same_every_time_and_stands_on_dry_ground() {
        let planet = Planet::generate(PlanetSpec::for_test(1, 3));
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
}
