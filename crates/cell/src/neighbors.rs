//! The cells around a cell, over the edges of the cube too.

use std::ops::Deref;

use crate::{CellId, FaceIj, face_uv_to_point, point_to_face_uv};

/// The cells that touch a cell, each once, in no particular order: 8 in general, 7 at a corner of the cube, 4
/// around a whole face.
#[derive(Clone, Copy, Debug)]
pub struct Neighbors {
    cells: [CellId; 8],
    count: usize,
}

impl Deref for Neighbors {
    type Target = [CellId];

    fn deref(&self) -> &[CellId] {
        &self.cells[..self.count]
    }
}

impl IntoIterator for Neighbors {
    type Item = CellId;
    type IntoIter = std::iter::Take<std::array::IntoIter<CellId, 8>>;

    fn into_iter(self) -> Self::IntoIter {
        self.cells.into_iter().take(self.count)
    }
}

impl CellId {
    /// The cells of the same level across the four edges: towards lower j, higher i, higher j, lower i.
    pub fn edge_neighbors(self) -> [Self; 4] {
        let at = self.face_ij();
        [(0, -1), (1, 0), (0, 1), (-1, 0)].map(|step| stepped(at, step, self.level()))
    }

    /// All cells of the same level that share an edge or a corner with this one.
    pub fn all_neighbors(self) -> Neighbors {
        const AROUND: [(i64, i64); 8] =
            [(-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)];
        let at = self.face_ij();
        let mut neighbors = Neighbors { cells: [self; 8], count: 0 };
        for step in AROUND {
            // Beyond a corner of the cube there is no cell: the step lands on an edge neighbour again.
            let cell = stepped(at, step, self.level());
            if !neighbors.contains(&cell) {
                neighbors.cells[neighbors.count] = cell;
                neighbors.count += 1;
            }
        }
        neighbors
    }
}

impl FaceIj {
    /// The lattice position one step (−1, 0 or 1 along each axis) away at `level`, continued on the next face where
    /// the lattice ends. Beyond a corner of the cube there is no cell: a diagonal step lands on an edge neighbour.
    #[must_use]
    pub fn stepped(self, (step_i, step_j): (i64, i64), level: u8) -> Self {
        let cells = 1_i64 << level;
        let (i, j) = (i64::from(self.i) + step_i, i64::from(self.j) + step_j);
        let on_face = 0..cells;
        if on_face.contains(&i) && on_face.contains(&j) {
            Self { face: self.face, i: i as u32, j: j as u32 }
        } else {
            wrapped(self.face, i, j, cells)
        }
    }
}

/// The cell one step away on the lattice, continued on the next face where the lattice ends.
fn stepped(from: FaceIj, step: (i64, i64), level: u8) -> CellId {
    CellId::from_face_ij(from.stepped(step, level), level)
}

/// Carries a lattice position just beyond the edge of a face onto the neighbouring face.
///
/// S2's trick (`S2CellId::FromFaceIJWrap`): with the *linear* projection the point barely outside the face has
/// the right lattice coordinates on the other face, whatever the orientation of the two.
fn wrapped(face: u8, i: i64, j: i64, cells: i64) -> FaceIj {
    const JUST_OUTSIDE: f64 = 1.0 + f64::EPSILON;
    let count = cells as f64;
    let linear = |index: i64| ((2 * index + 1) as f64 / count - 1.0).clamp(-JUST_OUTSIDE, JUST_OUTSIDE);
    let (face, u, v) = point_to_face_uv(face_uv_to_point(face, linear(i), linear(j)));
    let index = |u: f64| ((0.5 * (u + 1.0) * count) as u32).min(cells as u32 - 1);
    FaceIj { face, i: index(u), j: index(v) }
}
