//! Where cells are on the unit sphere.

use glam::DVec3;

use crate::{CellId, FaceIj, LatLng, MAX_LEVEL, face_uv_to_point, point_to_face_uv, st_to_uv, uv_to_st};

/// Leaves along the side of a face.
const LEAVES: u32 = 1 << MAX_LEVEL;

impl CellId {
    /// The leaf under a direction of any length; (0, 0, 0) and non-finite vectors give some leaf, not a panic.
    pub fn from_point(point: DVec3) -> Self {
        let (face, u, v) = point_to_face_uv(point);
        Self::from_leaf_ij(face, st_to_leaf(uv_to_st(u)), st_to_leaf(uv_to_st(v)))
    }

    /// The leaf at a latitude and longitude.
    pub fn from_lat_lng(place: LatLng) -> Self {
        Self::from_point(place.to_point())
    }

    /// The middle in (s, t), where the cell is divided into its children: a unit vector.
    pub fn center(self) -> DVec3 {
        let FaceIj { face, i, j } = self.face_ij();
        let shift = MAX_LEVEL - self.level();
        // Twice the leaf lattice, so that the middle of a leaf is a whole number too.
        let st = |index: u32| ((2 * u64::from(index) + 1) << shift) as f64 / f64::from(2 * LEAVES);
        face_uv_to_point(face, st_to_uv(st(i)), st_to_uv(st(j))).normalize()
    }

    /// Corner `k` modulo 4, counter-clockwise seen from outside, from the corner of the lowest i and j: a unit
    /// vector. Cells that share a corner compute it equal, on other faces and levels too.
    pub fn vertex(self, k: usize) -> DVec3 {
        let FaceIj { face, i, j } = self.face_ij();
        let (right, up) = [(0, 0), (1, 0), (1, 1), (0, 1)][k % 4];
        let cells = f64::from(1_u32 << self.level());
        let uv = |index: u32| st_to_uv(f64::from(index) / cells);
        face_uv_to_point(face, uv(i + right), uv(j + up)).normalize()
    }

    /// The four corners in the order of [`vertex`](Self::vertex).
    pub fn corners(self) -> [DVec3; 4] {
        [0, 1, 2, 3].map(|k| self.vertex(k))
    }

    /// Is the point inside? Each point of the sphere is in exactly one cell of a level.
    pub fn contains_point(self, point: DVec3) -> bool {
        self.contains(Self::from_point(point))
    }
}

fn st_to_leaf(s: f64) -> u32 {
    // The cast truncates, maps what is negative or not a number to 0, and saturates.
    ((s * f64::from(LEAVES)) as u32).min(LEAVES - 1)
}
