//! What the raster says between the middles of its cells: steepness, shores, depths and climate as smooth fields.
//!
//! Quadratic B-splines over the 3 × 3 cells about a place. Over the edges of the cube the cells of the next face take
//! part; where three faces meet, the cell that is not there is the mean of the three that are. So the fields are
//! continuous everywhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::DIRECTIONS;
use crate::local::Local;
use crate::local::land::{Cell, Kind, Reader};
use crate::local::place::Place;
use crate::local::scale::Scale;

/// Levels between the cells of a sheet and the sheet.
const SHEET_DEPTH: u8 = 4;
const SIDE: usize = 1 << SHEET_DEPTH;
/// With one cell more on every side.
const BORDERED: usize = SIDE + 2;

/// No ground is quite level.
const SLOPE_MIN: f64 = 0.006;

/// Height of land, or depth of water, from which a cell pulls the shore as strongly as any.
const FULL_PULL_M: f64 = 25.0;

/// Metres from the middle of a spline's step to where it would reach the cell's value, over the edge of a cell.
const SPLINE_REACH: f64 = 0.62;

/// The fields at a place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Fields {
    /// The steepest slope between raster cells around.
    pub(crate) slope: f32,
    /// Mean height of the ground, or of the water over it.
    pub(crate) level_m: f32,
    /// Distance from the shore of the sea, as far as it decides about the shore; below 0 at sea.
    pub(crate) inland_m: f32,
    /// Depth of the sea off the shore.
    pub(crate) sea_depth_m: f32,
    /// Distance from the shore of the nearest lake, below 0 on it.
    pub(crate) off_lake_m: f32,
    pub(crate) lake_depth_m: f32,
    /// The level of the lake that the two fields above are about.
    pub(crate) lake_level_m: f32,
    /// The greatest distance from a shore that is told.
    pub(crate) reach_m: f32,
    /// Temperature at the level of the sea.
    pub(crate) temperature_c: f32,
    pub(crate) rain_mm: f32,
}

/// One raster cell's part in the fields.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    slope: f64,
    level_m: f64,
    /// −1 deep at sea to 1 on land, nearer to 0 the lower the land or the shallower the sea.
    land: f64,
    sea_depth_m: f64,
    lake_depth_m: f64,
    /// NaN where there is no lake.
    lake_level_m: f64,
    temperature_c: f64,
    rain_mm: f64,
}

/// The parts of 16 × 16 raster cells and of those around them.
#[derive(Debug)]
pub(crate) struct FieldSheet {
    edge_m: f64,
    has_lakes: bool,
    parts: Vec<Part>,
}

impl FieldSheet {
    /// Level of the sheets over cells of a level.
    pub(crate) fn level(cells: u8) -> u8 {
        cells - SHEET_DEPTH
    }

    /// The sheet of a cell `SHEET_DEPTH` levels above the cells of `level`, a layer's.
    pub(crate) fn make(scale: &Scale, reader: &mut Reader<'_>, level: u8, sheet: CellId) -> Self {
        let FaceIj { face, i, j } = sheet.face_ij();
        let first = FaceIj { face, i: i << SHEET_DEPTH, j: j << SHEET_DEPTH };
        let end = (1 << level) - SIDE as u32 - AROUND;
        let parts = if first.i.min(first.j) >= AROUND && first.i.max(first.j) <= end {
            inner_parts(scale, reader, level, first)
        } else {
            Self::parts(Survey::new(scale, reader, level, first), level, first)
        };
        let has_lakes = parts.iter().any(|part| !part.lake_level_m.is_nan());
        Self { edge_m: scale.edge_m(level), has_lakes, parts }
    }

    fn parts(mut survey: Survey<'_, '_>, level: u8, FaceIj { face, i, j }: FaceIj) -> Vec<Part> {
        let last = SIDE as i64 - 1;
        let mut parts = Vec::with_capacity(BORDERED * BORDERED);
        for row in -1..=SIDE as i64 {
            for column in -1..=SIDE as i64 {
                // Over an edge, a step from the cell at it.
                let at =
                    FaceIj { face, i: i + column.clamp(0, last) as u32, j: j + row.clamp(0, last) as u32 };
                let step = (column - column.clamp(0, last), row - row.clamp(0, last));
                parts.push(match beyond_corner(at, step, level) {
                    Some(three) => mean(&three.map(|at| survey.part(at))),
                    None => survey.part(at.stepped(step, level)),
                });
            }
        }
        parts
    }

    /// The fields at a place of the sheet: in cell `at`, at (x, y) of it.
    pub(crate) fn fields(&self, at: FaceIj, (x, y): (f64, f64)) -> Fields {
        let (column, row) = (at.i as usize % SIDE, at.j as usize % SIDE);
        let (across, up) = (spline(x), spline(y));
        let mut sum = Part::default();
        let mut lakes = Lakes::default();
        for (dy, up) in up.into_iter().enumerate() {
            for (dx, across) in across.into_iter().enumerate() {
                let weight = across * up;
                let part = &self.parts[(row + dy) * BORDERED + column + dx];
                sum.add(part, weight);
                if self.has_lakes && !part.lake_level_m.is_nan() {
                    lakes.add(part, weight);
                }
            }
        }
        let lake = lakes.nearest();
        let reach_m = SPLINE_REACH * self.edge_m;
        Fields {
            slope: sum.slope as f32,
            level_m: sum.level_m as f32,
            inland_m: (sum.land * reach_m) as f32,
            sea_depth_m: sum.sea_depth_m as f32,
            off_lake_m: ((1.0 - 2.0 * lake.weight) * reach_m) as f32,
            lake_depth_m: if lake.weight > 0.0 { (lake.depth_m / lake.weight) as f32 } else { 0.0 },
            lake_level_m: lake.level_m as f32,
            reach_m: reach_m as f32,
            temperature_c: sum.temperature_c as f32,
            rain_mm: sum.rain_mm as f32,
        }
    }
}

/// Reads fields at places near each other; remembers the last sheet.
pub(crate) struct FieldReader<'a> {
    local: &'a Local,
    layer: u8,
    /// The sheet's place among sheets.
    sheet: Option<(FaceIj, Arc<FieldSheet>)>,
    /// Were all tiles there?
    pub(crate) is_complete: bool,
}

impl<'a> FieldReader<'a> {
    pub(crate) fn new(local: &'a Local, layer: u8) -> Self {
        Self { local, layer, sheet: None, is_complete: true }
    }

    pub(crate) fn fields(&mut self, place: &Place) -> Fields {
        let (at, x, y) = place.in_cell(self.layer);
        let home = FaceIj { face: at.face, i: at.i >> SHEET_DEPTH, j: at.j >> SHEET_DEPTH };
        if self.sheet.as_ref().is_none_or(|(known, _)| *known != home) {
            let cell = CellId::from_face_ij(home, FieldSheet::level(self.layer));
            let (sheet, is_whole) = self.local.field_sheet(self.layer, cell);
            self.is_complete &= is_whole;
            self.sheet = Some((home, sheet));
        }
        let (_, sheet) = self.sheet.as_ref().expect("it has just been put there");
        sheet.fields(at, (x, y))
    }
}

impl Fields {
    /// Between two places: the first at 0, the second at 1. The sums are the same to the bit if the two change places
    /// and `share` with them.
    pub(crate) fn between(&self, other: &Self, share: f32) -> Self {
        let mix = |a: f32, b: f32| a * (1.0 - share) + b * share;
        let mut fields = Self {
            slope: mix(self.slope, other.slope),
            level_m: mix(self.level_m, other.level_m),
            inland_m: mix(self.inland_m, other.inland_m),
            sea_depth_m: mix(self.sea_depth_m, other.sea_depth_m),
            off_lake_m: mix(self.off_lake_m, other.off_lake_m),
            lake_depth_m: mix(self.lake_depth_m, other.lake_depth_m),
            lake_level_m: self.lake_level_m,
            reach_m: self.reach_m,
            temperature_c: mix(self.temperature_c, other.temperature_c),
            rain_mm: mix(self.rain_mm, other.rain_mm),
        };
        if self.lake_level_m != other.lake_level_m {
            // Of two lakes it is about the nearer; the other one is far.
            let is_first = (-self.off_lake_m, self.lake_level_m) > (-other.off_lake_m, other.lake_level_m);
            let (near, far_share) = if is_first { (self, share) } else { (other, 1.0 - share) };
            fields.off_lake_m = near.off_lake_m * (1.0 - far_share) + near.reach_m * far_share;
            fields.lake_depth_m = near.lake_depth_m;
            fields.lake_level_m = near.lake_level_m;
        }
        fields
    }
}

impl Part {
    /// Of a cell, and the steepest slope from it and from those around it.
    fn of(cell: &Cell, slope: f64) -> Self {
        let pull = |height_m: f64| 0.45 + 0.55 * (height_m / FULL_PULL_M).min(1.0);
        let is_sea = cell.kind == Kind::Sea;
        let is_lake = cell.kind == Kind::Lake;
        Self {
            slope: slope.max(SLOPE_MIN),
            level_m: if is_sea { -cell.depth_m } else { cell.level_m },
            land: if is_sea { -pull(cell.depth_m) } else { pull(cell.level_m) },
            sea_depth_m: if is_sea { cell.depth_m } else { 0.0 },
            lake_depth_m: if is_lake { cell.depth_m } else { 0.0 },
            lake_level_m: if is_lake { cell.level_m } else { f64::NAN },
            temperature_c: cell.temperature_c,
            rain_mm: cell.rain_mm,
        }
    }

    fn add(&mut self, other: &Self, weight: f64) {
        self.slope += weight * other.slope;
        self.level_m += weight * other.level_m;
        self.land += weight * other.land;
        self.sea_depth_m += weight * other.sea_depth_m;
        self.temperature_c += weight * other.temperature_c;
        self.rain_mm += weight * other.rain_mm;
    }
}

/// One lake of those about a place.
#[derive(Clone, Copy, Debug, Default)]
struct Lake {
    level_m: f64,
    weight: f64,
    depth_m: f64,
}

/// The lakes about a place. Cells that touch are of one lake, so among 3 × 3 there are at most four.
#[derive(Debug, Default)]
struct Lakes {
    lakes: [Lake; 4],
    count: usize,
}

impl Lakes {
    fn add(&mut self, part: &Part, weight: f64) {
        let known = self.lakes[..self.count].iter().position(|lake| lake.level_m == part.lake_level_m);
        let index = known.unwrap_or_else(|| {
            let index = self.count.min(self.lakes.len() - 1);
            self.count = index + 1;
            self.lakes[index] = Lake { level_m: part.lake_level_m, ..Lake::default() };
            index
        });
        self.lakes[index].weight += weight;
        self.lakes[index].depth_m += weight * part.lake_depth_m;
    }

    fn nearest(&self) -> Lake {
        let none = Lake::default();
        self.lakes[..self.count].iter().fold(none, |nearest, lake| {
            let is_nearer = (lake.weight, lake.level_m) > (nearest.weight, nearest.level_m);
            if is_nearer { *lake } else { nearest }
        })
    }
}

/// The weights of the cell before, the cell itself and the cell after, `x` along the cell.
fn spline(x: f64) -> [f64; 3] {
    let before = 0.5 * (1.0 - x) * (1.0 - x);
    let after = 0.5 * x * x;
    [before, 1.0 - before - after, after]
}

/// The three cells about a corner of the cube, if a step from a cell goes over it.
fn beyond_corner(at: FaceIj, (step_i, step_j): (i64, i64), level: u8) -> Option<[FaceIj; 3]> {
    let cells = 1_i64 << level;
    let is_off = |index: u32, step: i64| !(0..cells).contains(&(i64::from(index) + step));
    (is_off(at.i, step_i) && is_off(at.j, step_j))
        .then(|| [at, at.stepped((step_i, 0), level), at.stepped((0, step_j), level)])
}

fn mean(parts: &[Part; 3]) -> Part {
    let mut mean = Part { lake_level_m: f64::NAN, ..Part::default() };
    // The three faces name them in different orders; a sum must not depend on that.
    let mut ordered = *parts;
    ordered.sort_by(|a, b| {
        a.level_m
            .total_cmp(&b.level_m)
            .then(a.rain_mm.total_cmp(&b.rain_mm))
            .then(a.slope.total_cmp(&b.slope))
    });
    for part in &ordered {
        mean.add(part, 1.0 / 3.0);
        if !part.lake_level_m.is_nan() {
            mean.lake_level_m = part.lake_level_m;
            mean.lake_depth_m = mean.lake_depth_m.max(part.lake_depth_m);
        }
    }
    mean
}

/// How far from its first cell a survey remembers cells of its face: the sheet's, three more on every side.
const AROUND: u32 = 3;
const SURVEYED: usize = SIDE + 2 * AROUND as usize;

/// The parts of a sheet whose surroundings are all on its face: what a [`Survey`] finds, with less ado.
fn inner_parts(scale: &Scale, reader: &mut Reader<'_>, level: u8, first: FaceIj) -> Vec<Part> {
    let mut cells = Vec::with_capacity(SURVEYED * SURVEYED);
    let mut levels_m = [0.0; SURVEYED * SURVEYED];
    let mut nodes = [[0.0; SURVEYED * SURVEYED]; 3];
    for index in 0..SURVEYED * SURVEYED {
        let i = first.i - AROUND + (index % SURVEYED) as u32;
        let j = first.j - AROUND + (index / SURVEYED) as u32;
        let at = FaceIj { i, j, ..first };
        let cell = reader.cell_of(level, at);
        let node = scale.node_of(level, at);
        levels_m[index] = cell.level_m;
        (nodes[0][index], nodes[1][index], nodes[2][index]) = (node.x, node.y, node.z);
        cells.push(cell);
    }
    // Each pair of neighbours once: to the right, and the three above. Some of the rim, which nobody asks about, are
    // taken for neighbours though they are at the two ends of rows.
    let mut slopes = [0.0_f64; SURVEYED * SURVEYED];
    let mut between = [0.0_f64; SURVEYED * SURVEYED];
    let steeper = |a: f64, b: f64| if b > a { b } else { a };
    for away in [1, SURVEYED - 1, SURVEYED, SURVEYED + 1] {
        let pairs = between.len() - away;
        for (here, slope) in between[..pairs].iter_mut().enumerate() {
            let there = here + away;
            let [x, y, z] = [0, 1, 2].map(|axis| nodes[axis][there] - nodes[axis][here]);
            let run_m = (x * x + y * y + z * z).sqrt() * scale.radius_m;
            *slope = (levels_m[there] - levels_m[here]).abs() / run_m;
        }
        for (steepest, slope) in slopes[..pairs].iter_mut().zip(&between) {
            *steepest = steeper(*steepest, *slope);
        }
        for (steepest, slope) in slopes[away..].iter_mut().zip(&between) {
            *steepest = steeper(*steepest, *slope);
        }
    }
    let border = AROUND as usize - 1;
    let parts = (0..BORDERED * BORDERED).map(|index| {
        let (row, column) = (border + index / BORDERED, border + index % BORDERED);
        let around = (row - 1..=row + 1).flat_map(|row| &slopes[row * SURVEYED + column - 1..][..3]);
        Part::of(&cells[row * SURVEYED + column], around.copied().fold(0.0, f64::max))
    });
    parts.collect()
}

/// Raster cells, each read and measured once.
struct Survey<'a, 'b> {
    scale: &'a Scale,
    reader: &'a mut Reader<'b>,
    level: u8,
    first: FaceIj,
    near: Vec<Option<Site>>,
    /// On other faces.
    far: BTreeMap<(u8, u32, u32), Site>,
}

/// What a survey knows about a cell.
#[derive(Clone, Copy)]
struct Site {
    cell: Cell,
    node: DVec3,
    /// The steepest slope to the nodes around, once asked for.
    slope: Option<f64>,
}

impl<'a, 'b> Survey<'a, 'b> {
    fn new(scale: &'a Scale, reader: &'a mut Reader<'b>, level: u8, first: FaceIj) -> Self {
        let near = vec![None; SURVEYED * SURVEYED];
        Self { scale, reader, level, first, near, far: BTreeMap::new() }
    }

    fn site(&mut self, at: FaceIj) -> &mut Site {
        let Self { scale, reader, level, first, near, far } = self;
        let mut new = || {
            let cell = reader.cell_of(*level, at);
            Site { cell, node: scale.node_of(*level, at), slope: None }
        };
        let column = (at.i + AROUND).wrapping_sub(first.i) as usize;
        let row = (at.j + AROUND).wrapping_sub(first.j) as usize;
        if at.face == first.face && column < SURVEYED && row < SURVEYED {
            near[row * SURVEYED + column].get_or_insert_with(new)
        } else {
            far.entry((at.face, at.i, at.j)).or_insert_with(&mut new)
        }
    }

    fn part(&mut self, at: FaceIj) -> Part {
        let around = DIRECTIONS.map(|step| self.slope(at.stepped(step, self.level)));
        let here = self.slope(at);
        Part::of(&self.site(at).cell, around.into_iter().fold(here, f64::max))
    }

    /// The steepest slope between a cell's node and those around it.
    fn slope(&mut self, at: FaceIj) -> f64 {
        let here = *self.site(at);
        if let Some(slope) = here.slope {
            return slope;
        }
        let mut steepest = 0.0_f64;
        for step in DIRECTIONS {
            let there_at = at.stepped(step, self.level);
            // Beyond a corner of the cube a step may lead back.
            if there_at == at {
                continue;
            }
            let there = *self.site(there_at);
            let run_m = (there.node - here.node).length() * self.scale.radius_m;
            steepest = steepest.max((there.cell.level_m - here.cell.level_m).abs() / run_m);
        }
        self.site(at).slope = Some(steepest);
        steepest
    }
}
