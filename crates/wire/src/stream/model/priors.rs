//! The chances that every block begins with.

use super::{Beginnings, Model, OneOfFour, Signed, Size};
use crate::range::Chance;

const fn falling() -> Size {
    Size::of([32_768; 12])
}

const BEGINNINGS: Beginnings = Beginnings {
    gap: falling(),
    stance: OneOfFour::of([2_000, 4_000, 32_768]),
    moves: Chance::of(45_000),
    speed: Signed::of(20_000, [32_768; 12]),
    step: [Signed::of(20_000, [32_768; 12]); 2],
    activity: OneOfFour::of([20_000, 30_000, 600]),
};

/// Found by counting what a crowd of walkers does.
pub(in super::super) const PRIORS: Model = Model {
    counts: [falling(); 3],
    removed_gap: falling(),
    has_left: Chance::of(4_000),
    beginnings: [BEGINNINGS; 2],
    as_predicted: [
        Chance::of(62_000),
        Chance::of(50_000),
        Chance::of(40_000),
        Chance::of(50_000),
        Chance::of(40_000),
        Chance::of(20_000),
    ],
    has_turned: [Chance::of(20_000); 6],
    turn: [Signed::of(600, [50_000; 12]); 3],
    new_stance: [Chance::of(1_000), Chance::of(8_000), Chance::of(1_000), Chance::of(8_000)],
    stance: OneOfFour::of([20_000; 3]),
    step_i: [
        Signed::of(20_000, [20_000; 12]),
        Signed::of(20_000, [20_000; 12]),
        Signed::of(10_000, [40_000; 12]),
    ],
    step_j: [Signed::of(20_000, [20_000; 12]); 6],
    height: Signed::of(2_000, [45_000; 12]),
};
