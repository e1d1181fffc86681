//! How places and directions are rounded for the stream.
//!
//! A cell is divided into 4096 × 4096 lattice cells, the S2 cells twelve levels below it: 17 mm wide on the default
//! planet. A body's place is the lattice cell under it and stands for the lattice cell's centre.

use cell::{CellId, FaceIj};
use glam::DVec3;
use std::f64::consts::TAU;

/// Bits of each lattice coordinate inside a cell.
pub const LATTICE_BITS: u8 = 12;
/// Lattice cells along the side of a cell.
pub const LATTICE_SIDE: u16 = 1 << LATTICE_BITS;
/// Deepest level a stream's cells may have: the lattice must fit above the leaves.
pub const CELL_LEVEL_MAX: u8 = cell::MAX_LEVEL - LATTICE_BITS;

/// A place as the stream knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LatticePlace {
    /// The stream's cell.
    pub cell: CellId,
    /// Lattice column inside the cell, below [`LATTICE_SIDE`].
    pub i: u16,
    /// Lattice row.
    pub j: u16,
}

impl LatticePlace {
    /// The place of a leaf cell in streams of cells of `cell_level`.
    pub fn of_leaf(leaf: CellId, cell_level: u8) -> Self {
        let FaceIj { i, j, .. } = leaf.parent(cell_level + LATTICE_BITS).face_ij();
        let inside = |index: u32| (index % u32::from(LATTICE_SIDE)) as u16;
        Self { cell: leaf.parent(cell_level), i: inside(i), j: inside(j) }
    }

    /// The unit vector it stands for.
    pub fn direction(self) -> DVec3 {
        let FaceIj { face, i, j } = self.cell.face_ij();
        let whole = |of_cell: u32, inside: u16| (of_cell << LATTICE_BITS) | u32::from(inside);
        let position = FaceIj { face, i: whole(i, self.i), j: whole(j, self.j) };
        CellId::from_face_ij(position, self.cell.level() + LATTICE_BITS).center()
    }
}

/// The angle of `facing` in 1/256 of a full turn, counter-clockwise seen from above, from the direction in which the
/// cell's column numbers grow.
pub fn facing_to_u8(cell: CellId, direction: DVec3, facing: DVec3) -> u8 {
    let (ahead, aside) = facing_axes(cell, direction);
    let turns = libm::atan2(facing.dot(aside), facing.dot(ahead)) / TAU;
    // The cast of a negative float would saturate: go through a signed number, whose low byte is the angle.
    (turns * 256.0).round() as i16 as u8
}

/// The unit vector along the ground at `direction` with this angle.
pub fn facing_from_u8(cell: CellId, direction: DVec3, facing: u8) -> DVec3 {
    let (ahead, aside) = facing_axes(cell, direction);
    let angle_rad = f64::from(facing) * (TAU / 256.0);
    ahead * libm::cos(angle_rad) + aside * libm::sin(angle_rad)
}

fn facing_axes(cell: CellId, direction: DVec3) -> (DVec3, DVec3) {
    let (ahead, _) = cell.ij_axes(direction);
    (ahead, direction.cross(ahead))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_place_is_within_a_lattice_cell_of_the_truth_and_a_facing_within_half_a_step(
            direction in [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0],
            look in [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0],
            level in 5..=CELL_LEVEL_MAX,
        ) {
            let Some(direction) = DVec3::from_array(direction).try_normalize() else { return Ok(()) };
            let place = LatticePlace::of_leaf(CellId::from_point(direction), level);
            // The longest diagonal of an S2 cell is 2.44 × 2^-level.
            let step = 2.44 / f64::from(1 << (level + LATTICE_BITS));
            prop_assert!((place.direction() - direction).length() <= 0.51 * step);
            prop_assert_eq!(LatticePlace::of_leaf(CellId::from_point(place.direction()), level), place);

            let look = DVec3::from_array(look);
            let Some(facing) = (look - direction * look.dot(direction)).try_normalize() else { return Ok(()) };
            let decoded = facing_from_u8(place.cell, direction, facing_to_u8(place.cell, direction, facing));
            prop_assert!(decoded.dot(facing) > libm::cos(TAU / 512.0) - 1e-9);
        }
    }
}
