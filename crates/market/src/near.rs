//! A place and what is around it, as statements ask for it.

use cell::{Cap, CellId, Coverer, LatLng};
use glam::DVec3;
use store::Value;

/// Ranges of cells that a statement takes.
pub(crate) const RANGES: usize = 8;
/// Longer than any chord of the unit sphere, squared: everywhere.
const EVERYWHERE: f64 = 5.0;

/// A disc on the sphere.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Near {
    pub(crate) middle: DVec3,
    pub(crate) radius_rad: f64,
}

impl Near {
    pub(crate) fn of_cell(cell: CellId, radius_rad: f64) -> Self {
        Self { middle: cell.center(), radius_rad }
    }

    pub(crate) fn of_place(place: LatLng, radius_rad: f64) -> Self {
        Self { middle: place.to_point(), radius_rad }
    }

    /// The middle, and the square of the chord to the rim; of everywhere if there is no disc.
    pub(crate) fn disc_values(near: Option<&Self>) -> [Value; 4] {
        let (middle, chord_squared) = near.map_or((DVec3::Z, EVERYWHERE), |it| {
            let half_chord = libm::sin(0.5 * it.radius_rad.clamp(0.0, std::f64::consts::PI));
            (it.middle, 4.0 * half_chord * half_chord)
        });
        [middle.x.into(), middle.y.into(), middle.z.into(), chord_squared.into()]
    }

    /// First and last leaf of each of [`RANGES`] ranges that hold the disc; those not needed are empty.
    pub(crate) fn range_values(&self) -> Vec<Value> {
        let coverer = Coverer { min_level: 0, max_level: 18, max_cells: RANGES };
        let cells = coverer.cover(&Cap::new(self.middle, self.radius_rad)).unwrap_or_default();
        let ranges: Vec<(i64, i64)> = if cells.is_empty() || cells.len() > RANGES {
            vec![(i64::MIN, i64::MAX)]
        } else {
            cells.iter().map(|it| (it.range_min().to_sql(), it.range_max().to_sql())).collect()
        };
        let empty = (1_i64, 0_i64);
        let padded = ranges.into_iter().chain(std::iter::repeat(empty)).take(RANGES);
        padded.flat_map(|(first, last)| [first.into(), last.into()]).collect()
    }

    /// The distance that belongs to the square of a chord.
    pub(crate) fn distance_m(chord_squared: f64, radius_m: f64) -> f64 {
        2.0 * libm::asin((0.5 * chord_squared.max(0.0).sqrt()).min(1.0)) * radius_m
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_hold_every_leaf_of_the_disc_and_the_chord_is_the_distance() {
        let middle = CellId::from_face(4).center();
        for radius_rad in [1e-6, 1e-4, 0.01, 0.5, 3.0] {
            let near = Near { middle, radius_rad };
            let values = near.range_values();
            assert_eq!(values.len(), 2 * RANGES);
            let ranges: Vec<(i64, i64)> = values
                .chunks(2)
                .map(|pair| match pair {
                    [Value::Int(first), Value::Int(last)] => (*first, *last),
                    other => panic!("{other:?}"),
                })
                .collect();
            let [_, _, _, Value::Real(chord_squared)] = Near::disc_values(Some(&near)) else { panic!() };
            assert!((Near::distance_m(chord_squared, 1.0) - radius_rad).abs() < 1e-9);
            for step in 0..40 {
                let turn = f64::from(step) * 0.7;
                let aside = middle.any_orthonormal_vector();
                let aside = aside * libm::cos(turn) + middle.cross(aside) * libm::sin(turn);
                let angle = radius_rad * 0.999;
                let point = middle * libm::cos(angle) + aside * libm::sin(angle);
                assert!((point - middle).length_squared() <= chord_squared);
                let leaf = CellId::from_point(point).to_sql();
                assert!(
                    ranges.iter().any(|(first, last)| (*first..=*last).contains(&leaf)),
                    "{radius_rad} {step}"
                );
            }
        }
    }
}
