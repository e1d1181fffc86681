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
mod geology;
mod hollows;
mod lakes;
mod lattice;
mod parallel;
mod plates;
mod pyramid;
mod random;
mod resample;
mod routing;
mod rows;
mod streams;
mod water;

use crate::{BiomeSite, BiomeTable, Raster, discharge_m3_s};
use climate::{Climate, LAPSE_C_PER_M};
use crust::{Belts, Crust};
use erosion::{Erosion, climate_of};
use hollows::Hollows;
use lakes::Waters;
pub(crate) use lattice::Lattice;
use plates::{Boundary, Plates};
use pyramid::Planes;
use resample::{refined, resampled};
use streams::Streams;

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
    let tectonics = Tectonics { coarse: &coarse, boundary: &plates.boundary, ridge_m, uplift_m_yr };
    let world = World { fine: &fine, weather: &weather, land: &land, tectonics: &tectonics, seed, threads };
    let planes = world.finish(height, biomes, &mut |stage, share| tell(stage, 0.8 + 0.15 * share));
    tell(Stage::Tiles, 0.95);
    pyramid::fill(&raster, planes);
    tell(Stage::Tiles, 1.0);
    raster
}

/// What plates left behind.
struct Tectonics<'a> {
    coarse: &'a Lattice,
    /// On the coarse lattice.
    boundary: &'a [Boundary],
    /// On the finest.
    ridge_m: Vec<f32>,
    uplift_m_yr: Vec<f32>,
}

/// All that the steps after erosion share.
struct World<'a> {
    fine: &'a Lattice,
    weather: &'a Lattice,
    land: &'a [bool],
    tectonics: &'a Tectonics<'a>,
    seed: u64,
    threads: usize,
}

impl World<'_> {
    /// Lakes, rivers, biomes and rock of an eroded ground, as the planes of the finest layer.
    fn finish(&self, mut height: Vec<f32>, biomes: &BiomeTable, tell: &mut dyn FnMut(Stage, f32)) -> Planes {
        let Climate { sea_level_c, rain_mm } =
            climate_of(self.weather, self.fine, &height, self.seed, self.threads);
        let sea_level_c = resampled(self.weather, &sea_level_c, self.fine, self.threads);
        let rain_mm = resampled(self.weather, &rain_mm, self.fine, self.threads);
        tell(Stage::Water, 0.2);
        let hollows = Hollows {
            sea_level_c: &sea_level_c,
            ridge_m: &self.tectonics.ridge_m,
            uplift_m_yr: &self.tectonics.uplift_m_yr,
            seed: self.seed,
            threads: self.threads,
        };
        hollows.dig(self.fine, self.land, &mut height);
        let temperature_c: Vec<f32> = sea_level_c
            .into_iter()
            .zip(&height)
            .map(|(warmth, height)| warmth - LAPSE_C_PER_M * height.max(0.0))
            .collect();
        let supplies: Vec<_> = (0..self.fine.count())
            .map(|index| water::supply(self.fine, index, temperature_c[index], rain_mm[index]))
            .collect();
        tell(Stage::Water, 0.4);
        let waters = lakes::settle(self.fine, self.land, &mut height, &supplies, self.threads);
        let streams = Streams::new(self.land, &waters.routing);
        tell(Stage::Tiles, 0.8);
        self.planes(&height, &temperature_c, &rain_mm, &waters, streams, biomes)
    }

    fn planes(
        &self,
        height: &[f32],
        temperature_c: &[f32],
        rain_mm: &[f32],
        waters: &Waters,
        streams: Streams,
        biomes: &BiomeTable,
    ) -> Planes {
        let discharges = DischargeNumbers::new();
        let age = crate::noise::Fbm::new(self.seed, 61, 5.0, 0.5, 4);
        let age = rows::field_by_rows(self.fine, self.threads, |row, _, values| {
            age.sum(row, age.octaves(), values)
        });
        let mut planes =
            Planes { stream_order: streams.order, upstream: streams.upstream, ..Planes::default() };
        for index in 0..self.fine.count() {
            let is_land = self.land[index];
            let way = waters.routing.ways[index];
            let is_sink = is_land && way.receiver as usize == index;
            let ground = rounded_ground(height[index], is_land);
            let depth =
                lake_depth(ground, height[index] + waters.lake_depth_m[index], waters.lake_depth_m[index]);
            planes.ground_half_m.push(ground);
            planes.lake_depth_half_m.push(depth);
            planes.receiver.push(if !is_land {
                pyramid::SEA
            } else if is_sink {
                pyramid::SINK
            } else {
                let towards =
                    self.fine.neighbors(index).iter().position(|neighbor| *neighbor == way.receiver);
                towards.expect("a receiver is a neighbour") as u8
            });
            planes.discharge.push(if is_land { discharges.number(waters.discharge_m3_s[index]) } else { 0 });
            planes.temperature.push((temperature_c[index] * 2.0 + 128.5).clamp(0.0, 255.0) as u8);
            planes.rain.push(((rain_mm[index].max(0.0) * 8.0).sqrt() + 0.5).min(255.0) as u8);
            let biome = biomes.classify(&BiomeSite {
                ground_m: f32::from(ground) * 0.5,
                lake_depth_m: f32::from(depth) * 0.5,
                temperature_c: temperature_c[index],
                rain_mm: rain_mm[index],
                is_sink,
            });
            planes.biome.push(biome as u8);
            let at = self.fine.position(index);
            let shift = self.fine.level() - self.tectonics.coarse.level();
            let coarse = cell::FaceIj { face: at.face, i: at.i >> shift, j: at.j >> shift };
            let receiver = way.receiver as usize;
            let fall_m = height[index] - if self.land[receiver] { height[receiver] } else { 0.0 };
            let rock = geology::Ground {
                ground_m: height[index],
                is_land,
                is_salty: is_sink,
                boundary: self.tectonics.boundary[self.tectonics.coarse.index(coarse)],
                ridge_m: self.tectonics.ridge_m[index],
                uplift_m_yr: self.tectonics.uplift_m_yr[index],
                slope: fall_m * way.inverse_distance / EARTH_RADIUS_M as f32,
                discharge_m3_s: waters.discharge_m3_s[index],
                age: age[index],
            };
            planes.geology.push(rock.geology() as u8);
            planes.uplift.push((self.tectonics.uplift_m_yr[index] * 250e3 + 0.5).clamp(0.0, 255.0) as u8);
        }
        planes
    }
}

/// Ground in half metres. Rounded down everywhere, so that what did not rise still does not; land is above the sea.
fn rounded_ground(height_m: f32, is_land: bool) -> i16 {
    let half_m = (height_m * 2.0).floor().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16;
    if is_land { half_m.max(1) } else { half_m.min(-1) }
}

/// Depth of a lake in half metres, so that all of its surface is rounded alike.
fn lake_depth(ground_half_m: i16, surface_m: f32, depth_m: f32) -> u16 {
    if depth_m <= 0.0 {
        return 0;
    }
    let surface = i32::from(rounded_ground(surface_m, true));
    (surface - i32::from(ground_half_m)).clamp(0, i32::from(u16::MAX)) as u16
}

/// Numbers of discharges by binary search.
struct DischargeNumbers {
    least_m3_s: Vec<f32>,
}

impl DischargeNumbers {
    fn new() -> Self {
        Self { least_m3_s: (1..=u8::MAX).map(discharge_m3_s).collect() }
    }

    /// The same as [`crate::discharge_number`].
    fn number(&self, m3_s: f32) -> u8 {
        self.least_m3_s.partition_point(|least| *least <= m3_s) as u8
    }
}

#[cfg(test)]
mod tests;
