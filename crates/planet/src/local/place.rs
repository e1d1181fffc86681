//! A place on the sphere and where it is on the raster's lattice.

use cell::{CellId, FaceIj, point_to_face_uv, uv_to_st};
use glam::DVec3;

/// A place. Whatever is said about the ground is a function of these numbers, and they of the unit vector alone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) unit: DVec3,
    /// The one face that the place belongs to.
    pub(crate) face: u8,
    pub(crate) s: f64,
    pub(crate) t: f64,
}

impl Place {
    /// The place of a unit vector.
    pub(crate) fn of(unit: DVec3) -> Self {
        let (face, u, v) = point_to_face_uv(unit);
        Self { unit, face, s: snapped(uv_to_st(u)), t: snapped(uv_to_st(v)) }
    }

    /// The places of a grid over a cell, row by row, with `border` rows more on every side: those of
    /// [`crate::Patch::directions`].
    pub(crate) fn grid(cell: CellId, quads: u32, border: u32) -> Vec<Self> {
        let FaceIj { face, i, j } = cell.face_ij();
        let side = i64::from(quads + 2 * border + 1);
        let corners = i64::from(quads) << cell.level();
        // Inside a face the lattice says what the unit vector would say, if its numbers are exact.
        let is_exact = quads.is_power_of_two();
        let index =
            |cell: u32, position: i64| i64::from(cell) * i64::from(quads) + position - i64::from(border);
        let is_inside = |index: i64| 0 < index && index < corners;
        let st = |index: i64| index as f64 / corners as f64;
        let place = |(number, unit): (usize, DVec3)| {
            let (column, row) = (index(i, number as i64 % side), index(j, number as i64 / side));
            if is_exact && is_inside(column) && is_inside(row) {
                Self { unit, face, s: st(column), t: st(row) }
            } else {
                Self::of(unit)
            }
        };
        crate::Patch::directions(cell, quads, border).enumerate().map(place).collect()
    }

    /// The cell of a level that holds the place, and where in it: 0..=1 along i and j.
    pub(crate) fn in_cell(&self, level: u8) -> (FaceIj, f64, f64) {
        let cells = (1_u64 << level) as f64;
        let (i, x) = split(self.s * cells, cells);
        let (j, y) = split(self.t * cells, cells);
        (FaceIj { face: self.face, i, j }, x, y)
    }
}

/// Corners of cells get the numbers that the lattice gives them, whichever face they were reached from.
fn snapped(st: f64) -> f64 {
    const LEAVES: f64 = 1_073_741_824.0;
    const NEAR: f64 = 1e-3;
    let scaled = st * LEAVES;
    let whole = (scaled + 0.5) as u32;
    if (scaled - f64::from(whole)).abs() < NEAR { f64::from(whole) / LEAVES } else { st }
}

/// A coordinate in cells as a cell's index and the rest. The end of the lattice belongs to the last cell.
fn split(coordinate: f64, cells: f64) -> (u32, f64) {
    let index = coordinate.clamp(0.0, cells - 1.0) as u32;
    (index, coordinate - f64::from(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_says_of_its_places_what_their_unit_vectors_say() {
        for (index, cell) in (0..6).flat_map(|face| CellId::from_face(face).descendants(2)).enumerate() {
            let cell = CellId::from_point(cell.center() + cell.vertex(index) * 0.2).parent(index as u8 % 23);
            for place in Place::grid(cell, 64, 2) {
                let Place { face, s, t, .. } = Place::of(place.unit);
                assert_eq!((face, s, t), (place.face, place.s, place.t), "{cell:?}");
            }
        }
    }
}
