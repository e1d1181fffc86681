//! One number that changes when the planet does.

use cell::CellId;
use glam::DVec3;

use crate::{Chunk, Planet, PlanetSpec, TileId};

/// Level of the cells in whose middles the ground is looked at as from afar, and as one walks on it.
const FAR_LEVEL: u8 = 5;
const NEAR_LEVEL: u8 = 1;

/// Levels of the chunks about the arrival place: from a whole face to centimetres.
const CHUNK_LEVELS: [u8; 7] = [0, 4, 8, 12, 16, 20, 24];

/// Level of the cell about the arrival place whose rivers are looked at.
const RIVERS_LEVEL: u8 = 5;

/// A hash over the raster, ground, water, climate and cell geometry all over the planet, the arrival place, chunks
/// and rivers about it.
///
/// Equal on every target; `tests/golden.txt` pins it for some planets. It takes some tenths of a second.
pub fn golden_hash(spec: PlanetSpec) -> u64 {
    let planet = Planet::generate(spec);
    let mut hash = Fnv::new();
    add_raster(&mut hash, &planet);
    let far_m = planet.spacing_m(FAR_LEVEL, 1);
    for cell in (0..6).flat_map(|face| CellId::from_face(face).descendants(FAR_LEVEL)) {
        let center = cell.center();
        let elevation_m = planet.elevation_coarse_m(center, far_m);
        let climate = planet.climate_at_elevation(center, elevation_m);
        hash.add(cell.raw());
        for value in [elevation_m, climate.temperature_c, climate.rain_mm, cell.area_sr()] {
            hash.add(value.to_bits());
        }
    }
    for cell in (0..6).flat_map(|face| CellId::from_face(face).descendants(NEAR_LEVEL)) {
        let ground = planet.ground(cell.center());
        hash.add(ground.elevation_m.to_bits());
        hash.add(ground.water_m.map_or(0, f64::to_bits));
    }
    let arrival = planet.arrival();
    for value in [arrival.ground, arrival.facing].iter().flat_map(DVec3::to_array) {
        hash.add(value.to_bits());
    }
    let home = CellId::from_point(arrival.ground);
    for level in CHUNK_LEVELS {
        add_chunk(&mut hash, &planet.chunk(home.parent(level)));
    }
    for reach in planet.reaches(home.parent(RIVERS_LEVEL), 0.0, 0.0) {
        hash.add(reach.river.0);
        for value in
            reach.a.to_array().into_iter().chain([reach.surface_a_m, reach.surface_b_m, reach.width_a_m])
        {
            hash.add(value.to_bits());
        }
    }
    hash.value
}

fn add_raster(hash: &mut Fnv, planet: &Planet) {
    let level = planet.raster().level();
    for tile in TileId::all_of(level).filter_map(|id| planet.raster().tile(id)) {
        let heights = tile.ground_half_m.iter().zip(&tile.lake_depth_half_m);
        heights.for_each(|(ground, depth)| hash.add(u64::from(*ground as u16) << 16 | u64::from(*depth)));
        let planes = [
            &tile.drainage,
            &tile.discharge,
            &tile.temperature,
            &tile.rain,
            &tile.biome,
            &tile.geology,
            &tile.uplift,
        ];
        planes.into_iter().flatten().for_each(|value| hash.add(u64::from(*value)));
    }
}

fn add_chunk(hash: &mut Fnv, chunk: &Chunk) {
    for ((height_m, water_m), biome) in chunk.heights_m.iter().zip(&chunk.water_m).zip(&chunk.biomes) {
        hash.add(u64::from(height_m.to_bits()));
        // The bits of what is no number are not the same everywhere.
        hash.add(if water_m.is_nan() { 0 } else { u64::from(water_m.to_bits()) });
        hash.add(*biome as u64);
    }
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
