//! The true area of a cell.

use glam::DVec3;

use crate::CellId;

impl CellId {
    /// Solid angle in steradians: multiply by the square of the radius.
    pub fn area_sr(self) -> f64 {
        let [a, b, c, d] = self.corners();
        triangle_sr(a, b, c) + triangle_sr(a, c, d)
    }
}

/// Solid angle of a triangle of unit vectors (Van Oosterom and Strackee 1983), with the triple product taken over
/// the sides, which keeps eight digits down to the smallest cells.
fn triangle_sr(a: DVec3, b: DVec3, c: DVec3) -> f64 {
    let volume = a.dot((b - a).cross(c - a));
    2.0 * libm::atan2(volume, 1.0 + a.dot(b) + b.dot(c) + c.dot(a))
}
