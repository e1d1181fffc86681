//! The cells of one level on all six faces: where they are, how large, who is next to whom.
//!
//! A field over a lattice is a plain slice with one value a cell, face by face, row by row: index
//! `(face * side + j) * side + i`. Tables are small because the quadratic projection looks the same on all faces and in
//! all four quarters of a face; only cells along the edges of a face have their neighbours listed.

use cell::{FaceIj, face_uv_to_point, st_to_uv};
use glam::DVec3;

use crate::raster::DIRECTIONS;

/// In place of a neighbour: at the eight corners of the cube three cells meet, and one diagonal leads nowhere.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// All cells of a level.
#[derive(Debug)]
pub(crate) struct Lattice {
    level: u8,
    /// Index steps of [`DIRECTIONS`] inside a face.
    steps: [u32; 8],
    /// Neighbours of the cells along the edges, in the order of [`Lattice::edge_slot`].
    edges: Vec<[u32; 8]>,
    /// (u or v) of the middles of columns or rows.
    middles_uv: Vec<f64>,
    /// Steradians of the cells of the lowest quarter of a face.
    areas_sr: Vec<f32>,
    /// 1 / radians to the eight neighbours, for the same quarter.
    inverse_distances: Vec<[f32; 8]>,
}

/// What becomes of the numbers of [`DIRECTIONS`] when a face is mirrored: not, left to right, bottom to top, both.
const MIRRORED: [[u8; 8]; 4] =
    [[0, 1, 2, 3, 4, 5, 6, 7], [4, 3, 2, 1, 0, 7, 6, 5], [0, 7, 6, 5, 4, 3, 2, 1], [4, 5, 6, 7, 0, 1, 2, 3]];

impl Lattice {
    /// The lattice of a level, at least 1.
    pub(crate) fn new(level: u8) -> Self {
        let side = 1_usize << level;
        let middles_uv = (0..side).map(|index| st_to_uv((index as f64 + 0.5) / side as f64)).collect();
        let steps = DIRECTIONS.map(|(i, j)| (j * side as i64 + i) as u32);
        let mut lattice = Self {
            level,
            steps,
            edges: Vec::new(),
            middles_uv,
            areas_sr: Vec::new(),
            inverse_distances: Vec::new(),
        };
        lattice.edges = lattice.list_edges();
        lattice.areas_sr = lattice.measure_areas();
        lattice.inverse_distances = lattice.measure_distances();
        lattice
    }

    /// Level of the cells.
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Cells along the side of a face.
    pub(crate) fn side(&self) -> usize {
        1 << self.level
    }

    /// Cells of all faces.
    pub(crate) fn count(&self) -> usize {
        6 << (2 * self.level)
    }

    /// Column and row of a cell on its face.
    fn column_row(&self, index: usize) -> (usize, usize) {
        let mask = self.side() - 1;
        (index & mask, (index >> self.level) & mask)
    }

    /// Place of a cell.
    pub(crate) fn position(&self, index: usize) -> FaceIj {
        let (i, j) = self.column_row(index);
        FaceIj { face: (index >> (2 * self.level)) as u8, i: i as u32, j: j as u32 }
    }

    /// Inverse of [`Self::position`].
    pub(crate) fn index(&self, at: FaceIj) -> usize {
        (((usize::from(at.face) << self.level) + at.j as usize) << self.level) + at.i as usize
    }

    /// The cell of a lattice at most as fine that a cell of this one lies in.
    pub(crate) fn over(&self, index: usize, coarse: &Self) -> usize {
        let shift = self.level - coarse.level;
        let FaceIj { face, i, j } = self.position(index);
        coarse.index(FaceIj { face, i: i >> shift, j: j >> shift })
    }

    /// Middle of a cell, a unit vector.
    pub(crate) fn direction(&self, index: usize) -> DVec3 {
        let at = self.position(index);
        self.direction_on(at.face, at.i as usize, at.j as usize)
    }

    /// Middle of the cell of a column and a row, a unit vector.
    pub(crate) fn direction_on(&self, face: u8, i: usize, j: usize) -> DVec3 {
        let point = face_uv_to_point(face, self.middles_uv[i], self.middles_uv[j]);
        point / point.length()
    }

    /// The neighbours of a cell in the order of [`DIRECTIONS`]; [`NOWHERE`] beyond a corner of the cube.
    #[inline]
    pub(crate) fn neighbors(&self, index: usize) -> [u32; 8] {
        let (i, j) = self.column_row(index);
        let inner = self.side() - 2;
        if i.wrapping_sub(1) < inner && j.wrapping_sub(1) < inner {
            self.steps.map(|step| (index as u32).wrapping_add(step))
        } else {
            self.edges[self.edge_slot(index, i, j)]
        }
    }

    /// The neighbour in a direction of [`DIRECTIONS`], `None` beyond a corner of the cube.
    #[inline]
    pub(crate) fn neighbor(&self, index: usize, direction: usize) -> Option<usize> {
        let (i, j) = self.column_row(index);
        let inner = self.side() - 2;
        if i.wrapping_sub(1) < inner && j.wrapping_sub(1) < inner {
            Some((index as u32).wrapping_add(self.steps[direction]) as usize)
        } else {
            let neighbor = self.edges[self.edge_slot(index, i, j)][direction];
            (neighbor != NOWHERE).then_some(neighbor as usize)
        }
    }

    /// 1 / radians to the eight neighbours, in the order of [`DIRECTIONS`].
    #[inline]
    pub(crate) fn inverse_distances(&self, index: usize) -> [f32; 8] {
        let (quarter, mirror) = self.in_quarter(index);
        let table = &self.inverse_distances[quarter];
        MIRRORED[mirror].map(|direction| table[usize::from(direction)])
    }

    /// 1 / radians to the neighbour in a direction.
    #[inline]
    pub(crate) fn inverse_distance(&self, index: usize, direction: usize) -> f32 {
        let (quarter, mirror) = self.in_quarter(index);
        self.inverse_distances[quarter][usize::from(MIRRORED[mirror][direction])]
    }

    /// Solid angle of a cell, steradians; all together 4π.
    #[inline]
    pub(crate) fn area_sr(&self, index: usize) -> f32 {
        self.areas_sr[self.in_quarter(index).0]
    }

    /// The cell of the lowest quarter of a face that mirrors this one, and how it is mirrored.
    fn in_quarter(&self, index: usize) -> (usize, usize) {
        let (i, j) = self.column_row(index);
        let half = self.side() / 2;
        let (flip_i, flip_j) = (usize::from(i >= half), usize::from(j >= half));
        let mask = self.side() - 1;
        let (i, j) = (i ^ (mask * flip_i), j ^ (mask * flip_j));
        (j * half + i, flip_i + 2 * flip_j)
    }

    /// The place of a cell along the edges of a face in [`Self::edges`].
    fn edge_slot(&self, index: usize, i: usize, j: usize) -> usize {
        let side = self.side();
        let along = if j == 0 {
            i
        } else if j == side - 1 {
            side + i
        } else if i == 0 {
            2 * side + j
        } else {
            3 * side + j
        };
        (index >> (2 * self.level)) * 4 * side + along
    }

    fn list_edges(&self) -> Vec<[u32; 8]> {
        let side = self.side() as u32;
        let mut edges = vec![[NOWHERE; 8]; 24 * self.side()];
        for face in 0..6 {
            for along in 0..side {
                for (i, j) in [(along, 0), (along, side - 1), (0, along), (side - 1, along)] {
                    let at = FaceIj { face, i, j };
                    let index = self.index(at);
                    let slot = self.edge_slot(index, i as usize, j as usize);
                    edges[slot] = self.neighbors_over_edges(at);
                }
            }
        }
        edges
    }

    /// The neighbours of any cell, by geometry.
    fn neighbors_over_edges(&self, at: FaceIj) -> [u32; 8] {
        let on_face = 0..self.side() as i64;
        DIRECTIONS.map(|(step_i, step_j)| {
            let leaves_i = !on_face.contains(&(i64::from(at.i) + step_i));
            let leaves_j = !on_face.contains(&(i64::from(at.j) + step_j));
            if leaves_i && leaves_j {
                NOWHERE
            } else {
                self.index(at.stepped((step_i, step_j), self.level)) as u32
            }
        })
    }

    fn measure_areas(&self) -> Vec<f32> {
        let half = self.side() / 2;
        let uv: Vec<f64> = (0..=half).map(|index| st_to_uv(index as f64 / self.side() as f64)).collect();
        let rows: Vec<Vec<f64>> =
            uv.iter().map(|v| uv.iter().map(|u| rectangle_sr(*u, *v)).collect()).collect();
        let cell = |i: usize, j: usize| rows[j + 1][i + 1] - rows[j + 1][i] - rows[j][i + 1] + rows[j][i];
        (0..half).flat_map(|j| (0..half).map(move |i| (i, j))).map(|(i, j)| cell(i, j) as f32).collect()
    }

    fn measure_distances(&self) -> Vec<[f32; 8]> {
        let half = self.side() / 2;
        let mut distances = Vec::with_capacity(half * half);
        for j in 0..half {
            for i in 0..half {
                let here = self.direction_on(0, i, j);
                let neighbors = self.neighbors(j * self.side() + i);
                distances.push(neighbors.map(|neighbor| match neighbor {
                    NOWHERE => 0.0,
                    neighbor => (1.0 / (self.direction(neighbor as usize) - here).length()) as f32,
                }));
            }
        }
        distances
    }
}

/// Solid angle of the rectangle between the middle of a face and (u, v), signed: ∫∫ (1 + u² + v²)^(−3/2) du dv.
fn rectangle_sr(u: f64, v: f64) -> f64 {
    libm::atan(u * v / (1.0 + u * u + v * v).sqrt())
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use cell::CellId;

    use super::*;

    #[test]
    fn areas_are_those_of_the_cells_and_fill_the_sphere() {
        for level in [1, 4, 6] {
            let lattice = Lattice::new(level);
            let mut sum = 0.0;
            for index in 0..lattice.count() {
                let area = f64::from(lattice.area_sr(index));
                let exact = CellId::from_face_ij(lattice.position(index), level).area_sr();
                assert!((area / exact - 1.0).abs() < 1e-6, "cell {index} of level {level}");
                sum += area;
            }
            assert!((sum / (4.0 * PI) - 1.0).abs() < 1e-7);
        }
    }

    #[test]
    fn neighbors_are_those_of_the_cells() {
        for level in [1, 2, 5] {
            let lattice = Lattice::new(level);
            for index in 0..lattice.count() {
                let mut expected: Vec<usize> = CellId::from_face_ij(lattice.position(index), level)
                    .all_neighbors()
                    .into_iter()
                    .map(|cell| lattice.index(cell.face_ij()))
                    .collect();
                let mut found: Vec<usize> =
                    (0..8).filter_map(|direction| lattice.neighbor(index, direction)).collect();
                let listed = lattice.neighbors(index).into_iter().filter(|cell| *cell != NOWHERE);
                assert_eq!(listed.map(|cell| cell as usize).collect::<Vec<_>>(), found);
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, expected, "cell {index} of level {level}");
            }
        }
    }

    #[test]
    fn distances_are_those_between_the_middles_on_every_face_and_quarter() {
        let lattice = Lattice::new(5);
        for index in 0..lattice.count() {
            let distances = lattice.inverse_distances(index);
            for (direction, distance) in distances.into_iter().enumerate() {
                let Some(neighbor) = lattice.neighbor(index, direction) else { continue };
                let length = (lattice.direction(neighbor) - lattice.direction(index)).length();
                assert!((f64::from(distance) * length - 1.0).abs() < 1e-6);
                assert_eq!(distance, lattice.inverse_distance(index, direction));
            }
        }
    }
}
