//! One number that changes when the planet does.

use cell::CellId;
use glam::DVec3;

use crate::{Chunk, Planet, PlanetSpec};

/// A hash over a fixed set of samples and chunks: equal on every target, pinned in `tests/golden.txt`.
pub fn golden_hash(spec: PlanetSpec) -> u64 {
    let planet = Planet::new(spec);
    let mut hash = Fnv::new();
    for face in 0..6 {
        for cell in CellId::from_face(face).descendants(4) {
            hash.add(planet.elevation_m(cell.center()).to_bits());
        }
    }
    for level in 0..=CHUNK_LEVELS {
        let cell = CellId::from_point(DVec3::new(0.3, -0.7, 0.2)).parent(level * 4);
        let Chunk { heights_m, biomes, .. } = planet.chunk(cell);
        heights_m.iter().for_each(|height_m| hash.add(u64::from(height_m.to_bits())));
        biomes.iter().for_each(|biome| hash.add(*biome as u64));
    }
    hash.0
}

const CHUNK_LEVELS: u8 = 5;

/// FNV-1a over 64-bit words.
struct Fnv(u64);

impl Fnv {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, word: u64) {
        for byte in word.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
