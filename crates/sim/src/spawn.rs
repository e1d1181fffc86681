//! Where a body begins.
//!
//! Newcomers stand around the arrival place as seeds in a sunflower: turn by the golden angle, grow by the square root.
//! Any number of them is spread evenly, and any two neighbours are a few metres apart.

use glam::DVec3;
use motion::{Body, ClosedLand, Ground, SLOPE_LIMIT_TAN};
use std::f64::consts::TAU;

/// Where someone wants to begin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// Among the newcomers around a place, given by its direction; looking towards `facing`.
    Newcomer {
        /// The middle of the newcomers, a unit vector.
        around: DVec3,
        /// Where to look.
        facing: DVec3,
    },
    /// As near to a place as can be stood dry; where there is no dry ground near, as a newcomer.
    At {
        /// The asked place, a unit vector.
        place: DVec3,
        /// The middle of the newcomers.
        otherwise: DVec3,
    },
    /// Exactly here, whoever stands there: the place of an earlier visit. If it is closed to the body by now, as near to
    /// it as is open, dry and free; where there is nothing like that near, as a newcomer.
    Back {
        /// Direction of the place, a unit vector.
        place: DVec3,
        /// Where to look.
        facing: DVec3,
        /// The middle of the newcomers.
        otherwise: DVec3,
    },
}

/// The golden angle.
const TURN_RAD: f64 = TAU * 0.381_966_011_250_105_2;
/// Neighbouring seeds are about 1.7 times this apart.
const NEWCOMERS_SPACING_M: f64 = 2.0;
/// Seeds tried around a place before looking farther.
const TRIES: u32 = 256;
/// Spacing of the wider search for dry ground: 256 m around.
const WIDE_SPACING_M: f64 = 8.0;
const WIDE_TRIES: u32 = 1_024;
/// Nobody begins farther than this from the place they want, newcomers' place aside: the spacing times the square root of
/// the tries.
pub const ARRIVAL_SEARCH_M: f64 = 256.0;
/// Nobody begins nearer than this to another.
pub(crate) const ELBOW_ROOM_M: f64 = 1.5;
/// Ground lower than this is not dry.
const DRY_M: f64 = 0.3;
/// Over this distance the ground must not fall or rise too steeply to hold.
const FOOTING_M: f64 = 1.0;

/// Finds where somebody begins, outside of all that is closed to it around the places of its arrival, and where it looks.
///
/// `is_free` says whether nobody stands too near to a place, a unit vector. `next_seed` is where the search among newcomers
/// goes on the next time; `people` is how many there are.
pub fn find_place(
    arrival: Arrival,
    closed: &ClosedLand,
    ground: &impl Ground,
    next_seed: &mut u32,
    people: usize,
    is_free: impl Fn(DVec3) -> bool,
) -> (DVec3, DVec3) {
    let is_free = |place| closed.parcel_at(place).is_none() && is_free(place);
    let mut among = |around| {
        let (seed, place) = among_newcomers(around, *next_seed, ground, is_free);
        // Once there are more seeds than people, the first ones are likely free again.
        let turn = 16 + 2 * people as u32;
        *next_seed = if seed >= turn { 0 } else { seed + 1 };
        place
    };
    let mut by = |place, otherwise| near(place, ground, is_free).unwrap_or_else(|| among(otherwise));
    match arrival {
        Arrival::At { place, otherwise } => (by(place, otherwise), DVec3::ZERO),
        Arrival::Back { place, facing, otherwise } => {
            let is_open = closed.parcel_at(place).is_none();
            (if is_open { place } else { by(place, otherwise) }, facing)
        }
        Arrival::Newcomer { around, facing } => (among(around), facing),
    }
}

/// A body at rest in a direction, a unit vector, looking towards `facing`; zero for wherever.
pub fn body_at(place: DVec3, facing: DVec3, ground: &impl Ground) -> Body {
    let mut body = Body::standing_at(place, ground);
    body.face(facing);
    body
}

/// The direction of seed `n` around `center`.
pub(crate) fn seed(center: DVec3, n: u32, spacing_m: f64, radius_m: f64) -> DVec3 {
    let away_m = spacing_m * f64::from(n).sqrt();
    let angle_rad = TURN_RAD * f64::from(n);
    // Any two axes along the ground will do; these are smooth near the center, poles included.
    let (ahead, _) = cell::ij_axes(cell::CellId::from_point(center).face(), center);
    let aside = center.cross(ahead);
    let offset = (ahead * libm::cos(angle_rad) + aside * libm::sin(angle_rad)) * (away_m / radius_m);
    (center + offset).normalize()
}

/// A good place around `around` among newcomers, the first tried being `first`; gives the seed's number too.
pub(crate) fn among_newcomers(
    around: DVec3,
    first: u32,
    ground: &impl Ground,
    is_free: impl Fn(DVec3) -> bool,
) -> (u32, DVec3) {
    let seeds = (first..first + TRIES).chain(0..first);
    seeds
        .map(|n| (n, seed(around, n, NEWCOMERS_SPACING_M, ground.radius_m())))
        .find(|(_, place)| is_dry_and_even(*place, ground) && is_free(*place))
        .unwrap_or((first, around))
}

/// The nearest good place to `place`, none within some hundred metres.
pub(crate) fn near(place: DVec3, ground: &impl Ground, is_free: impl Fn(DVec3) -> bool) -> Option<DVec3> {
    let close = (0..TRIES).map(|n| seed(place, n, NEWCOMERS_SPACING_M, ground.radius_m()));
    let wide = (0..WIDE_TRIES).map(|n| seed(place, n, WIDE_SPACING_M, ground.radius_m()));
    close.chain(wide).find(|place| is_dry_and_even(*place, ground) && is_free(*place))
}

fn is_dry_and_even(place: DVec3, ground: &impl Ground) -> bool {
    let here = ground.surface(place);
    here.water_m.is_none()
        && here.elevation_m >= DRY_M
        && (1..=3).all(|n| {
            let beside = ground.surface(seed(place, n, FOOTING_M / f64::from(n).sqrt(), ground.radius_m()));
            beside.water_m.is_none()
                && (beside.elevation_m - here.elevation_m).abs() < SLOPE_LIMIT_TAN * FOOTING_M
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_few_metres_apart_and_evenly_spread_at_any_place() {
        let radius_m = 796_375.0;
        for center in
            [DVec3::X, DVec3::Z, -DVec3::Z, DVec3::ONE.normalize(), DVec3::new(0.3, -0.8, 0.2).normalize()]
        {
            let seeds: Vec<_> =
                (0..400).map(|n| seed(center, n, NEWCOMERS_SPACING_M, radius_m) * radius_m).collect();
            for (n, place) in seeds.iter().enumerate() {
                let nearest_m = seeds
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != n)
                    .map(|(_, other)| other.distance(*place))
                    .fold(f64::INFINITY, f64::min);
                assert!((ELBOW_ROOM_M..5.0).contains(&nearest_m), "seed {n}: {nearest_m} m");
                assert!(place.distance(center * radius_m) < 41.0);
            }
        }
    }
}
