//! Water finds its way from every node.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::*;
use crate::local::tests::local;

/// Blocks of nodes of a planet that are looked at, at each refinement.
const BLOCKS: usize = 40;

/// No way is longer: a lap of the planet.
const STEPS_MAX: usize = 2_000;

/// Feet are found again in courses that are kept as whole numbers and `f32`.
const ROUNDING_M: f64 = 0.02;

/// A node: its refinement and its cell.
type NodeAt = (u8, CellId);

/// Follows water over one planet.
struct Walk<'a> {
    local: &'a Local,
    sheets: BTreeMap<NodeAt, Rc<[Node]>>,
    /// Nodes whose way has been followed to its end.
    drained: BTreeSet<NodeAt>,
}

/// Where water comes to.
enum Next {
    Node(NodeAt),
    /// A place that is no node, on the way to a course.
    Place(DVec3),
    /// Still water, or the lowest place of a basin without an outlet.
    End,
}

impl Walk<'_> {
    fn sheet_of(&self, (refinement, node): NodeAt) -> CellId {
        node.parent(self.local.scale.node_level(refinement) - SHEET_DEPTH)
    }

    /// The nodes of the sheet that a node belongs to, and which of them it is.
    fn node(&mut self, at: NodeAt) -> (Rc<[Node]>, usize) {
        let sheet = self.sheet_of(at);
        let nodes =
            self.sheets.entry((at.0, sheet)).or_insert_with(|| self.local.nodes(at.0, 0, sheet).0.into());
        let node = at.1.face_ij();
        let first = sheet.face_ij();
        let column = (node.i - (first.i << SHEET_DEPTH)) as usize + MARGIN;
        let row = (node.j - (first.j << SHEET_DEPTH)) as usize + MARGIN;
        (Rc::clone(nodes), row * BORDERED + column)
    }

    /// One step down from a node: how high it is, where the water comes to, and how high that is.
    fn step(&mut self, at: NodeAt) -> (f64, Next, f64) {
        let (refinement, cell) = at;
        let local = self.local;
        if refinement == 0 {
            let level = local.scale.raster_level;
            let mut reader = Reader::new(&local.scale, &local.raster);
            let Some((course, _)) = local.course(&mut reader, level, cell.face_ij()) else {
                return (0.0, Next::End, 0.0);
            };
            let raster_cell = reader.cell_of(level, cell.face_ij());
            let receiver = Reader::receiver(level, cell.face_ij(), &raster_cell);
            let next = receiver.map_or(Next::End, |to| Next::Node((0, CellId::from_face_ij(to, level))));
            return (course.level_from_m, next, course.level_to_m);
        }
        let (nodes, index) = self.node(at);
        let node = nodes[index];
        let Some(foot) = node.foot else {
            assert!(node.level_m.is_finite(), "{at:?} is no water and slopes to none");
            return (node.level_m, Next::End, node.level_m);
        };
        let (to, level_to_m) = local.outlet(refinement, &nodes, (index % BORDERED, index / BORDERED), foot);
        let next = match nodes.iter().find(|other| other.unit == to) {
            Some(other) => {
                Next::Node((refinement, CellId::from_face_ij(other.at, local.scale.node_level(refinement))))
            }
            None if to == foot.unit => self.course_at(refinement, to, level_to_m),
            None => Next::Place(to),
        };
        (node.level_m, next, level_to_m)
    }

    /// Where the course ends that passes a place.
    fn course_at(&mut self, below: u8, place: DVec3, level_m: f64) -> Next {
        let local = self.local;
        let fixed = local.scale.fixed(place);
        let mut nearest = (f64::INFINITY, None);
        for refinement in 0..below {
            let level = local.scale.node_level(refinement) - sheet_depth(refinement, 0);
            let home = CellId::from_point(place).parent(level);
            for cell in home.all_neighbors().into_iter().chain([home]) {
                let (sheet, _) = local.sheet(refinement, 0, cell);
                for (reach, [x, y, z, radius_m]) in sheet.reaches.iter().zip(&sheet.balls_m) {
                    let away =
                        |axis: usize| (fixed[axis] - sheet.origin[axis]) as f64 / local.scale.fixed_per_m;
                    let middle = DVec3::new(f64::from(*x), f64::from(*y), f64::from(*z));
                    let off_m = (DVec3::new(away(0), away(1), away(2)) - middle).length();
                    if off_m > f64::from(*radius_m) + 1.0 {
                        continue;
                    }
                    let segments = &sheet.segments[reach.first as usize..][..reach.count as usize];
                    for segment in segments {
                        let away = |axis: usize| {
                            (fixed[axis] - sheet.origin[axis] - i64::from(segment.start[axis])) as f64
                                / local.scale.fixed_per_m
                        };
                        let away = DVec3::new(away(0), away(1), away(2));
                        let along = DVec3::from_array(segment.along_m.map(f64::from));
                        let share = (away.dot(along) / along.length_squared().max(1e-9)).clamp(0.0, 1.0);
                        let distance_m = (away - along * share).length();
                        let there_m = f64::from(segment.level_m) - share * f64::from(segment.fall_m);
                        if distance_m < nearest.0 && there_m <= level_m + ROUNDING_M {
                            let start = segments[0].start.map(i64::from);
                            let origin = sheet.origin;
                            let head: Fixed = std::array::from_fn(|axis| origin[axis] + start[axis]);
                            nearest = (distance_m, Some((refinement, head)));
                        }
                    }
                }
            }
        }
        // The foot is on the chord of the sphere, the place on the sphere.
        assert!(nearest.0 < 0.5, "no course within {} m of a foot", nearest.0);
        let (refinement, head) = nearest.1.expect("found");
        let unit = DVec3::from_array(head.map(|axis| axis as f64)).normalize();
        Next::Node((refinement, CellId::from_point(unit).parent(local.scale.node_level(refinement))))
    }

    /// Follows the water of a node to its end; it never rises.
    fn follow(&mut self, from: NodeAt) {
        let mut at = from;
        let mut passed = Vec::new();
        let mut level_m = f64::INFINITY;
        while !self.drained.contains(&at) {
            passed.push(at);
            assert!(passed.len() < STEPS_MAX, "{from:?} runs in a circle by {at:?}");
            let (own_m, next, to_m) = self.step(at);
            assert!(to_m <= own_m, "{at:?} at {own_m} m drains up to {to_m} m");
            // On a course one may come in below its head.
            level_m = level_m.min(own_m);
            assert!(to_m <= level_m + ROUNDING_M, "{from:?}: {level_m} m to {to_m} m");
            level_m = level_m.min(to_m);
            at = match next {
                Next::Node(next) => next,
                Next::Place(place) => match self.beyond(at.0, place, level_m) {
                    Next::Node(next) => next,
                    _ => break,
                },
                Next::End => break,
            };
        }
        self.drained.extend(passed);
    }

    /// Where a place drains to that is no node.
    fn beyond(&mut self, refinement: u8, place: DVec3, level_m: f64) -> Next {
        let local = self.local;
        let fields = local.fields(&Place::of(place), local.scale.raster_level).0;
        let fixed = local.scale.fixed(place);
        let mut grid = Grid::new(1, fixed, 1);
        grid.push(fixed, Local::slope_at(refinement, fields.slope));
        let shown = Shown { refinements: refinement, straightened: 0 };
        let (_, feet) = local.shaped_with_feet(&grid, shown, |_| place);
        let Some(foot) = feet[0] else { return Next::End };
        self.course_at(refinement, foot.unit, level_m.max(foot.level_m))
    }
}

#[test]
fn water_finds_its_way_from_every_node_to_still_water_or_a_declared_sink() {
    for (seed, shift) in [(1, 3), (2, 6), (3, 9)] {
        let local = local(seed, shift);
        let mut walk = Walk { local: &local, sheets: BTreeMap::new(), drained: BTreeSet::new() };
        let mut random: u64 = seed;
        let mut dice = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) as u32
        };
        for refinement in 0..=local.scale.refinements {
            let level = local.scale.node_level(refinement) - SHEET_DEPTH;
            let side = 1 << level;
            let mut courses = 0;
            for block in 0..BLOCKS {
                // Every fourth block is at an edge of a face, some of these at a corner.
                let edge = |value: u32| [0, side - 1, value % side][value as usize % 3];
                let (face, i, j) = ((dice() % 6) as u8, dice(), dice());
                let at = if block % 4 == 0 {
                    FaceIj { face, i: edge(i), j: [0, side - 1][j as usize % 2] }
                } else {
                    FaceIj { face, i: i % side, j: j % side }
                };
                let sheet = CellId::from_face_ij(at, level);
                for node in sheet.descendants(local.scale.node_level(refinement)) {
                    courses += 1;
                    walk.follow((refinement, node));
                }
            }
            assert_eq!(courses, BLOCKS * SIDE * SIDE);
        }
    }
}
