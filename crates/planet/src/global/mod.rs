//! The global stage: the whole planet once per seed, as a [`Raster`].
//!
//! Plates move, crust rises where they meet, the sea fills what is low, winds carry rain, rivers cut the land down, water
//! gathers in lakes. All lengths and heights are those of a planet of Earth's size.
//!
//! The same bits on every target and for any number of threads.
//!
//! Read first: [`generate`], [`GlobalSpec`].

mod climate;
mod crust;
mod erosion;
mod finish;
mod geology;
mod hollows;
mod inland;
mod lakes;
mod lattice;
pub(crate) mod parallel;
mod plates;
mod pyramid;
mod random;
mod resample;
mod routing;
mod rows;
mod streams;
mod water;

use crate::{BiomeTable, Raster};
use crust::{Belts, Crust};
use erosion::Erosion;
use finish::{Shaped, Tectonics};
use lakes::Outlets;
pub(crate) use lattice::Lattice;
use plates::{Boundary, Plates};
use resample::refined;

pub use geology::{Geology, Resource};
pub use random::sub_seed;

const EARTH_RADIUS_M: f64 = crate::EARTH_RADIUS_M;

/// Level of the lattice that plates are made on, at most.
const PLATE_LEVEL_MAX: u8 = 8;

/// Level of the lattice that climate is made on, at most.
const CLIMATE_LEVEL_MAX: u8 = 7;

/// What a raster is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalSpec {
    /// Where all its chance comes from.
    pub seed: u64,
    /// Level of the finest layer, [`crate::RASTER_LEVEL_MIN`]..=[`crate::RASTER_LEVEL_MAX`].
    pub raster_level: u8,
    /// How many threads to work on; on WebAssembly always one. Changes no bit.
    pub threads: usize,
}

/// What the global stage is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Plates and what their borders make.
    Plates,
    /// Continents, sea floor and the level of the sea.
    Crust,
    /// Rivers cut the land.
    Erosion,
    /// Rain, lakes, discharge.
    Water,
    /// Biomes, rock, the tiles of all layers.
    Tiles,
}

impl Stage {
    /// What to tell people, lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plates => "plates",
            Self::Crust => "crust",
            Self::Erosion => "erosion",
            Self::Water => "water",
            Self::Tiles => "tiles",
        }
    }
}

/// How far the global stage is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What it is at.
    pub stage: Stage,
    /// Share of all the work that is done, 0..=1, never less than before.
    pub done: f32,
}

/// Makes the raster of a seed.
///
/// # Panics
/// If there is no such raster level.
pub fn generate(spec: &GlobalSpec, biomes: &BiomeTable, progress: &mut dyn FnMut(Progress)) -> Raster {
    let GlobalSpec { seed, raster_level, threads } = *spec;
    let raster = Raster::empty(raster_level);
    let mut tell = |stage, done| progress(Progress { stage, done });

    tell(Stage::Plates, 0.0);
    let coarse = Lattice::new(raster_level.min(PLATE_LEVEL_MAX));
    let plates = Plates::new(&coarse, seed, threads);
    let belts = Belts::new(&coarse, &plates, seed, threads);
    tell(Stage::Crust, 0.1);
    let fine = Lattice::new(raster_level);
    let crust = Crust::new(&coarse, &plates, &belts, &fine, seed, threads);
    tell(Stage::Erosion, 0.4);
    let weather = Lattice::new(raster_level.min(CLIMATE_LEVEL_MAX));
    let erosion = Erosion {
        fine: &fine,
        weather: &weather,
        elevation_m: &crust.elevation_m,
        uplift_m_yr: &crust.uplift_m_yr,
        seed,
        threads,
    };
    let height = erosion.run(&mut |share| tell(Stage::Erosion, 0.4 + 0.4 * share));
    tell(Stage::Water, 0.8);
    let ridge_m = refined(&coarse, &plates.ridge_m, &fine, threads);
    let land: Vec<bool> = crust.elevation_m.iter().map(|elevation_m| *elevation_m > 0.0).collect();
    let Crust { uplift_m_yr, .. } = crust;
    let shaped = Shaped {
        fine: &fine,
        weather: &weather,
        land: &land,
        tectonics: &Tectonics { coarse: &coarse, boundary: &plates.boundary, ridge_m, uplift_m_yr },
        outlets: Outlets::Kept,
        biomes,
        seed,
        threads,
    };
    let planes = shaped.planes(height, &mut |stage, share| tell(stage, 0.8 + 0.15 * share));
    tell(Stage::Tiles, 0.95);
    pyramid::fill(&raster, planes);
    tell(Stage::Tiles, 1.0);
    raster
}

/// Makes the raster of a planet whose heights are known, as [`generate`] does, but without plates and erosion.
///
/// `elevation_m` has one value for each cell of the finest layer: face by face, row by row (`j`), cell by cell (`i`).
/// What is not above 0 is sea, unless land encloses it; then it is raised above 0. Means of real heights dam up rivers
/// in gorges, so rims are cut down where a hollow would overflow; only hollows that dry out stay. How fast the crust rises
/// is guessed from the height. The seed gives the weather its irregularity.
///
/// # Panics
/// If there is no such raster level, or `elevation_m` has another length.
pub fn generate_from_elevation(
    spec: &GlobalSpec,
    elevation_m: &[f32],
    biomes: &BiomeTable,
    progress: &mut dyn FnMut(Progress),
) -> Raster {
    let GlobalSpec { seed, raster_level, threads } = *spec;
    let raster = Raster::empty(raster_level);
    let fine = Lattice::new(raster_level);
    assert_eq!(elevation_m.len(), fine.count(), "there is one height a cell");
    let mut tell = |stage, done| progress(Progress { stage, done });
    tell(Stage::Water, 0.0);
    let enclosed = inland::enclosed(&fine, elevation_m, 0.0);
    let land: Vec<bool> =
        elevation_m.iter().zip(enclosed).map(|(height, enclosed)| *height > 0.0 || enclosed).collect();
    let height = elevation_m.iter().zip(&land);
    // What is not a number becomes deep sea.
    let height: Vec<f32> =
        height.map(|(height, land)| if *land { height.max(1.0) } else { height.min(-1.0) }).collect();
    let shaped = Shaped {
        fine: &fine,
        weather: &Lattice::new(raster_level.min(CLIMATE_LEVEL_MAX)),
        land: &land,
        tectonics: &Tectonics {
            coarse: &fine,
            boundary: &vec![Boundary::NONE; fine.count()],
            ridge_m: vec![f32::MAX; fine.count()],
            uplift_m_yr: height.iter().map(|height| crust::guessed_uplift_m_yr(*height)).collect(),
        },
        outlets: Outlets::CutDown,
        biomes,
        seed,
        threads,
    };
    let planes = shaped.planes(height, &mut |stage, share| tell(stage, 0.9 * share));
    tell(Stage::Tiles, 0.9);
    pyramid::fill(&raster, planes);
    tell(Stage::Tiles, 1.0);
    raster
}

#[cfg(test)]
mod tests;
