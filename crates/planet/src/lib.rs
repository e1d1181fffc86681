//! A planet from its seed: how high the ground is, what grows there, where newcomers arrive.
//!
//! Everything is a pure function of [`PlanetSpec`] and a direction from the planet's centre, the same bits on
//! every target (no `std` transcendentals, no fused multiply-add, integer hashes). A change of any result is a
//! change of [`GENERATOR_VERSION`] and of the golden hashes in `tests/golden.txt`.
//!
//! Directions are [`glam::DVec3`] of any length but zero; heights are metres above the sea.
//!
//! Read first: [`Planet`], [`Chunk`], [`Biome`].
//!
//! This crate knows no bodies, no owners and no pictures.

mod arrival;
pub mod artifact;
mod biome;
mod biome_table;
mod chunk;
mod climate;
pub mod codec;
pub mod global;
mod golden;
mod ground;
pub mod heaven;
pub mod import;
mod local;
pub mod noise;
mod patch;
pub mod places;
mod raster;
mod reaches;
pub mod stats;
mod weather;

use std::sync::{Arc, OnceLock};

pub use arrival::Arrival;
pub use biome::Biome;
pub use biome_table::{BiomeBytesError, BiomeSite, BiomeTable, BiomeTableError, GroundSite, WaterKind};
pub use chunk::{CHUNK_LEVEL_MAX, CHUNK_SIDE, CHUNK_VERTICES, Chunk};
pub use climate::Climate;
pub use golden::golden_hash;
pub use ground::Ground;
pub use heaven::{Heaven, PlanetTime};
pub use patch::{PATCH_QUADS_MAX, Patch};
pub use raster::{
    DIRECTIONS, RASTER_LEVEL_MAX, RASTER_LEVEL_MIN, Raster, RasterCell, RasterTile, Receiver, TILE_CELLS,
    TILE_SIDE, TileId, discharge_m3_s, discharge_number,
};
pub use reaches::{Reach, RiverId};
pub use weather::{Overhead, Weather, WeatherSite};

use ground::Walked;
use local::Local;

/// Grows whenever the same spec gives another planet.
pub const GENERATOR_VERSION: u32 = 2;

/// Smallest planet: Earth / 2^9, 12.4 km.
pub const SHIFT_MAX: u8 = 9;

/// The planet size that levels are named for.
const SHIFT_DEFAULT: u8 = 3;

const EARTH_RADIUS_M: f64 = 6_371_000.0;

/// All there is to know to make a planet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PlanetSpec {
    /// Where all its chance comes from.
    pub seed: u64,
    /// The radius is Earth's / 2^shift; at most [`SHIFT_MAX`].
    pub shift: u8,
    /// Level of the raster that the global stage makes, [`RASTER_LEVEL_MIN`]..=[`RASTER_LEVEL_MAX`].
    pub raster_level: u8,
}

impl PlanetSpec {
    /// A planet whose global stage takes milliseconds: coarse, but with all that a planet has.
    pub const fn for_test(seed: u64, shift: u8) -> Self {
        Self { seed, shift, raster_level: RASTER_LEVEL_MIN }
    }
}

impl Default for PlanetSpec {
    fn default() -> Self {
        Self { seed: 1, shift: SHIFT_DEFAULT, raster_level: RASTER_LEVEL_MAX }
    }
}

/// A planet ready to be asked, by as many threads as like. Beside its raster it holds caches of up to some 100 MB, in
/// the browser a tenth; share it.
#[derive(Debug)]
pub struct Planet {
    spec: PlanetSpec,
    radius_m: f64,
    local: Local,
    walked: Walked,
    biomes: BiomeTable,
    arrival: OnceLock<Arrival>,
}

impl Planet {
    /// The planet of a raster that is there already, whole or in parts.
    ///
    /// # Panics
    /// If the shift is above [`SHIFT_MAX`], or the raster is not of the spec's level.
    pub fn new(spec: PlanetSpec, raster: Arc<Raster>) -> Self {
        Self::with_biomes(spec, raster, BiomeTable::default())
    }

    /// [`new`](Self::new) with a table of biomes other than the default.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn with_biomes(spec: PlanetSpec, raster: Arc<Raster>, biomes: BiomeTable) -> Self {
        assert!(spec.shift <= SHIFT_MAX, "planets are not smaller than shift {SHIFT_MAX}");
        assert_eq!(spec.raster_level, raster.level(), "a raster is of the level of its planet");
        let radius_m = EARTH_RADIUS_M / f64::from(1_u32 << spec.shift);
        let local = Local::new(spec, radius_m, raster);
        Self { spec, radius_m, local, walked: Walked::new(), biomes, arrival: OnceLock::new() }
    }

    /// Makes a planet from nothing but its spec: seconds at the finest level, milliseconds at the coarsest.
    ///
    /// # Panics
    /// If the shift is above [`SHIFT_MAX`], or there is no such raster level.
    pub fn generate(spec: PlanetSpec) -> Self {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let PlanetSpec { seed, raster_level, .. } = spec;
        let global = global::GlobalSpec { seed, raster_level, threads };
        Self::new(spec, Arc::new(global::generate(&global, &BiomeTable::default(), &mut |_| {})))
    }

    /// The raster it stands on.
    pub fn raster(&self) -> &Arc<Raster> {
        &self.local.raster
    }

    /// What it was made from.
    pub fn spec(&self) -> PlanetSpec {
        self.spec
    }

    /// Distance of the sea surface from the centre.
    pub fn radius_m(&self) -> f64 {
        self.radius_m
    }

    /// Where newcomers arrive. Found at the first call, in some tenths of a second, then remembered.
    pub fn arrival(&self) -> Arrival {
        *self.arrival.get_or_init(|| arrival::find(self))
    }

    /// The same planet for one who has searched it for its arrival place before and kept what was found.
    #[must_use]
    pub fn with_arrival(self, arrival: Arrival) -> Self {
        Self { arrival: OnceLock::from(arrival), ..self }
    }

    /// The level whose cells have the size here that cells of `level_at_default` have at shift 3.
    pub fn grid_level(&self, level_at_default: u8) -> u8 {
        (level_at_default + SHIFT_DEFAULT).saturating_sub(self.spec.shift).min(cell::MAX_LEVEL)
    }
}
