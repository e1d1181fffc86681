//! Ground and water at places.

use std::sync::Arc;

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::WaterKind;
use crate::local::Local;
use crate::local::envelope::{Block, CALM_M, Candidate};
use crate::local::fields::{FieldSheet, Fields};
use crate::local::gather::Range;
use crate::local::place::Place;
use crate::local::scale::Scale;
use crate::local::shore::{Still, rising};
use crate::noise::{Fbm, Positions};

/// Places along the side of a block, at most.
const BLOCK_SIDE: usize = 17;

/// Levels between the raster's cells and the cells between whose corners fields are interpolated.
const CONTROL_DEPTH: u8 = 4;

/// Largest and smallest waves of the ground.
const WAVE_LARGEST_M: f64 = 500.0;
const WAVES: usize = 7;

/// Height of the largest waves on level ground and how it grows with the slope.
const WAVE_HEIGHT_M: f32 = 3.0;
const WAVE_HEIGHT_BY_SLOPE_M: f32 = 42.0;

/// How far from still water waves of the ground are as high as anywhere.
const SHORE_CALM_M: f32 = 60.0;

/// How high the ground lies over the raster's level, of its slope times the spacing of nodes, as courses make it.
const MEAN_RISE: f32 = 0.22;

/// Small forms.
#[derive(Debug)]
pub(crate) struct Relief {
    waves: Fbm,
}

impl Relief {
    pub(crate) fn new(scale: &Scale) -> Self {
        Self { waves: Fbm::new(scale.seed, 42, 1.0 / WAVE_LARGEST_M, 0.5, WAVES) }
    }
}

/// What a grid of a spacing can show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Detail {
    /// Layer of the raster.
    pub(crate) layer: u8,
    /// How many refinements' courses shape the ground, the raster's own included; 0: none.
    pub(crate) courses: u8,
    spacing_m: f64,
}

/// The ground at places, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surface {
    pub(crate) elevation_m: Vec<f32>,
    /// Surface of the water over the ground, NaN where it is dry.
    pub(crate) water_m: Vec<f32>,
    /// The water that covers the place, or that it drains to.
    pub(crate) water: Vec<Option<WaterKind>>,
    /// Height over that water.
    pub(crate) over_water_m: Vec<f32>,
    pub(crate) slope: Vec<f32>,
    /// Value of the waves of the ground, about −0.7..0.7.
    pub(crate) wave: Vec<f32>,
    /// At the ground.
    pub(crate) temperature_c: Vec<f32>,
    pub(crate) rain_mm: Vec<f32>,
    /// Were all tiles there?
    pub(crate) is_complete: bool,
}

/// One place of a [`Surface`].
struct Spot {
    elevation_m: f32,
    water_m: f32,
    water: Option<WaterKind>,
    over_water_m: f32,
}

impl Detail {
    /// The level of detail for vertices so far apart; what is no number is as fine as can be.
    pub(crate) fn of(scale: &Scale, layers: impl Iterator<Item = u8>, spacing_m: f64) -> Self {
        let spacing_m = if spacing_m.is_nan() { 0.0 } else { spacing_m };
        let is_shown = |refinement: &u8| scale.node_spacing_m(*refinement) >= 1.9 * spacing_m;
        let courses = (0..=scale.refinements).take_while(is_shown).count() as u8;
        let mut layer = scale.raster_level;
        for coarser in layers {
            if coarser < layer && scale.edge_m(coarser) <= 2.0 * spacing_m {
                layer = coarser;
            }
        }
        Self { layer, courses, spacing_m }
    }
}

impl Local {
    pub(crate) fn detail(&self, spacing_m: f64) -> Detail {
        Detail::of(&self.scale, crate::Raster::layers(self.raster.level()), spacing_m)
    }

    /// The ground at the places of a grid, `side` in a row.
    pub(crate) fn surface(&self, places: &[Place], side: usize, detail: Detail) -> Surface {
        let mut surface = Surface::with(places.len());
        let rows = places.len() / side;
        let (parts_across, parts_up) = (side.div_ceil(BLOCK_SIDE), rows.div_ceil(BLOCK_SIDE));
        let mut work = Work::new(self, places, detail);
        let shared = work.shared_candidates();
        for up in 0..parts_up {
            for across in 0..parts_across {
                let columns = side * across / parts_across..side * (across + 1) / parts_across;
                let rows = rows * up / parts_up..rows * (up + 1) / parts_up;
                let indices: Vec<usize> =
                    rows.flat_map(|row| columns.clone().map(move |column| row * side + column)).collect();
                work.shape(&indices, shared.as_ref(), &mut surface);
            }
        }
        surface.is_complete = work.is_complete;
        surface
    }
}

impl Surface {
    fn with(count: usize) -> Self {
        Self {
            elevation_m: vec![0.0; count],
            water_m: vec![f32::NAN; count],
            water: vec![None; count],
            over_water_m: vec![0.0; count],
            slope: vec![0.0; count],
            wave: vec![0.0; count],
            temperature_c: vec![0.0; count],
            rain_mm: vec![0.0; count],
            is_complete: true,
        }
    }
}

/// Fields at the corners of the cells last asked for.
#[derive(Default)]
struct Controls {
    /// Low i and j, high i, high j, both high.
    cells: Vec<(FaceIj, [Fields; 4])>,
    last: usize,
    /// Between the corners of the last cell at a height in it: at low i and at high i.
    row: Option<(FaceIj, f64, [Fields; 2])>,
    sheet: Option<(CellId, Arc<FieldSheet>)>,
}

impl Controls {
    fn fields(&mut self, local: &Local, place: &Place, detail: Detail, is_complete: &mut bool) -> Fields {
        let level = local.scale.raster_level + CONTROL_DEPTH;
        if detail.spacing_m >= 0.99 * local.scale.edge_m(level) {
            return self.exact(local, place, detail.layer, is_complete);
        }
        let (at, x, y) = place.in_cell(level);
        if let Some((cell, height, [low, high])) = &self.row
            && *cell == at
            && *height == y
        {
            return low.between(high, x as f32);
        }
        if self.cells.get(self.last).is_none_or(|(known, _)| *known != at) {
            self.last = self.cells.iter().position(|(known, _)| *known == at).unwrap_or_else(|| {
                let cell = CellId::from_face_ij(at, level);
                let corners = [0, 1, 3, 2].map(|corner| {
                    let place = Place::of(cell.vertex(corner) + DVec3::ZERO);
                    self.exact(local, &place, detail.layer, is_complete)
                });
                self.cells.push((at, corners));
                self.cells.len() - 1
            });
        }
        let [a, b, c, d] = &self.cells[self.last].1;
        let (low, high) = (a.between(c, y as f32), b.between(d, y as f32));
        self.row = Some((at, y, [low, high]));
        low.between(&high, x as f32)
    }

    fn exact(&mut self, local: &Local, place: &Place, layer: u8, is_complete: &mut bool) -> Fields {
        let (at, x, y) = place.in_cell(layer);
        let cell = CellId::from_face_ij(at, layer).parent(FieldSheet::level(layer));
        if self.sheet.as_ref().is_none_or(|(known, _)| *known != cell) {
            let (sheet, is_whole) = local.field_sheet(layer, cell);
            *is_complete &= is_whole;
            self.sheet = Some((cell, sheet));
        }
        let (_, sheet) = self.sheet.as_ref().expect("it has just been put there");
        sheet.fields(at, (x, y))
    }
}

/// What is needed while a surface is made.
struct Work<'a> {
    local: &'a Local,
    places: &'a [Place],
    detail: Detail,
    /// At each of the places.
    fields: Vec<Fields>,
    slopes: Vec<f32>,
    block: Box<Block>,
    positions: Positions,
    waves: Vec<f32>,
    bays: Vec<f32>,
    beaches: Vec<f32>,
    is_complete: bool,
}

/// Candidates for all places of a surface, relative to the origin of their range.
type Shared = (Range, Vec<Candidate>);

impl<'a> Work<'a> {
    fn new(local: &'a Local, places: &'a [Place], detail: Detail) -> Self {
        let mut is_complete = true;
        let mut controls = Controls::default();
        let fields: Vec<Fields> =
            places.iter().map(|place| controls.fields(local, place, detail, &mut is_complete)).collect();
        let slopes = fields.iter().map(|fields| Local::slope_at(detail.courses, fields.slope)).collect();
        Self {
            local,
            places,
            detail,
            fields,
            slopes,
            block: Block::new(),
            positions: Positions::default(),
            waves: Vec::new(),
            bays: Vec::new(),
            beaches: Vec::new(),
            is_complete,
        }
    }

    /// The candidates for all places at once, if these are near enough to each other.
    fn shared_candidates(&mut self) -> Option<Shared> {
        const EXTENT_SPACINGS: f64 = 5.0;
        let (local, places, detail) = (self.local, self.places, self.detail);
        let finest = detail.courses.checked_sub(1)?;
        let middle = places[places.len() / 2].unit;
        let extent_m = [0, places.len() - 1]
            .map(|index| (places[index].unit - middle).length() * local.scale.radius_m)
            .into_iter()
            .fold(0.0, f64::max);
        if places.len() <= BLOCK_SIDE * BLOCK_SIDE
            || extent_m > EXTENT_SPACINGS * local.scale.node_spacing_m(finest)
        {
            return None;
        }
        let range = self.range(0..places.len(), middle)?;
        let (candidates, is_whole) = local.gather(&range, 0..detail.courses);
        self.is_complete &= is_whole;
        Some((range, candidates))
    }

    /// A ball about some of the places; none if all of them are out at sea, where no course leads.
    fn range(&self, indices: impl IntoIterator<Item = usize>, center: DVec3) -> Option<Range> {
        let scale = &self.local.scale;
        let mut range = Range::around(scale, center);
        let mut has_land = false;
        for index in indices {
            range.include(scale, self.places[index].unit, self.slopes[index]);
            has_land |= self.fields[index].inland_m > -self.local.shores.near_m;
        }
        has_land.then_some(range)
    }

    /// Works out some of the places, near each other, at most [`BLOCK_SIDE`] squared.
    fn shape(&mut self, indices: &[usize], shared: Option<&Shared>, surface: &mut Surface) {
        let local = self.local;
        self.positions.clear();
        for index in indices {
            self.positions.push(self.places[*index].unit * local.scale.radius_m);
        }
        self.courses(indices, shared);
        let shown = |noise: &Fbm| noise.octaves_longer_than(2.0 * self.detail.spacing_m);
        let count = indices.len();
        self.waves.resize(count, 0.0);
        self.bays.resize(count, 0.0);
        self.beaches.resize(count, 0.0);
        local.relief.waves.sum(&self.positions, shown(&local.relief.waves), &mut self.waves);
        let is_near_shore = indices.iter().any(|index| local.shores.is_near(&self.fields[*index]));
        if is_near_shore {
            local.shores.bays.sum(&self.positions, shown(&local.shores.bays), &mut self.bays);
            local.shores.beaches.sum(&self.positions, shown(&local.shores.beaches), &mut self.beaches);
        }
        for (slot, index) in indices.iter().enumerate() {
            let fields = &self.fields[*index];
            let spot = self.spot(slot, fields);
            surface.elevation_m[*index] = spot.elevation_m;
            surface.water_m[*index] = spot.water_m;
            surface.water[*index] = spot.water;
            surface.over_water_m[*index] = spot.over_water_m;
            surface.slope[*index] = self.block.slope[slot];
            surface.wave[*index] = self.waves[slot];
            surface.temperature_c[*index] = local.temperature_c(fields, spot.elevation_m);
            surface.rain_mm[*index] = fields.rain_mm;
        }
    }

    /// What courses of water make of the ground.
    fn courses(&mut self, indices: &[usize], shared: Option<&Shared>) {
        let local = self.local;
        let scale = &local.scale;
        let middle = self.places[indices[indices.len() / 2]].unit;
        let range = if self.detail.courses > 0 { self.range(indices.iter().copied(), middle) } else { None };
        let (origin, kept) = match (range, shared) {
            (None, _) => (scale.fixed(middle), Vec::new()),
            (Some(range), Some((all, candidates))) => {
                (all.origin(), range.kept(candidates, all.origin(), scale.m_per_fixed()))
            }
            (Some(range), None) => {
                let (candidates, is_whole) = local.gather(&range, 0..self.detail.courses);
                self.is_complete &= is_whole;
                (range.origin(), candidates)
            }
        };
        self.block.clear();
        for index in indices {
            self.block.push(origin, scale.fixed(self.places[*index].unit), self.slopes[*index]);
        }
        self.block.shape(&kept, scale.m_per_fixed());
        if self.detail.courses == 0 {
            for (slot, index) in indices.iter().enumerate() {
                let fields = &self.fields[*index];
                let rise_m = MEAN_RISE * fields.slope * scale.node_spacing_m(0) as f32;
                self.block.ground_m[slot] = fields.level_m.max(0.5) + rise_m;
            }
        }
    }

    fn spot(&self, slot: usize, fields: &Fields) -> Spot {
        /// So near still water counts as what a place drains to.
        const NEAR_M: f32 = 150.0;
        let shores = &self.local.shores;
        let stream_m = self.block.water_m[slot];
        let mut ground_m = self.block.ground_m[slot];
        let mut calm = rising(self.block.bank_m[slot] / CALM_M);
        let still: [Option<(WaterKind, Still)>; 2] = if shores.is_near(fields) {
            let sea = shores.sea(fields, self.bays[slot], self.beaches[slot]);
            let lake = shores.lake(fields, self.bays[slot]);
            [lake.map(|lake| (WaterKind::Lake, lake)), Some((WaterKind::Sea, sea))]
        } else {
            [None, None]
        };
        if let Some((_, lake)) = &still[0] {
            ground_m = ground_m.max(lake.dam_m(stream_m));
        }
        for (_, still) in still.iter().flatten() {
            ground_m = ground_m.min(still.floor_m);
            calm = calm.min(rising(still.off_shore_m.abs() / SHORE_CALM_M));
        }
        let mut water = None;
        let mut water_m = f32::NAN;
        if stream_m > ground_m {
            let level_m =
                still.iter().flatten().fold(stream_m, |level_m, (_, still)| still.reached_by_m(level_m));
            if level_m > ground_m {
                (water, water_m) = (Some(WaterKind::River), level_m);
            }
        }
        for (kind, still) in still.iter().flatten() {
            if still.off_shore_m < 0.0 && ground_m < still.level_m {
                (water, water_m) = (Some(*kind), still.level_m);
            }
        }
        let height_m = WAVE_HEIGHT_M + WAVE_HEIGHT_BY_SLOPE_M * self.block.slope[slot];
        let wave_m = calm * height_m * self.waves[slot];
        let elevation_m = if water.is_some() {
            // What is under water stays there.
            ground_m + wave_m.min(0.8 * (water_m - ground_m))
        } else {
            let least_m = still.iter().flatten().fold(-f32::INFINITY, |least_m, (_, still)| {
                if still.level_m <= ground_m {
                    least_m.max(0.5 * (still.level_m - ground_m))
                } else {
                    least_m
                }
            });
            ground_m + wave_m.max(least_m)
        };
        let over = |level_m: f32| elevation_m - level_m;
        if water.is_some() {
            return Spot { elevation_m, water_m, water, over_water_m: over(water_m) };
        }
        let near = still.iter().flatten().find(|(_, still)| still.off_shore_m < NEAR_M);
        let (water, over_water_m) = match near {
            Some((kind, still)) => (Some(*kind), over(still.level_m)),
            None if stream_m > f32::NEG_INFINITY => (Some(WaterKind::River), over(stream_m)),
            None => (None, f32::INFINITY),
        };
        Spot { elevation_m, water_m, water, over_water_m }
    }
}
