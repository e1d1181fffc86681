//! Which segments can shape the places of a ball: all that are within their range, less those that others undercut
//! wherever the ball may look.

use std::sync::Arc;

use cell::{CellId, FaceIj};
use glam::DVec3;

use crate::local::Local;
use crate::local::envelope::{Ball, CALM_M, Candidate, Candidates, Kept, ceiling_m, floor_m, freeboard_m};
use crate::local::scale::Fixed;
use crate::local::sheet::{Sheet, sheet_depth};

/// How far a node's course shapes the ground, in spacings of the nodes.
const RANGE_SPACINGS: f64 = 2.0;

/// How far a course can lead from its sheet, in spacings of the nodes: they drain to a neighbour at most, and bend.
pub(crate) const OVERHANG_SPACINGS: f64 = 3.0;

/// The largest ball for which candidates are gathered at once, in spacings of the finest nodes.
pub(crate) const BALL_SPACINGS: f64 = 7.0;

/// More than all rounding of distances and heights.
const SLACK_M: f32 = 0.05;

/// Which courses shape the ground.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// How many refinements', the raster's own included; 0: none.
    pub(crate) refinements: u8,
    /// How many of the finest bends are left out.
    pub(crate) straightened: u8,
}

/// A reach near a ball.
struct NearReach {
    sheet: usize,
    reach: usize,
    floor_m: f32,
}

impl Local {
    /// The segments that can shape places of a ball about a direction, in their one order, from an origin; and whether
    /// all tiles were there. The ball is not larger than [`BALL_SPACINGS`].
    pub(crate) fn gather(
        &self,
        center: DVec3,
        ball: &Ball,
        origin: Fixed,
        shown: Shown,
    ) -> (Candidates, bool) {
        let mut sheets: Vec<(u8, Arc<Sheet>)> = Vec::new();
        let mut is_complete = true;
        for refinement in 0..shown.refinements {
            for cell in self.sheets_about(refinement, shown.straightened, center, ball) {
                let (sheet, is_whole) = self.sheet(refinement, shown.straightened, cell);
                is_complete &= is_whole;
                sheets.push((refinement, sheet));
            }
        }
        let mut near = Vec::new();
        let mut limit_m = f32::INFINITY;
        for (number, (refinement, sheet)) in sheets.iter().enumerate() {
            self.look(sheet, number, self.range_m(*refinement), center, ball, &mut near, &mut limit_m);
        }
        let mut candidates = Candidates::default();
        for NearReach { sheet, reach, .. } in near.iter().filter(|near| near.floor_m <= limit_m + SLACK_M) {
            let (refinement, sheet) = &sheets[*sheet];
            let range_m = self.range_m(*refinement);
            let offset: [i64; 3] = std::array::from_fn(|axis| sheet.origin[axis] - origin[axis]);
            let reach = &sheet.reaches[*reach];
            for segment in &sheet.segments[reach.first as usize..][..reach.count as usize] {
                candidates.push(&Candidate {
                    start: std::array::from_fn(|axis| (i64::from(segment.start[axis]) + offset[axis]) as i32),
                    along_m: segment.along_m,
                    level_m: segment.level_m,
                    fall_m: segment.fall_m,
                    half_width_m: segment.half_width_m,
                    depth_m: segment.depth_m,
                    range_m,
                });
            }
        }
        let mut kept = Kept::default();
        candidates.cull(ball, self.scale.m_per_fixed(), &mut kept);
        (candidates.only(&kept), is_complete)
    }

    fn range_m(&self, refinement: u8) -> f32 {
        (RANGE_SPACINGS * self.scale.node_spacing_m(refinement)) as f32
    }

    /// The cells whose courses may come near a ball, in the order of all segments of the planet.
    fn sheets_about(&self, refinement: u8, straightened: u8, center: DVec3, ball: &Ball) -> Vec<CellId> {
        /// The narrowest cell over the mean edge (S2 cell statistics, quadratic projection).
        const NARROWEST: f64 = 0.64;
        let level = self.scale.node_level(refinement) - sheet_depth(refinement, straightened);
        let margin_m = (RANGE_SPACINGS + OVERHANG_SPACINGS) * self.scale.node_spacing_m(refinement);
        let reach_m = f64::from(ball.radius_m) + margin_m;
        let home = CellId::from_point(center).parent(level);
        let is_near = |cell: &CellId| *cell == home || self.distance_m(*cell, center) < reach_m;
        let FaceIj { face, i, j } = home.face_ij();
        let look = (reach_m / (NARROWEST * self.scale.edge_m(level))).ceil() as u32 + 1;
        let end = 1_u32 << level;
        let mut cells = if i.min(j) >= look && i.max(j) + look < end {
            let at = |i, j| CellId::from_face_ij(FaceIj { face, i, j }, level);
            let rows = j - look..=j + look;
            rows.flat_map(|j| (i - look..=i + look).map(move |i| at(i, j))).filter(is_near).collect()
        } else {
            let mut cells = vec![home];
            let mut next = 0;
            while let Some(cell) = cells.get(next) {
                for neighbor in cell.all_neighbors() {
                    if !cells.contains(&neighbor) && is_near(&neighbor) {
                        cells.push(neighbor);
                    }
                }
                next += 1;
            }
            cells
        };
        cells.sort_unstable();
        cells
    }

    /// Distance of a cell from a direction outside it; a little less if it is large.
    fn distance_m(&self, cell: CellId, direction: DVec3) -> f64 {
        /// How much nearer a bent edge may be than its chord, of its length: below this for cells of level 3 and finer.
        const BULGE: f64 = 0.03;
        let corners = cell.corners();
        let nearest = (0..4).map(|corner| {
            let (a, b) = (corners[corner], corners[(corner + 1) % 4]);
            let along = b - a;
            let share = ((direction - a).dot(along) / along.length_squared()).clamp(0.0, 1.0);
            (a + along * share - direction).length() - BULGE * along.length()
        });
        nearest.fold(f64::INFINITY, f64::min) * self.scale.radius_m
    }

    /// Finds the reaches of a sheet that are in range, and lowers the limit to what they undercut everywhere.
    #[allow(clippy::too_many_arguments, reason = "one loop of `gather`, for itself to read")]
    fn look(
        &self,
        sheet: &Sheet,
        number: usize,
        range_m: f32,
        center: DVec3,
        ball: &Ball,
        near: &mut Vec<NearReach>,
        limit_m: &mut f32,
    ) {
        let m_per_fixed = self.scale.m_per_fixed();
        let center = self.scale.fixed(center);
        let center_m: [f32; 3] =
            std::array::from_fn(|axis| (center[axis] - sheet.origin[axis]) as f32 * m_per_fixed);
        let margin_m = ball.radius_m + range_m + CALM_M;
        for (index, [x, y, z, radius_m]) in sheet.balls_m.iter().enumerate() {
            let (x, y, z) = (x - center_m[0], y - center_m[1], z - center_m[2]);
            let square = x * x + y * y + z * z;
            let near_m = radius_m + margin_m;
            if square >= near_m * near_m {
                continue;
            }
            let reach = &sheet.reaches[index];
            let distance_m = square.sqrt();
            let off_bank_m = distance_m - radius_m - ball.radius_m - SLACK_M - reach.half_width_m;
            let is_by_water = reach.half_width_m > 0.0 && off_bank_m < CALM_M;
            let bed_m = reach.lowest_m - reach.depth_m;
            let floor_m =
                if is_by_water { f32::NEG_INFINITY } else { floor_m(bed_m, off_bank_m, ball.slope_min) };
            near.push(NearReach { sheet: number, reach: index, floor_m });
            // Its lower end is in the ball around it.
            let farthest_m = distance_m + radius_m + ball.radius_m + SLACK_M;
            let freeboard_m = freeboard_m(reach.depth_m);
            *limit_m =
                limit_m.min(ceiling_m(reach.lowest_m, farthest_m, ball.slope_max, freeboard_m, range_m));
        }
    }
}
