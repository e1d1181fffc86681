//! The local stage: from raster cells of kilometres to ground that one walks on, for any place on demand.
//!
//! 1. *Fields* ([`fields`]): steepness, distance to shores, depth and climate between the middles of raster cells.
//! 2. *Skeleton* ([`sheet`]): every raster cell has a node and a course to where it drains; finer nodes drain to these.
//! 3. *Ground* ([`surface`]): the lowest of the slopes rising from the courses around ([`envelope`]), still water and its
//!    shores ([`shore`]), and small forms by noise.
//!
//! All of it is a function of the place: chance is keyed by ids of cells, differences of places are exact, and lists of
//! candidates are complete, so that it does not matter who asks for which neighbourhood. A coarser level of detail
//! leaves out the courses and waves that it could not show.

mod cache;
mod courses;
pub(crate) mod envelope;
mod fields;
mod gather;
mod hash;
pub(crate) mod land;
pub(crate) mod place;
pub(crate) mod scale;
pub(crate) mod segment;
pub(crate) mod sheet;
mod shore;
pub(crate) mod surface;

use std::sync::Arc;

use cell::CellId;
use glam::DVec3;

pub(crate) use crate::local::cache::Cache;
use crate::local::fields::{FieldSheet, Fields};
use crate::local::land::{LAPSE_C_PER_M, Reader};
use crate::local::place::Place;
use crate::local::scale::Scale;
use crate::local::sheet::Sheet;
use crate::local::shore::{Shores, Still};
use crate::local::surface::Relief;
use crate::{PlanetSpec, Raster};

/// How much steeper the ground is between the courses of one refinement than between those of the one before (after
/// Flint 1974: slope falls with a power of the area that drains).
const STEEPENING: f32 = 1.35;

/// Ground is not made steeper than this; raster slopes that are steeper stay.
const STEEPENED_MAX: f32 = 0.85;

/// Sheets kept of each kind: enough for people in some four hundred places, as ground without its sheets costs ten times
/// as much. The browser has less room.
const FIELD_SHEETS: usize = if cfg!(target_family = "wasm") { 64 } else { 1_024 };
const SHEETS: usize = if cfg!(target_family = "wasm") { 96 } else { 4_096 };
const RASTER_SHEETS: usize = if cfg!(target_family = "wasm") { 768 } else { 8_192 };

/// The local stage of one planet.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) scale: Scale,
    pub(crate) raster: Arc<Raster>,
    shores: Shores,
    relief: Relief,
    /// One cache per layer, the finest first.
    fields: Vec<(u8, Cache<FieldSheet>)>,
    /// One cache per refinement and number of bends left out.
    sheets: Vec<Vec<Cache<Sheet>>>,
}

impl Local {
    pub(crate) fn new(spec: PlanetSpec, radius_m: f64, raster: Arc<Raster>) -> Self {
        let scale = Scale::new(spec, radius_m);
        Self {
            shores: Shores::new(&scale),
            relief: Relief::new(&scale),
            fields: Raster::layers(raster.level()).map(|level| (level, Cache::new(FIELD_SHEETS))).collect(),
            sheets: (0..=scale.refinements)
                .map(|refinement| {
                    let count = if refinement == 0 { RASTER_SHEETS } else { SHEETS };
                    (0..=scale.straightened_max()).map(|_| Cache::new(count)).collect()
                })
                .collect(),
            scale,
            raster,
        }
    }

    /// The fields at a place by a layer of the raster, and whether all tiles were there.
    pub(crate) fn fields(&self, place: &Place, layer: u8) -> (Fields, bool) {
        let (at, x, y) = place.in_cell(layer);
        let cell = CellId::from_face_ij(at, layer).parent(FieldSheet::level(layer));
        let (sheet, is_complete) = self.field_sheet(layer, cell);
        (sheet.fields(at, (x, y)), is_complete)
    }

    /// The fields over a cell, [`FieldSheet::level`], and whether all tiles were there.
    pub(crate) fn field_sheet(&self, layer: u8, cell: CellId) -> (Arc<FieldSheet>, bool) {
        let cache = self.fields.iter().find(|(level, _)| *level == layer);
        let (_, cache) = cache.expect("a layer of the raster");
        cache.get(cell, self.raster.revision(), || {
            let mut reader = Reader::new(&self.scale, &self.raster);
            let sheet = FieldSheet::make(&self.scale, &mut reader, layer, cell);
            (sheet, reader.is_complete())
        })
    }

    /// The courses that begin in a cell, without their finest bends, and whether all tiles were there.
    pub(crate) fn sheet(&self, refinement: u8, straightened: u8, cell: CellId) -> (Arc<Sheet>, bool) {
        let cache = &self.sheets[usize::from(refinement)][usize::from(straightened)];
        cache.get(cell, self.raster.revision(), || self.make_sheet(refinement, straightened, cell))
    }

    /// The slope away from the courses of refinements below `refinement`, where raster cells differ by `slope`.
    pub(crate) fn slope_at(refinement: u8, slope: f32) -> f32 {
        let steepened = (0..refinement).fold(slope, |slope, _| slope * STEEPENING);
        steepened.min(slope.max(STEEPENED_MAX))
    }

    /// [`slope_at`](Self::slope_at) of many.
    fn steepen(slopes: &mut [f32], refinement: u8) {
        let mut steepened = slopes.to_vec();
        for _ in 0..refinement {
            for slope in &mut steepened {
                *slope *= STEEPENING;
            }
        }
        for (slope, steepened) in slopes.iter_mut().zip(steepened) {
            *slope = steepened.min(slope.max(STEEPENED_MAX));
        }
    }

    /// Temperature at a height where the fields are so.
    pub(crate) fn temperature_c(&self, fields: &Fields, elevation_m: f32) -> f32 {
        fields.temperature_c - self.lapse_c_per_m() * elevation_m.max(0.0)
    }

    fn lapse_c_per_m(&self) -> f32 {
        (LAPSE_C_PER_M / self.scale.relief) as f32
    }

    /// The sea and the lake near a point, if they are near.
    fn still(&self, unit: DVec3, fields: &Fields) -> [Option<Still>; 2] {
        if !self.shores.is_near(fields) {
            return [None, None];
        }
        let position = unit * self.scale.radius_m;
        let bay = self.shores.bays.sum_at(position, self.shores.bays.octaves());
        let beach = self.shores.beaches.sum_at(position, self.shores.beaches.octaves());
        [Some(self.shores.sea(fields, bay, beach)), self.shores.lake(fields, bay)]
    }
}

#[cfg(test)]
mod tests;
