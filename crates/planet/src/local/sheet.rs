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
use crate::local::envelope::{Block, Candidate};
use crate::local::gather::Range;
use crate::local::hash;
use crate::local::land::{Kind, Reader};
use crate::local::place::Place;
use crate::local::scale::Fixed;
use crate::local::segment::{Course, Reach, Segment, lay};
use crate::local::shore::Still;

/// Levels between nodes and their sheets.
pub(crate) const SHEET_DEPTH: u8 = 4;
const SIDE: usize = 1 << SHEET_DEPTH;
/// With two nodes more on every side.
const MARGIN: usize = 2;
const BORDERED: usize = SIDE + 2 * MARGIN;
/// Nodes are shaped in groups of so many squared.
const GROUP: usize = 5;

/// A course is not longer than this, in spacings of the nodes.
const COURSE_MAX_SPACINGS: f64 = 2.3;

/// How much a node's height is up to chance, of the rise to it.
const CHANCE: f64 = 0.25;

/// Lines are not halved more often than this.
const HALVINGS_MAX: u32 = 5;

/// The same for lines of the coarser layers.
const HALVINGS_FAR: u32 = 3;

/// A place this far under still water, floor to surface, is no land that drains.
const DROWNED_M: f32 = 1.0;

/// The courses that begin at 16 × 16 nodes.
#[derive(Debug)]
pub(crate) struct Sheet {
    pub(crate) origin: Fixed,
    pub(crate) reaches: Vec<Reach>,
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

/// The point of a course nearest to a node.
#[derive(Clone, Copy)]
struct Foot {
    unit: DVec3,
    level_m: f64,
    distance_m: f64,
}

impl Local {
    /// The courses that begin in a cell, [`SHEET_DEPTH`] levels above the nodes of a refinement; and whether all tiles
    /// were there.
    pub(crate) fn make_sheet(&self, refinement: u8, cell: CellId) -> (Sheet, bool) {
        if refinement == 0 { self.raster_sheet(cell) } else { self.refined_sheet(refinement, cell) }
    }

    fn raster_sheet(&self, sheet: CellId) -> (Sheet, bool) {
        let level = self.scale.raster_level;
        let origin = self.scale.fixed(sheet.center());
        let (mut reaches, mut segments) = (Vec::new(), Vec::new());
        let mut reader = Reader::new(&self.scale, &self.raster);
        let mut is_complete = true;
        for node in sheet.descendants(level) {
            let Some((course, to)) = self.course(&mut reader, level, node.face_ij()) else { continue };
            let level_at = |point: DVec3, level_m: f64| {
                let (lowered_m, is_whole) = self.level_at_shore_m(level, point, level_m, to);
                is_complete &= is_whole;
                lowered_m
            };
            lay(&self.scale, origin, &course, level_at, &mut reaches, &mut segments);
        }
        (Sheet { origin, reaches, segments }, reader.is_complete() && is_complete)
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
        let halvings = if layer == self.scale.raster_level { self.halvings(0) } else { HALVINGS_FAR };
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

    fn refined_sheet(&self, refinement: u8, sheet: CellId) -> (Sheet, bool) {
        let origin = self.scale.fixed(sheet.center());
        let (nodes, is_complete) = self.nodes(refinement, sheet);
        let (mut reaches, mut segments) = (Vec::new(), Vec::new());
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
                    halvings: self.halvings(refinement),
                };
                lay(&self.scale, origin, &course, |_, level_m| level_m, &mut reaches, &mut segments);
            }
        }
        (Sheet { origin, reaches, segments }, is_complete)
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
    fn nodes(&self, refinement: u8, sheet: CellId) -> (Vec<Node>, bool) {
        let level = self.scale.node_level(refinement);
        let FaceIj { face, i, j } = sheet.face_ij();
        let at = |index: usize| {
            let margin = MARGIN as i64;
            let (column, row) = ((index % BORDERED) as i64 - margin, (index / BORDERED) as i64 - margin);
            let column = (i64::from(i) << SHEET_DEPTH) + column;
            let row = (i64::from(j) << SHEET_DEPTH) + row;
            continued(face, (column, row), level)
        };
        let mut is_complete = true;
        let sites: Vec<_> = (0..BORDERED * BORDERED)
            .map(|index| {
                let at = at(index);
                let unit = self.scale.node(refinement, at);
                let (fields, is_whole) = self.fields(&Place::of(unit), self.scale.raster_level);
                is_complete &= is_whole;
                (at, unit, fields)
            })
            .collect();
        let center = sheet.center();
        let mut range = Range::around(&self.scale, center);
        for (_, unit, fields) in &sites {
            range.include(&self.scale, *unit, Self::slope_at(refinement, fields.slope));
        }
        let (candidates, is_whole) = self.gather(&range, 0..refinement);
        is_complete &= is_whole;

        let mut nodes: Vec<Option<Node>> = vec![None; sites.len()];
        let mut block = Block::new();
        let groups = BORDERED / GROUP;
        for group in 0..groups * groups {
            let members: Vec<usize> = (0..GROUP * GROUP)
                .map(|index| {
                    let row = (group / groups) * GROUP + index / GROUP;
                    row * BORDERED + (group % groups) * GROUP + index % GROUP
                })
                .collect();
            let mut near = Range::around(&self.scale, sites[members[GROUP * GROUP / 2]].1);
            block.clear();
            for index in &members {
                let (_, unit, fields) = &sites[*index];
                let slope = Self::slope_at(refinement, fields.slope);
                near.include(&self.scale, *unit, slope);
                block.push(range.origin(), self.scale.fixed(*unit), slope);
            }
            let kept = near.kept(&candidates, range.origin(), self.scale.m_per_fixed());
            block.shape(&kept, self.scale.m_per_fixed());
            for (slot, index) in members.iter().enumerate() {
                let (at, unit, fields) = sites[*index];
                let still = self.still(unit, &fields);
                let foot = kept.get(block.candidate[slot] as usize).map(|candidate| {
                    self.foot(candidate, range.origin(), std::array::from_fn(|axis| block.place[axis][slot]))
                });
                let rise = (f64::from(block.slope[slot]), f64::from(block.ground_m[slot]));
                nodes[*index] = Some(self.node(refinement, at, unit, rise, foot, still));
            }
        }
        (nodes.into_iter().flatten().collect(), is_complete)
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

    fn foot(&self, candidate: &Candidate, origin: Fixed, place: [i32; 3]) -> Foot {
        let m_per_fixed = self.scale.m_per_fixed();
        let (share, distance_m) = candidate.nearest(place, m_per_fixed);
        let point: [f64; 3] = std::array::from_fn(|axis| {
            let start = (origin[axis] + i64::from(candidate.start[axis])) as f64 / self.scale.fixed_per_m;
            start + f64::from(share) * f64::from(candidate.along_m[axis])
        });
        Foot {
            unit: DVec3::from_array(point).normalize(),
            level_m: f64::from(candidate.level_m - share * candidate.fall_m),
            distance_m: f64::from(distance_m),
        }
    }

    /// How often the lines of a refinement are halved: to pieces of about half the finest spacing.
    fn halvings(&self, refinement: u8) -> u32 {
        (1 + 2 * u32::from(self.scale.refinements - refinement)).min(HALVINGS_MAX)
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
