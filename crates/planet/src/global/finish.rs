//! From the shape of the ground to all planes of the finest layer: climate, hollows, lakes, rivers, biomes, rock.

use super::climate::{Climate, LAPSE_C_PER_M};
use super::erosion::climate_of;
use super::geology;
use super::hollows::Hollows;
use super::lakes::{Outlets, Waters, settle};
use super::lattice::Lattice;
use super::parallel::for_chunks;
use super::plates::Boundary;
use super::pyramid::{Planes, SEA, SINK};
use super::resample::resampled;
use super::rows::field_by_rows;
use super::streams::Streams;
use super::water::{Supply, supply};
use super::{EARTH_RADIUS_M, Stage};
use crate::noise::Fbm;
use crate::{BiomeSite, BiomeTable, discharge_m3_s};

/// What plates left behind.
pub(crate) struct Tectonics<'a> {
    pub(crate) coarse: &'a Lattice,
    /// On the coarse lattice.
    pub(crate) boundary: &'a [Boundary],
    /// On the finest: distance to the nearest place where plates part.
    pub(crate) ridge_m: Vec<f32>,
    /// On the finest.
    pub(crate) uplift_m_yr: Vec<f32>,
}

/// A planet whose ground has its shape.
pub(crate) struct Shaped<'a> {
    pub(crate) fine: &'a Lattice,
    pub(crate) weather: &'a Lattice,
    pub(crate) land: &'a [bool],
    pub(crate) tectonics: &'a Tectonics<'a>,
    pub(crate) outlets: Outlets,
    pub(crate) biomes: &'a BiomeTable,
    pub(crate) seed: u64,
    pub(crate) threads: usize,
}

/// One value a cell of the finest lattice.
struct Fields {
    height: Vec<f32>,
    temperature_c: Vec<f32>,
    rain_mm: Vec<f32>,
    waters: Waters,
}

impl Shaped<'_> {
    /// The planes of the finest layer. Land must be higher than 0, the sea lower.
    pub(crate) fn planes(&self, mut height: Vec<f32>, tell: &mut dyn FnMut(Stage, f32)) -> Planes {
        let Climate { sea_level_c, rain_mm } =
            climate_of(self.weather, self.fine, &height, self.seed, self.threads);
        let sea_level_c = resampled(self.weather, &sea_level_c, self.fine, self.threads);
        let rain_mm = resampled(self.weather, &rain_mm, self.fine, self.threads);
        tell(Stage::Water, 0.3);
        if self.outlets == Outlets::Kept {
            let hollows = Hollows {
                sea_level_c: &sea_level_c,
                ridge_m: &self.tectonics.ridge_m,
                uplift_m_yr: &self.tectonics.uplift_m_yr,
                seed: self.seed,
                threads: self.threads,
            };
            hollows.dig(self.fine, self.land, &mut height);
        }
        let temperature_c: Vec<f32> = sea_level_c
            .into_iter()
            .zip(&height)
            .map(|(warmth, height)| warmth - LAPSE_C_PER_M * height.max(0.0))
            .collect();
        let mut supplies = vec![Supply::default(); self.fine.count()];
        for_chunks(self.threads, &mut supplies, self.fine.side(), |number, values| {
            for (i, value) in values.iter_mut().enumerate() {
                let index = number * self.fine.side() + i;
                if self.land[index] {
                    *value = supply(self.fine, index, temperature_c[index], rain_mm[index]);
                }
            }
        });
        tell(Stage::Water, 0.5);
        let waters = settle(self.fine, self.land, &mut height, &supplies, self.outlets, self.threads);
        let streams = Streams::new(self.land, &waters.routing);
        tell(Stage::Tiles, 0.8);
        self.rounded(&Fields { height, temperature_c, rain_mm, waters }, streams)
    }

    /// The numbers of the raster.
    fn rounded(&self, fields: &Fields, streams: Streams) -> Planes {
        let discharges = DischargeNumbers::new();
        // Old crust lies open where this is high and under sediment where it is low, over some 1 000 km.
        let age = Fbm::new(self.seed, 61, 5.0, 0.5, 4);
        let age =
            field_by_rows(self.fine, self.threads, |row, _, values| age.sum(row, age.octaves(), values));
        let mut cells = vec![Cell::default(); self.fine.count()];
        for_chunks(self.threads, &mut cells, self.fine.side(), |number, values| {
            for (i, value) in values.iter_mut().enumerate() {
                let index = number * self.fine.side() + i;
                *value = self.cell(fields, &discharges, age[index], index);
            }
        });
        Planes {
            ground_half_m: cells.iter().map(|cell| cell.ground_half_m).collect(),
            lake_depth_half_m: cells.iter().map(|cell| cell.lake_depth_half_m).collect(),
            receiver: cells.iter().map(|cell| cell.receiver).collect(),
            stream_order: streams.order,
            discharge: cells.iter().map(|cell| cell.discharge).collect(),
            temperature: cells.iter().map(|cell| cell.temperature).collect(),
            rain: cells.iter().map(|cell| cell.rain).collect(),
            biome: cells.iter().map(|cell| cell.biome).collect(),
            geology: cells.iter().map(|cell| cell.geology).collect(),
            uplift: cells.iter().map(|cell| cell.uplift).collect(),
            upstream: streams.upstream,
        }
    }

    fn cell(&self, fields: &Fields, discharges: &DischargeNumbers, age: f32, index: usize) -> Cell {
        let is_land = self.land[index];
        let (height, depth_m) = (fields.height[index], fields.waters.lake_depth_m[index]);
        let (temperature_c, rain_mm) = (fields.temperature_c[index], fields.rain_mm[index]);
        let uplift_m_yr = self.tectonics.uplift_m_yr[index];
        let ground_half_m = rounded_ground(height, is_land);
        let lake_depth_half_m = rounded_depth(ground_half_m, height + depth_m, depth_m);
        let receiver = self.receiver(&fields.waters, index);
        let biome = self.biomes.classify(&BiomeSite {
            ground_m: f32::from(ground_half_m) * 0.5,
            lake_depth_m: f32::from(lake_depth_half_m) * 0.5,
            temperature_c,
            rain_mm,
            is_sink: receiver == SINK,
        });
        let rock = geology::Ground {
            elevation_m: height,
            is_land,
            is_salty: receiver == SINK,
            boundary: self.tectonics.boundary[self.fine.over(index, self.tectonics.coarse)],
            ridge_m: self.tectonics.ridge_m[index],
            uplift_m_yr,
            slope: self.slope(fields, index),
            discharge_m3_s: fields.waters.discharge_m3_s[index],
            age,
        };
        Cell {
            ground_half_m,
            lake_depth_half_m,
            receiver,
            discharge: if is_land { discharges.number(fields.waters.discharge_m3_s[index]) } else { 0 },
            temperature: (temperature_c * 2.0 + 128.5).clamp(0.0, 255.0) as u8,
            rain: ((rain_mm.max(0.0) * 8.0).sqrt() + 0.5).min(255.0) as u8,
            biome: biome as u8,
            geology: rock.geology() as u8,
            uplift: (uplift_m_yr * 250e3 + 0.5).clamp(0.0, 255.0) as u8,
        }
    }

    /// Number of the receiver.
    fn receiver(&self, waters: &Waters, index: usize) -> u8 {
        let receiver = waters.routing.ways[index].receiver;
        if !self.land[index] {
            SEA
        } else if receiver as usize == index {
            SINK
        } else {
            let direction = self.fine.neighbors(index).iter().position(|neighbor| *neighbor == receiver);
            direction.expect("a receiver is a neighbour") as u8
        }
    }

    /// Fall to the receiver, rise over run.
    fn slope(&self, fields: &Fields, index: usize) -> f32 {
        let way = fields.waters.routing.ways[index];
        let receiver = way.receiver as usize;
        let below = if self.land[receiver] { fields.height[receiver] } else { 0.0 };
        (fields.height[index] - below) * way.inverse_distance / EARTH_RADIUS_M as f32
    }
}

/// One cell of the planes.
#[derive(Clone, Copy, Default)]
struct Cell {
    ground_half_m: i16,
    lake_depth_half_m: u16,
    receiver: u8,
    discharge: u8,
    temperature: u8,
    rain: u8,
    biome: u8,
    geology: u8,
    uplift: u8,
}

/// Ground in half metres. Rounded down everywhere, so that what did not rise still does not; land is above the sea.
fn rounded_ground(height_m: f32, is_land: bool) -> i16 {
    let half_m = (height_m * 2.0).floor().clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16;
    if is_land { half_m.max(1) } else { half_m.min(-1) }
}

/// Depth of a lake in half metres, so that all of its surface is rounded alike.
fn rounded_depth(ground_half_m: i16, surface_m: f32, depth_m: f32) -> u16 {
    if depth_m <= 0.0 {
        return 0;
    }
    let surface = i32::from(rounded_ground(surface_m, true));
    (surface - i32::from(ground_half_m)).clamp(0, i32::from(u16::MAX)) as u16
}

/// Numbers of discharges by binary search.
pub(crate) struct DischargeNumbers {
    least_m3_s: Vec<f32>,
}

impl DischargeNumbers {
    pub(crate) fn new() -> Self {
        Self { least_m3_s: (1..=u8::MAX).map(discharge_m3_s).collect() }
    }

    /// The same as [`crate::discharge_number`].
    pub(crate) fn number(&self, m3_s: f32) -> u8 {
        self.least_m3_s.partition_point(|least| *least <= m3_s) as u8
    }
}
