//! Which segments can shape the places of a block: all that are within their range, less those that others undercut
//! wherever the block may look.

use std::ops;

use cell::CellId;
use glam::DVec3;

use crate::local::Local;
use crate::local::envelope::{CALM_M, Candidate, Shape};
use crate::local::scale::{Fixed, Scale};
use crate::local::segment::Reach;
use crate::local::sheet::{SHEET_DEPTH, Sheet};

/// How far a node's course shapes the ground, in spacings of the nodes.
const RANGE_SPACINGS: f64 = 2.0;

/// How far a course can lead from its sheet, in spacings of the nodes: they drain to a neighbour at most, and bend.
pub(crate) const OVERHANG_SPACINGS: f64 = 3.0;

/// More than all rounding of distances and heights.
const SLACK_M: f32 = 0.05;

/// A ball around places, and how steep it is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    center: DVec3,
    origin: Fixed,
    radius_m: f32,
    slope_min: f32,
    slope_max: f32,
}

impl Range {
    /// No places yet; a direction about which they are.
    pub(crate) fn around(scale: &Scale, center: DVec3) -> Self {
        let (slope_min, slope_max) = (f32::INFINITY, 0.0);
        Self { center, origin: scale.fixed(center), radius_m: 0.0, slope_min, slope_max }
    }

    pub(crate) fn include(&mut self, scale: &Scale, unit: DVec3, slope: f32) {
        let distance_m = ((unit - self.center).length() * scale.radius_m) as f32;
        self.radius_m = self.radius_m.max(distance_m * 1.0001 + 0.01);
        self.slope_min = self.slope_min.min(slope);
        self.slope_max = self.slope_max.max(slope);
    }

    /// What candidates are relative to.
    pub(crate) fn origin(&self) -> Fixed {
        self.origin
    }

    /// Those of a list, relative to `origin`, that can matter here. Their order stays.
    pub(crate) fn kept(&self, candidates: &[Candidate], origin: Fixed, m_per_fixed: f32) -> Vec<Candidate> {
        let center: [i32; 3] = std::array::from_fn(|axis| (self.origin[axis] - origin[axis]) as i32);
        let bounds: Vec<(f32, f32)> =
            candidates.iter().map(|candidate| self.bounds(candidate, center, m_per_fixed)).collect();
        let ceiling_m = bounds.iter().fold(f32::INFINITY, |lowest, (_, ceiling_m)| lowest.min(*ceiling_m));
        candidates
            .iter()
            .zip(&bounds)
            .filter(|(_, (floor_m, _))| *floor_m <= ceiling_m + SLACK_M)
            .map(|(candidate, _)| *candidate)
            .collect()
    }

    /// The least and most that a candidate can say of the places here.
    fn bounds(&self, candidate: &Candidate, center: [i32; 3], m_per_fixed: f32) -> (f32, f32) {
        let (_, distance_m) = candidate.nearest(center, m_per_fixed);
        let nearest_m = distance_m - self.radius_m - SLACK_M;
        if candidate.is_wet() && nearest_m - candidate.half_width_m < CALM_M {
            return (f32::NEG_INFINITY, candidate.ceiling_m(distance_m + self.radius_m, self.slope_max));
        }
        if nearest_m > candidate.range_m {
            return (f32::INFINITY, f32::INFINITY);
        }
        (
            candidate.floor_m(nearest_m, self.slope_min),
            candidate.ceiling_m(distance_m + self.radius_m + SLACK_M, self.slope_max),
        )
    }
}

impl Local {
    /// The segments of some refinements that can shape places of a range, in their one order; and whether all tiles
    /// were there.
    pub(crate) fn gather(&self, range: &Range, refinements: ops::Range<u8>) -> (Vec<Candidate>, bool) {
        let mut candidates = Vec::new();
        let mut is_complete = true;
        for refinement in refinements {
            let range_m = (RANGE_SPACINGS * self.scale.node_spacing_m(refinement)) as f32;
            let level = self.scale.node_level(refinement) - SHEET_DEPTH;
            let home = CellId::from_point(range.center).parent(level);
            for cell in std::iter::once(home).chain(home.all_neighbors()) {
                let overhang_m = OVERHANG_SPACINGS * self.scale.node_spacing_m(refinement);
                if cell != home && !self.is_within(cell, range, f64::from(range_m) + overhang_m) {
                    continue;
                }
                let (sheet, is_whole) = self.sheet(refinement, cell);
                is_complete &= is_whole;
                self.take(&sheet, refinement, range, range_m, &mut candidates);
            }
        }
        let mut kept = range.kept(&candidates, range.origin, self.scale.m_per_fixed());
        kept.sort_unstable_by_key(|candidate| candidate.rank);
        (kept, is_complete)
    }

    /// Is a cell within `margin_m` of a range's ball?
    fn is_within(&self, cell: CellId, range: &Range, margin_m: f64) -> bool {
        let center = cell.center();
        let radius = cell.corners().into_iter().map(|corner| (corner - center).length()).fold(0.0, f64::max);
        let distance = (center - range.center).length() - radius;
        distance * self.scale.radius_m < f64::from(range.radius_m) + margin_m
    }

    fn take(
        &self,
        sheet: &Sheet,
        refinement: u8,
        range: &Range,
        range_m: f32,
        candidates: &mut Vec<Candidate>,
    ) {
        let m_per_fixed = self.scale.m_per_fixed();
        let center: [i64; 3] = std::array::from_fn(|axis| range.origin[axis] - sheet.origin[axis]);
        let center_m = center.map(|value| value as f32 * m_per_fixed);
        let is_near = |reach: &&Reach| {
            let square: f32 = (0..3)
                .map(|axis| (reach.middle_m[axis] - center_m[axis]) * (reach.middle_m[axis] - center_m[axis]))
                .sum();
            let near_m = reach.radius_m + range.radius_m + range_m + CALM_M;
            square < near_m * near_m
        };
        for reach in sheet.reaches.iter().filter(is_near) {
            let segments = &sheet.segments[reach.first as usize..][..reach.count as usize];
            for (index, segment) in segments.iter().enumerate() {
                let shape = Shape {
                    start: std::array::from_fn(|axis| (i64::from(segment.start[axis]) - center[axis]) as i32),
                    along_m: segment.along_m,
                    level_m: segment.level_m,
                    fall_m: segment.fall_m,
                    half_width_m: segment.half_width_m,
                    depth_m: segment.depth_m,
                    range_m,
                };
                candidates.push(Candidate::new(&shape, (refinement, reach.node, index as u32)));
            }
        }
    }
}
