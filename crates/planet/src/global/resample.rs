//! Fields of one level made from fields of another.

use super::lattice::Lattice;
use super::parallel::for_chunks;

/// Means of the cells of a coarser lattice.
pub(crate) fn coarsened(from: &Lattice, field: &[f32], to: &Lattice) -> Vec<f32> {
    let factor = from.side() / to.side();
    if factor == 1 {
        return field.to_vec();
    }
    let mut means = vec![0.0; to.count()];
    let side = to.side();
    for (row, values) in means.chunks_mut(side).enumerate() {
        for fine_row in field[row * factor * from.side()..][..factor * from.side()].chunks(from.side()) {
            for (value, block) in values.iter_mut().zip(fine_row.chunks(factor)) {
                *value += block.iter().sum::<f32>();
            }
        }
        for value in values {
            *value /= (factor * factor) as f32;
        }
    }
    means
}

/// A finer lattice's values by bilinear interpolation, continuous over the edges of the faces.
pub(crate) fn refined(from: &Lattice, field: &[f32], to: &Lattice, threads: usize) -> Vec<f32> {
    let factor = to.side() / from.side();
    if factor == 1 {
        return field.to_vec();
    }
    let faces: Vec<Vec<f32>> = (0..6).map(|face| with_rim(from, field, face)).collect();
    let (side, rimmed) = (to.side(), from.side() + 2);
    // Of each column or row: the lower of the two it lies between, in the face with its rim, and how far past it.
    let places: Vec<(usize, f32)> = (0..side)
        .map(|index| {
            let place = (index as f32 + 0.5) / factor as f32 + 0.5;
            (place.floor() as usize, place - place.floor())
        })
        .collect();
    let mut fine = vec![0.0; to.count()];
    for_chunks(threads, &mut fine, side, |number, values| {
        let (row, up) = places[number % side];
        let low = &faces[number / side][row * rimmed..][..rimmed];
        let high = &faces[number / side][(row + 1) * rimmed..][..rimmed];
        let mixed: Vec<f32> = low.iter().zip(high).map(|(low, high)| low + (high - low) * up).collect();
        for (value, (column, right)) in values.iter_mut().zip(&places) {
            *value = mixed[*column] + (mixed[*column + 1] - mixed[*column]) * right;
        }
    });
    fine
}

/// A field of any other level, by means or by interpolation.
pub(crate) fn resampled(from: &Lattice, field: &[f32], to: &Lattice, threads: usize) -> Vec<f32> {
    if to.level() < from.level() { coarsened(from, field, to) } else { refined(from, field, to, threads) }
}

/// A face with one more cell all around, taken from the neighbouring faces.
fn with_rim(lattice: &Lattice, field: &[f32], face: usize) -> Vec<f32> {
    let side = lattice.side();
    let rimmed = side + 2;
    let first = face * side * side;
    let mut values = vec![0.0; rimmed * rimmed];
    for j in 0..side {
        values[(j + 1) * rimmed + 1..][..side].copy_from_slice(&field[first + j * side..][..side]);
    }
    let across = |index: usize, direction: usize| {
        lattice.neighbor(index, direction).map_or(0.0, |neighbor| field[neighbor])
    };
    for along in 0..side {
        values[(along + 1) * rimmed + side + 1] = across(first + along * side + side - 1, 0);
        values[(side + 1) * rimmed + along + 1] = across(first + (side - 1) * side + along, 2);
        values[(along + 1) * rimmed] = across(first + along * side, 4);
        values[along + 1] = across(first + along, 6);
    }
    // Three cells meet at a corner of the cube; the fourth of the square is the mean of the two beyond the edges.
    let last = side + 1;
    for (column, row, beside, above) in
        [(0, 0, 1, 1), (last, 0, side, 1), (0, last, 1, side), (last, last, side, side)]
    {
        values[row * rimmed + column] =
            0.5 * (values[row * rimmed + beside] + values[above * rimmed + column]);
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_field_survives_refinement_over_the_edges_of_the_faces() {
        let (coarse, fine) = (Lattice::new(5), Lattice::new(7));
        let height = |lattice: &Lattice| -> Vec<f32> {
            (0..lattice.count())
                .map(|index| {
                    let point = lattice.direction(index);
                    (point.x * 2.0 + point.y * point.z) as f32
                })
                .collect()
        };
        let refined = refined(&coarse, &height(&coarse), &fine, 2);
        let worst = refined.iter().zip(height(&fine)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 0.03, "worst {worst}");
        let back = coarsened(&fine, &height(&fine), &coarse);
        let worst = back.iter().zip(height(&coarse)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 0.003, "worst {worst}");
    }
}
