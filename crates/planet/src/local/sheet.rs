//! The drainage skeleton, in sheets of 16 × 16 nodes.
//!
//! Every cell of the raster's level has a node, and so has every cell of each refinement, two levels deeper. A raster
//! cell's node is as high as the raster says and drains to its receiver's node. A finer node is as high as the slopes
//! of the coarser courses are there, a little more or less by chance; it drains to the nearest of these courses, or to
//! its lowest neighbour. As a node is always higher than what it drains to, water finds its way from every node to the
//! raster's rivers.

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::local::Local;
use crate::local::courses::{Foot, Grid};
use crate::local::fields::FieldReader;
use crate::local::gather::Shown;
use crate::local::hash;
use crate::local::land::{Kind, Reader};
use crate::local::place::Place;
use crate::local::scale::Fixed;
use crate::local::segment::{Course, Reach, Segment, lay};
use crate::local::shore::Still;

/// Levels between finer nodes and their sheets.
const SHEET_DEPTH: u8 = 4;
const SIDE: usize = 1 << SHEET_DEPTH;
/// With two nodes more on every side.
const MARGIN: usize = 2;
const BORDERED: usize = SIDE + 2 * MARGIN;

/// The same of the raster's nodes: few of their long courses are needed at once, and they need none around them.
const RASTER_SHEET_DEPTH: u8 = 2;

/// With so many bends left out, courses are made faster than sheets are looked for.
const STRAIGHT_ENOUGH: u8 = 3;

/// A course is not longer than this, in spacings of the nodes.
const COURSE_MAX_SPACINGS: f64 = 2.3;

/// How much a node's height is up to chance, of the rise to it.
const CHANCE: f64 = 0.25;

/// How often lines of the coarser layers are halved.
const HALVINGS_FAR: u32 = 3;

/// A place this far under still water, floor to surface, is no land that drains.
const DROWNED_M: f32 = 1.0;

/// The courses that begin at 16 × 16 nodes, 4 × 4 of the raster's.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) origin: Fixed,
    pub(crate) reaches: Vec<Reach>,
    /// Middle and radius of a ball around each: from the origin, metres.
    pub(crate) balls_m: Vec<[f32; 4]>,
    pub(crate) segments: Vec<Segment>,
}

/// A node while its sheet is made.
#[derive(Clone, Copy)]
struct Node {
    at: FaceIj,
    unit: DVec3,
    level_m: f64,
    /// Where the lowest slope comes from, none under still water.
    foot: Option<Foot>,
}

/// Levels between nodes and their sheets.
pub(crate) fn sheet_depth(refinement: u8, straightened: u8) -> u8 {
    if refinement == 0 && straightened < STRAIGHT_ENOUGH { RASTER_SHEET_DEPTH } else { SHEET_DEPTH }
}

impl Sheet {
    fn new(origin: Fixed) -> Self {
        Self { origin, reaches: Vec::new(), balls_m: Vec::new(), segments: Vec::new() }
    }
}

impl Local {
    /// The courses that begin in a cell, [`sheet_depth`] levels above the nodes of a refinement, without their finest
    /// bends; and whether all tiles were there.
    pub(crate) fn make_sheet(&self, refinement: u8, straightened: u8, cell: CellId) -> (Sheet, bool) {
        if refinement == 0 {
            self.raster_sheet(straightened, cell)
        } else {
            self.refined_sheet(refinement, straightened, cell)
        }
    }

    fn raster_sheet(&self, straightened: u8, cell: CellId) -> (Sheet, bool) {
        let level = self.scale.raster_level;
        let mut sheet = Sheet::new(self.scale.fixed(cell.center()));
        let mut reader = Reader::new(&self.scale, &self.raster);
        let mut is_complete = true;
        for node in cell.descendants(level) {
            let Some((mut course, to)) = self.course(&mut reader, level, node.face_ij()) else { continue };
            course.halvings = course.halvings.min(self.scale.halvings(0, straightened));
            let level_at = |point: DVec3, level_m: f64| {
                let (lowered_m, is_whole) = self.level_at_shore_m(level, point, level_m, to);
                is_complete &= is_whole;
                lowered_m
            };
            lay(&self.scale, &course, level_at, &mut sheet);
        }
        (sheet, reader.is_complete() && is_complete)
    }

    /// How a cell of a layer drains, and what it drains to; none at sea.
    pub(crate) fn course(&self, reader: &mut Reader<'_>, layer: u8, at: FaceIj) -> Option<(Course, Kind)> {
        let cell = reader.cell_of(layer, at);
        if cell.kind == Kind::Sea {
            return None;
        }
        let receiver = Reader::receiver(layer, at, &cell);
        let to = receiver.map_or(cell, |receiver| reader.cell_of(layer, receiver));
        let from = self.scale.node_of(layer, at);
        let halvings =
            if layer == self.scale.raster_level { self.scale.halvings(0, 0) } else { HALVINGS_FAR };
        let course = Course {
            node: CellId::from_face_ij(at, layer),
            from,
            to: receiver.map_or(from, |receiver| self.scale.node_of(layer, receiver)),
            level_from_m: cell.level_m,
            level_to_m: to.level_m.min(cell.level_m),
            discharge_m3_s: cell.discharge_m3_s,
            discharge_to_m3_s: to.discharge_m3_s.max(cell.discharge_m3_s),
            halvings: if receiver.is_some() { halvings } else { 0 },
        };
        Some((course, to.kind))
    }

    /// The level of a stream on its way to still water, and whether all tiles were there.
    pub(crate) fn level_at_shore_m(&self, layer: u8, point: DVec3, level_m: f64, to: Kind) -> (f64, bool) {
        if to == Kind::Land {
            return (level_m, true);
        }
        let (fields, is_complete) = self.fields(&Place::of(point), layer);
        let [sea, lake] = self.still(point, &fields);
        let still = if to == Kind::Sea { sea } else { lake };
        let lowered_m = still.map_or(level_m, |still| f64::from(still.reached_by_m(level_m as f32)));
        (lowered_m.min(level_m), is_complete)
    }

    fn refined_sheet(&self, refinement: u8, straightened: u8, cell: CellId) -> (Sheet, bool) {
        let mut sheet = Sheet::new(self.scale.fixed(cell.center()));
        let (nodes, is_complete) = self.nodes(refinement, straightened, cell);
        // The order of all segments of the planet, whoever gathers them.
        let mut courses = Vec::with_capacity(SIDE * SIDE);
        for row in MARGIN..MARGIN + SIDE {
            for column in MARGIN..MARGIN + SIDE {
                let node = &nodes[row * BORDERED + column];
                let Some(foot) = node.foot else { continue };
                let (to, level_to_m) = self.outlet(refinement, &nodes, (column, row), foot);
                let course = Course {
                    node: CellId::from_face_ij(node.at, self.scale.node_level(refinement)),
                    from: node.unit,
                    to,
                    level_from_m: node.level_m,
                    level_to_m,
                    discharge_m3_s: 0.0,
                    discharge_to_m3_s: 0.0,
                    halvings: self.scale.halvings(refinement, straightened),
                };
                courses.push(course);
            }
        }
        courses.sort_unstable_by_key(|course| course.node);
        for course in &courses {
            lay(&self.scale, course, |_, level_m| level_m, &mut sheet);
        }
        (sheet, is_complete)
    }

    /// Where a node drains to, and how high that is: a course near by, a lower node, or whatever is towards the course
    /// that it slopes to.
    fn outlet(
        &self,
        refinement: u8,
        nodes: &[Node],
        (column, row): (usize, usize),
        foot: Foot,
    ) -> (DVec3, f64) {
        let node = &nodes[row * BORDERED + column];
        let spacing_m = self.scale.node_spacing_m(refinement);
        let at_foot = (foot.unit, foot.level_m.min(node.level_m));
        if foot.distance_m < spacing_m {
            return at_foot;
        }
        if let Some(lowest) = self.lowest_around(refinement, nodes, (column, row), 1) {
            return (lowest.unit, lowest.level_m);
        }
        if foot.distance_m < COURSE_MAX_SPACINGS * spacing_m {
            return at_foot;
        }
        if let Some(lowest) = self.lowest_around(refinement, nodes, (column, row), MARGIN) {
            return (lowest.unit, lowest.level_m);
        }
        let share = COURSE_MAX_SPACINGS * spacing_m / foot.distance_m;
        let to = (node.unit + (foot.unit - node.unit) * share).normalize();
        (to, node.level_m + (at_foot.1 - node.level_m) * share)
    }

    /// The lowest of the nodes at most `steps` away that are lower than the one in the middle.
    fn lowest_around<'a>(
        &self,
        refinement: u8,
        nodes: &'a [Node],
        (column, row): (usize, usize),
        steps: usize,
    ) -> Option<&'a Node> {
        let node = &nodes[row * BORDERED + column];
        let longest = COURSE_MAX_SPACINGS * self.scale.node_spacing_m(refinement) / self.scale.radius_m;
        let around = (row - steps..=row + steps)
            .flat_map(|row| (column - steps..=column + steps).map(move |column| row * BORDERED + column));
        let is_near = |other: &&Node| steps == 1 || (other.unit - node.unit).length() < longest;
        let lower = around.map(|index| &nodes[index]).filter(|other| other.level_m < node.level_m);
        lower.filter(is_near).fold(None, |lowest: Option<&Node>, other| match lowest {
            Some(lowest) if lowest.level_m <= other.level_m => Some(lowest),
            _ => Some(other),
        })
    }

    /// The nodes of a sheet and of those around it.
    fn nodes(&self, refinement: u8, straightened: u8, sheet: CellId) -> (Vec<Node>, bool) {
        let level = self.scale.node_level(refinement);
        let FaceIj { face, i, j } = sheet.face_ij();
        let at = |index: usize| {
            let margin = MARGIN as i64;
            let (column, row) = ((index % BORDERED) as i64 - margin, (index / BORDERED) as i64 - margin);
            let column = (i64::from(i) << SHEET_DEPTH) + column;
            let row = (i64::from(j) << SHEET_DEPTH) + row;
            continued(face, (column, row), level)
        };
        let mut reader = FieldReader::new(self, self.scale.raster_level);
        let sites: Vec<_> = (0..BORDERED * BORDERED)
            .map(|index| {
                let at = at(index);
                let unit = self.scale.node(refinement, at);
                (at, unit, reader.fields(&Place::of(unit)))
            })
            .collect();
        let origin = self.scale.fixed(sheet.center());
        let mut grid = Grid::new(BORDERED, origin, sites.len());
        for (_, unit, fields) in &sites {
            grid.push(self.scale.fixed(*unit), Self::slope_at(refinement, fields.slope));
        }
        let shown = Shown { refinements: refinement, straightened };
        let (shaped, feet) = self.shaped_with_feet(&grid, shown, |index| sites[index].1);
        let nodes = sites.iter().zip(feet).enumerate().map(|(index, ((at, unit, fields), foot))| {
            let still = self.still(*unit, fields);
            let rise = (f64::from(grid.slope[index]), f64::from(shaped.ground_m[index]));
            self.node(refinement, *at, *unit, rise, foot, still)
        });
        (nodes.collect(), reader.is_complete && shaped.is_complete)
    }

    fn node(
        &self,
        refinement: u8,
        at: FaceIj,
        unit: DVec3,
        (slope, ground_m): (f64, f64),
        foot: Option<Foot>,
        still: [Option<Still>; 2],
    ) -> Node {
        let drowned = still
            .into_iter()
            .flatten()
            .find(|still| still.off_shore_m < 0.0 && still.floor_m < still.level_m - DROWNED_M);
        if let Some(still) = drowned {
            return Node { at, unit, level_m: f64::from(still.level_m), foot: None };
        }
        let Some(foot) = foot else {
            return Node { at, unit, level_m: ground_m, foot: None };
        };
        let bits = hash::of_cell(self.scale.seed, hash::Salt::Height, self.scale.node_level(refinement), at);
        let reach_m = foot.distance_m.min(self.scale.node_spacing_m(refinement));
        let chance_m = CHANCE * slope * reach_m * (2.0 * hash::unit(bits) - 1.0);
        let floor_m = still
            .into_iter()
            .flatten()
            .fold(f64::INFINITY, |floor_m, still| floor_m.min(f64::from(still.floor_m)));
        let level_m = (ground_m + chance_m).min(floor_m).max(foot.level_m);
        Node { at, unit, level_m, foot: Some(foot) }
    }
}

/// The cell of a level at a column and row of a face, or where its grid would go on beyond it.
///
/// Two steps beyond an edge the grids of two faces do not fit exactly; courses that look so far may then differ from
/// what the sheet of the other face says of the same nodes, but each node's own course is told by its own sheet alone.
pub(crate) fn continued(face: u8, (column, row): (i64, i64), level: u8) -> FaceIj {
    let cells = 1_i64 << level;
    if (0..cells).contains(&column) && (0..cells).contains(&row) {
        return FaceIj { face, i: column as u32, j: row as u32 };
    }
    let uv = |index: i64| cell::st_to_uv((index as f64 + 0.5) / cells as f64);
    let point = cell::face_uv_to_point(face, uv(column), uv(row));
    CellId::from_point(point).parent(level).face_ij()
}

#[cfg(test)]
mod tests;
