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

    /// The cell of a level that holds the place, and where in it: 0..=1 along i and j.
    pub(crate) fn in_cell(&self, level: u8) -> (FaceIj, f64, f64) {
        let cells = (1_u64 << level) as f64;
        let (i, x) = split(self.s * cells, cells);
        let (j, y) = split(self.t * cells, cells);
        (FaceIj { face: self.face, i, j }, x, y)
    }
}

/// Places in rows: one array for each thing there is to know of one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// Places to a row.
    pub(crate) side: usize,
    /// Unit vectors.
    pub(crate) unit: [Vec<f64>; 3],
    face: Vec<u8>,
    s: Vec<f64>,
    t: Vec<f64>,
    /// Are rows and columns great circles, so that nothing of a part lies farther out than its corners?
    pub(crate) is_even: bool,
}

/// Where the places of a grid are in the cells of a level: [`Place::in_cell`] that remembers the columns.
pub(crate) struct Lattice {
    cells: f64,
    side: usize,
    /// What was said of the last s in every column, and of the last t.
    columns: Vec<(f64, u32, f64)>,
    row: (f64, u32, f64),
}

impl Lattice {
    pub(crate) fn new(level: u8, side: usize) -> Self {
        const NONE: (f64, u32, f64) = (f64::NAN, 0, 0.0);
        Self { cells: (1_u64 << level) as f64, side, columns: vec![NONE; side], row: NONE }
    }

    /// The cell that holds a place, and where in it.
    pub(crate) fn in_cell(&mut self, places: &Places, index: usize) -> (FaceIj, f64, f64) {
        let Self { cells, side, columns, row } = self;
        let recalled = |known: &mut (f64, u32, f64), coordinate: f64| {
            if known.0 != coordinate {
                let (index, rest) = split(coordinate * *cells, *cells);
                *known = (coordinate, index, rest);
            }
            (known.1, known.2)
        };
        let (i, x) = recalled(&mut columns[index % *side], places.s[index]);
        let (j, y) = recalled(row, places.t[index]);
        (FaceIj { face: places.face[index], i, j }, x, y)
    }
}

impl Places {
    /// Some places, `side` to a row.
    pub(crate) fn of(places: &[Place], side: usize) -> Self {
        Self {
            side,
            unit: [0, 1, 2].map(|axis| places.iter().map(|place| place.unit[axis]).collect()),
            face: places.iter().map(|place| place.face).collect(),
            s: places.iter().map(|place| place.s).collect(),
            t: places.iter().map(|place| place.t).collect(),
            is_even: false,
        }
    }

    /// The places of a grid over a cell, row by row, with `border` rows more on every side: those of
    /// [`crate::Patch::directions`].
    pub(crate) fn grid(cell: CellId, quads: u32, border: u32) -> Self {
        let FaceIj { face, i, j } = cell.face_ij();
        let side = (quads + 2 * border + 1) as usize;
        let corners = i64::from(quads) << cell.level();
        // Inside a face the lattice says what the unit vector would say, if its numbers are exact.
        let is_exact = quads.is_power_of_two();
        let indices = |cell: u32| {
            let first = i64::from(cell) * i64::from(quads) - i64::from(border);
            first..first + side as i64
        };
        let is_inside = |index: i64| is_exact && 0 < index && index < corners;
        let st = |index: i64| index as f64 / corners as f64;
        let columns: Vec<(bool, f64)> = indices(i).map(|index| (is_inside(index), st(index))).collect();
        let uvs: Vec<f64> = columns.iter().map(|(_, s)| cell::st_to_uv(*s)).collect();
        let count = side * side;
        let mut places = Self {
            side,
            unit: [0, 1, 2].map(|_| vec![0.0; count]),
            face: vec![face; count],
            s: Vec::with_capacity(count),
            t: Vec::with_capacity(count),
            is_even: true,
        };
        for (row, index) in indices(j).enumerate() {
            let (t, is_row_inside) = (st(index), is_inside(index));
            let v = cell::st_to_uv(t);
            let [x, y, z] = &mut places.unit;
            let of_row = row * side..(row + 1) * side;
            let axes = x[of_row.clone()].iter_mut().zip(&mut y[of_row.clone()]).zip(&mut z[of_row.clone()]);
            for (((x, y), z), u) in axes.zip(&uvs) {
                let unit = cell::face_uv_to_point(face, *u, v).normalize() + DVec3::ZERO;
                (*x, *y, *z) = (unit.x, unit.y, unit.z);
            }
            places.s.extend(columns.iter().map(|(_, s)| *s));
            places.t.resize((row + 1) * side, t);
            if is_row_inside && columns[0].0 && columns[side - 1].0 {
                continue;
            }
            for (column, index) in of_row.enumerate() {
                if !(is_row_inside && columns[column].0) {
                    let Place { face, s, t, .. } = Place::of(places.unit(index));
                    (places.face[index], places.s[index], places.t[index]) = (face, s, t);
                }
            }
        }
        places
    }

    pub(crate) fn len(&self) -> usize {
        self.face.len()
    }

    pub(crate) fn unit(&self, index: usize) -> DVec3 {
        let [x, y, z] = &self.unit;
        DVec3::new(x[index], y[index], z[index])
    }

    pub(crate) fn get(&self, index: usize) -> Place {
        Place { unit: self.unit(index), face: self.face[index], s: self.s[index], t: self.t[index] }
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
    // `clamp` would bring the code along that writes numbers, for the panic on bounds that it cannot see are in order.
    let index = coordinate.max(0.0).min(cells - 1.0) as u32;
    (index, coordinate - f64::from(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_says_of_its_places_what_their_unit_vectors_say() {
        for (index, cell) in (0..6).flat_map(|face| CellId::from_face(face).descendants(2)).enumerate() {
            let cell = CellId::from_point(cell.center() + cell.vertex(index) * 0.2).parent(index as u8 % 23);
            let places = Places::grid(cell, 64, 2);
            for (index, unit) in crate::Patch::directions(cell, 64, 2).enumerate() {
                let (place, expected) = (places.get(index), Place::of(unit));
                assert_eq!(place.unit, unit, "{cell:?}");
                assert_eq!(
                    (place.face, place.s, place.t),
                    (expected.face, expected.s, expected.t),
                    "{cell:?}"
                );
            }
        }
    }
}
