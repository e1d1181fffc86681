//! Fields over a lattice made row by row, as noise is fastest.

use super::lattice::Lattice;
use super::parallel::for_chunks;
use crate::noise::{Fbm, Positions};

/// A field over a lattice: `work(positions of the row, first cell, values)` is called for every row of every face.
pub(crate) fn field_by_rows(
    lattice: &Lattice,
    threads: usize,
    work: impl Fn(&Positions, usize, &mut [f32]) + Sync,
) -> Vec<f32> {
    let mut field = vec![0.0; lattice.count()];
    for_chunks(threads, &mut field, lattice.side(), |number, values| {
        work(&row(lattice, number), number * lattice.side(), values);
    });
    field
}

/// Where the cells of a row are on the unit sphere; rows count over all faces.
pub(crate) fn row(lattice: &Lattice, number: usize) -> Positions {
    let side = lattice.side();
    let (face, j) = ((number / side) as u8, number % side);
    let mut positions = Positions::with_capacity(side);
    (0..side).for_each(|i| positions.push(lattice.direction_on(face, i, j)));
    positions
}

/// All octaves of a noise along a row.
pub(crate) fn noise_along(noise: &Fbm, positions: &Positions) -> Vec<f32> {
    let mut values = vec![0.0; positions.len()];
    noise.sum(positions, noise.octaves(), &mut values);
    values
}
