//! One number that changes when the planet does.

use cell::CellId;
use glam::DVec3;

use crate::{Chunk, Planet, PlanetSpec};

/// Level whose cells are sampled, all over the planet.
const SAMPLE_LEVEL: u8 = 5;

/// Levels of the chunks about the arrival place: from a whole face to centimetres.
const CHUNK_LEVELS: [u8; 7] = [0, 4, 8, 12, 16, 20, 24];

/// A hash over elevation, climate and cell geometry all over the planet, the arrival place, and chunks about it.
///
/// Equal on every target; `tests/golden.txt` pins it for some planets. It takes some 50 ms.
pub fn golden_hash(spec: PlanetSpec) -> u64 {
    let planet = Planet::generate(spec);
    let mut hash = Fnv::new();
    for cell in (0..6).flat_map(|face| CellId::from_face(face).descendants(SAMPLE_LEVEL)) {
        let center = cell.center();
        let climate = planet.climate(center);
        hash.add(cell.raw());
        for value in [
            planet.elevation_m(center),
            planet.elevation_coarse_m(center, 1_000.0),
            climate.temperature_c,
            climate.rain_mm,
            cell.area_sr(),
        ] {
            hash.add(value.to_bits());
        }
    }
    let arrival = planet.arrival();
    for value in [arrival.ground, arrival.facing].iter().flat_map(DVec3::to_array) {
        hash.add(value.to_bits());
    }
    for level in CHUNK_LEVELS {
        let Chunk { heights_m, biomes, .. } = planet.chunk(CellId::from_point(arrival.ground).parent(level));
        for (height_m, biome) in heights_m.into_iter().zip(biomes) {
            hash.add(u64::from(height_m.to_bits()));
            hash.add(biome as u64);
        }
    }
    hash.value
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
struct Fnv {
    value: u64,
}

impl Fnv {
    fn new() -> Self {
        Self { value: 0xcbf2_9ce4_8422_2325 }
    }

    fn add(&mut self, word: u64) {
        for byte in word.to_le_bytes() {
            self.value = (self.value ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
