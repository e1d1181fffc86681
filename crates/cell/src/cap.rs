//! Discs on the sphere.

use std::f64::consts::{FRAC_PI_2, PI};

use glam::DVec3;

use crate::{CellId, MAX_LEVEL, Region, TooManyCells, cover_at_level};

/// Smallest distance between opposite sides of a cell, times 2^level: 2 √2 / 3
/// (`s2geometry/src/s2/s2metrics.cc`, `kMinWidth`).
const CELL_WIDTH_MIN_RAD: f64 = 0.942_809_041_582_063_4;

/// All points within an angle of a centre, the rim included.
#[derive(Clone, Copy, Debug)]
pub struct Cap {
    center: DVec3,
    radius_rad: f64,
    /// Square of the straight distance from the centre to the rim: exact where a cosine would lose its digits.
    chord_squared: f64,
}

impl Cap {
    /// A cap about a direction. The radius is clamped to 0..=π; one that is not a number counts as 0.
    pub fn new(center: DVec3, radius_rad: f64) -> Self {
        let radius_rad = if radius_rad > 0.0 { radius_rad.min(PI) } else { 0.0 };
        let half_chord = libm::sin(0.5 * radius_rad);
        Self { center: center.normalize(), radius_rad, chord_squared: 4.0 * half_chord * half_chord }
    }

    /// Is the point, a unit vector, inside?
    pub fn contains_point(&self, point: DVec3) -> bool {
        // Rounding of the two squares and of unit vectors, as in S2's `S1ChordAngle`.
        let slack = 4.5 * f64::EPSILON * self.chord_squared + 16.0 * f64::EPSILON * f64::EPSILON;
        (point - self.center).length_squared() <= self.chord_squared + slack
    }

    fn complement(&self) -> Self {
        Self::new(-self.center, PI - self.radius_rad)
    }

    /// Does the cap reach over an edge of a cell that has its corners outside the cap?
    fn intersects_edge(&self, corners: &[DVec3; 4]) -> bool {
        let sin_radius = libm::sin(self.radius_rad);
        (0..4).any(|k| {
            let (from, to) = (corners[k], corners[(k + 1) % 4]);
            // Inward normal of the great circle through the edge. The sides subtracted first: long vectors that
            // are nearly equal would leave no digits.
            let normal = (from + to).cross(to - from);
            let height = self.center.dot(normal);
            if height * height > sin_radius * sin_radius * normal.length_squared() {
                return false;
            }
            let ahead = normal.cross(self.center);
            ahead.dot(from) < 0.0 && ahead.dot(to) > 0.0
        })
    }

    fn intersects_but_for_corners(&self, cell: CellId, corners: &[DVec3; 4]) -> bool {
        // Of a hemisphere or more the outside is convex, and so is the cell: corners decide.
        self.radius_rad < FRAC_PI_2 && (cell.contains_point(self.center) || self.intersects_edge(corners))
    }
}

impl Region for Cap {
    fn intersects(&self, cell: CellId) -> bool {
        let corners = cell.corners();
        corners.iter().any(|corner| self.contains_point(*corner))
            || self.intersects_but_for_corners(cell, &corners)
    }

    fn contains(&self, cell: CellId) -> bool {
        let corners = cell.corners();
        corners.iter().all(|corner| self.contains_point(*corner))
            && !self.complement().intersects_but_for_corners(cell, &corners)
    }

    /// The cell about the centre that is wider than the radius, and all around it.
    fn seed_cells(&self) -> Vec<CellId> {
        let mut level = 0;
        let mut width_rad = 0.5 * CELL_WIDTH_MIN_RAD;
        while width_rad > self.radius_rad && level < MAX_LEVEL {
            level += 1;
            width_rad *= 0.5;
        }
        if level == 0 {
            return (0..6).map(CellId::from_face).collect();
        }
        let middle = CellId::from_point(self.center).parent(level);
        std::iter::once(middle).chain(middle.all_neighbors()).collect()
    }
}

/// All cells of a level that intersect the cap about a direction, in curve order.
pub fn cover_cap(center: DVec3, radius_rad: f64, level: u8) -> Result<Vec<CellId>, TooManyCells> {
    cover_at_level(&Cap::new(center, radius_rad), level)
}
