//! Turning a step along the ground, in whole numbers.
//!
//! Columns and rows of a cell are neither equally long nor at right angles everywhere. A step of `(i, j)` lattice cells
//! is `x = i + skew·j / 1024` along the columns' direction and `y = stretch·j / 1024` across it, counter-clockwise, in
//! lengths of a column.

use cell::{CellId, FaceIj};

/// Steps are at most so long along columns and rows.
pub(crate) const STEP_MAX: i32 = 8191;
/// More than [`Metric::length`] of any step.
pub(crate) const LENGTH_MAX: i32 = 65_535;

/// How the rows of a cell lie to its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    skew: i32,
    stretch: i32,
}

/// Those of an undistorted cell.
impl Default for Metric {
    fn default() -> Self {
        Self { skew: 0, stretch: 1024 }
    }
}

impl Metric {
    /// From the centres of the outer ones of its 4 × 4 descendants: `a` leads along the columns, `b` along the rows.
    pub(crate) fn of(cell: CellId) -> Self {
        let FaceIj { face, i, j } = cell.face_ij();
        let centre = |column: u32, row: u32| {
            let part = FaceIj { face, i: i << 2 | column, j: j << 2 | row };
            CellId::from_face_ij(part, cell.level() + 2).center()
        };
        let (a, b) = (centre(3, 1) - centre(0, 1), centre(1, 3) - centre(1, 0));
        let up = cell.center();
        let (ahead, _) = cell.ij_axes(up);
        let aside = up.cross(ahead);
        let part = |length: f64| (length / a.dot(ahead) * 1024.0).round() as i32;
        // More than any distortion of the projection, and small enough for the sums below.
        Self { skew: part(b.dot(ahead)).clamp(-2048, 2048), stretch: part(b.dot(aside)).clamp(256, 4096) }
    }

    fn to_plane(self, (i, j): (i32, i32)) -> (i32, i32) {
        (i + ((self.skew * j) >> 10), (self.stretch * j) >> 10)
    }

    fn to_lattice(self, (x, y): (i32, i32)) -> (i32, i32) {
        let j = y * 1024 / self.stretch;
        (x - ((self.skew * j) >> 10), j)
    }

    /// `step` turned counter-clockwise by `turn` 256ths.
    pub(crate) fn turned(self, step: (i32, i32), turn: u8) -> (i32, i32) {
        let (x, y) = self.to_plane(step);
        let (cos, sin) = (cosine(turn), cosine(turn.wrapping_sub(64)));
        self.to_lattice(((x * cos - y * sin) >> 14, (x * sin + y * cos) >> 14))
    }

    /// The step of this length towards `facing`.
    pub(crate) fn towards(self, facing: u8, length: i32) -> (i32, i32) {
        self.turned((length, 0), facing)
    }

    /// How long a step is.
    pub(crate) fn length(self, step: (i32, i32)) -> i32 {
        let (x, y) = self.to_plane(step);
        let square = u64::from(x.unsigned_abs()).pow(2) + u64::from(y.unsigned_abs()).pow(2);
        square.isqrt() as i32
    }
}

/// 16384 times the cosine of so many 256ths of a turn.
fn cosine(angle: u8) -> i32 {
    let angle = usize::from(angle);
    match angle {
        0..=64 => QUARTER[angle],
        65..=128 => -QUARTER[128 - angle],
        129..=192 => -QUARTER[angle - 128],
        _ => QUARTER[256 - angle],
    }
}

/// `round(16384 · cos(2π k / 256))`.
#[rustfmt::skip]
const QUARTER: [i32; 65] = [
    16_384, 16_379, 16_364, 16_340, 16_305, 16_261, 16_207, 16_143, 16_069, 15_986, 15_893, 15_791, 15_679,
    15_557, 15_426, 15_286, 15_137, 14_978, 14_811, 14_635, 14_449, 14_256, 14_053, 13_842, 13_623, 13_395,
    13_160, 12_916, 12_665, 12_406, 12_140, 11_866, 11_585, 11_297, 11_003, 10_702, 10_394, 10_080, 9_760,
    9_434, 9_102, 8_765, 8_423, 8_076, 7_723, 7_366, 7_005, 6_639, 6_270, 5_897, 5_520, 5_139,
    4_756, 4_370, 3_981, 3_590, 3_196, 2_801, 2_404, 2_006, 1_606, 1_205, 804, 402, 0,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LatticePlace, facing_to_u8};
    use glam::DVec3;
    use proptest::prelude::*;

    #[test]
    fn the_cosines_are_those_of_the_library() {
        for angle in 0..=255_u8 {
            let exact = libm::cos(f64::from(angle) * std::f64::consts::TAU / 256.0) * 16384.0;
            assert_eq!(f64::from(cosine(angle)), exact.round() + 0.0, "{angle}");
        }
    }

    proptest! {
        /// The formula against the sphere: a walk of some metres towards a facing moves the lattice place as told.
        #[test]
        fn a_step_towards_a_facing_goes_that_way_everywhere(
            direction in [-1.0..1.0_f64, -1.0..1.0, -1.0..1.0],
            facing in any::<u8>(),
        ) {
            let Some(direction) = DVec3::from_array(direction).try_normalize() else { return Ok(()) };
            let cell = CellId::from_point(direction).parent(14);
            let start = cell.center();
            let metric = Metric::of(cell);
            let ahead = crate::facing_from_u8(cell, start, facing);
            prop_assert_eq!(facing_to_u8(cell, start, ahead), facing);
            let place = |point: DVec3| {
                let at = LatticePlace::of_leaf(CellId::from_point(point), 14);
                prop_assert_eq!(at.cell, cell);
                Ok((i32::from(at.i), i32::from(at.j)))
            };
            let (from, to) = (place(start)?, place(start + ahead * 2.0e-5)?);
            let went = (to.0 - from.0, to.1 - from.1);
            let told = metric.towards(facing, metric.length(went));
            let off = (f64::from(went.0 - told.0)).hypot(f64::from(went.1 - told.1));
            prop_assert!(off <= 8.0 + 0.02 * f64::from(metric.length(went)), "{went:?} and not {told:?}");
        }

        #[test]
        fn turning_never_overflows(
            i in -STEP_MAX..=STEP_MAX,
            j in -STEP_MAX..=STEP_MAX,
            turn in any::<u8>(),
            length in 0..=LENGTH_MAX,
            skew in -2048..=2048_i32,
            stretch in 256..=4096_i32,
        ) {
            let metric = Metric { skew, stretch };
            metric.turned((i, j), turn);
            metric.towards(turn, length);
            prop_assert!((0..=LENGTH_MAX).contains(&metric.length((i, j))));
        }
    }
}
