//! Who can see whom over the ground.

use crate::Ground;
use glam::DVec3;

/// How high a standing body's eyes are above its feet.
pub const EYE_HEIGHT_M: f64 = 1.7;
/// Nobody is asked about more than this: [`can_see`] says no.
pub const SIGHT_M_MAX: f64 = 500.0;

/// The line is looked at this often at the least, and in pieces of [`PIECE_M`] where that is more often.
const LOOKS_MIN: f64 = 6.0;
const PIECE_M: f64 = 24.0;

/// Whether the ground leaves a line free between two points, such as eyes, in metres from the planet's centre. Farther
/// than [`SIGHT_M_MAX`], and where a number is not finite, it does not.
///
/// A march in equal pieces: what is narrower than a piece may be missed, a hill is not. The same bits everywhere, and the
/// same answer from both ends.
pub fn can_see(one_m: DVec3, other_m: DVec3, ground: &impl Ground) -> bool {
    // One order of the ends, so that both are told the same.
    let (from_m, to_m) =
        if one_m.to_array() <= other_m.to_array() { (one_m, other_m) } else { (other_m, one_m) };
    let way_m = to_m - from_m;
    let distance_m = way_m.length();
    // Written so that what is not finite is no either.
    if !(distance_m <= SIGHT_M_MAX && from_m.is_finite()) {
        return false;
    }
    let pieces = (distance_m / PIECE_M).ceil().max(LOOKS_MIN + 1.0);
    let piece_m = way_m / pieces;
    // From the middle outwards would find hills sooner, from the ends walls: the order only costs.
    (1..pieces as u32).all(|piece| {
        let point_m = from_m + piece_m * f64::from(piece);
        let height_m = point_m.length();
        height_m - ground.radius_m() >= ground.surface(point_m / height_m).elevation_m
    })
}
