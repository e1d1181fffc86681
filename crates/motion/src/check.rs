//! Whether a move can have happened.
//!
//! The zone makes every move itself, by [`step`](crate::step()), so an honest zone never fails here. What is checked is
//! what came from elsewhere or may have gone wrong: a body handed over or restored, a step taken on ground that was
//! not the same. The rules are envelopes, a little wider than the steps: no honest move is refused.
//!
//! One sample of the ground serves nearly every move; four more are taken where a body climbed steeply.

use crate::body::{along_ground, any_along_ground};
use crate::{
    Body, FALL_MAX_M_S, GRAVITY_M_S2, Ground, JUMP_M_S, Mode, Pace, REACH_M, RUN_M_S, SLOPE_LIMIT_TAN,
    STEP_HEIGHT_M, SWIM_M_S,
};
use glam::DVec3;

/// What an envelope of speed allows beyond speed times time.
pub const MOVE_SLACK_M: f64 = 0.5;
/// Feet on the ground are no farther from it.
const FOOTING_TOLERANCE_M: f64 = 0.01;
/// A speed may be off by so much.
const SPEED_TOLERANCE_M_S: f64 = 0.01;
/// Who swam at both ends of so short a move swam all of it: nobody gets out, gains speed and gets in again.
const SWUM_S_MAX: f64 = 0.2;
/// A rise steeper than this is looked at closely: 31°, tangent.
const STEEP_TAN: f64 = 0.6;
/// Ground that is measured with differences over two reaches is refused only if clearly above the limit.
const TOO_STEEP_TAN: f64 = 1.25 * SLOPE_LIMIT_TAN;

/// Why a move cannot have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BadMove {
    /// A number of the body is not finite.
    NotFinite,
    /// Farther than anyone runs in that time: a teleport that nobody granted.
    TooFar,
    /// Farther than anyone swims in that time.
    TooFarSwimming,
    /// Higher than anyone climbs, jumps or is lifted in that time.
    TooHigh,
    /// Deeper than anyone falls in that time.
    TooDeep,
    /// Faster up than a jump, faster down than a fall, or a flight that is no fall.
    NotBallistic,
    /// Under the ground, above it without flying, or swimming where it is dry.
    NoFooting,
    /// Up a slope that nobody climbs.
    TooSteep,
    /// Into land that is closed to the body.
    Closed,
}

/// Checks that a body can have come from `before` to `after` in `steps` steps, not more than a second's.
pub fn check_move(
    before: &Body,
    after: &Body,
    steps: u32,
    ground: &impl Ground,
    pace: Pace,
) -> Result<(), BadMove> {
    let time_s = f64::from(steps) * pace.step_s();
    let way_m = after.position - before.position;
    let (low_m, high_m) = (before.position.length(), after.position.length());
    let rise_m = high_m - low_m;
    // What is not finite ends here: no comparison with it holds.
    let along_squared = way_m.length_squared() - rise_m * rise_m;
    if !(along_squared.is_finite() && after.velocity.is_finite() && after.facing.is_finite()) {
        return Err(BadMove::NotFinite);
    }
    let reach_m = RUN_M_S * time_s + MOVE_SLACK_M;
    if along_squared > reach_m * reach_m {
        return Err(BadMove::TooFar);
    }
    let swam = before.mode == Mode::Swimming && after.mode == Mode::Swimming && time_s <= SWUM_S_MAX;
    // Who ran into the water is slowed down by it in time.
    let swum_m = before.velocity.length().clamp(SWIM_M_S, RUN_M_S) * time_s + MOVE_SLACK_M;
    if swam && along_squared > swum_m * swum_m {
        return Err(BadMove::TooFarSwimming);
    }
    let up = after.position / high_m;
    let climb_m_s = after.velocity.dot(up);
    check_height(before, after, steps, time_s, rise_m, climb_m_s, pace)?;
    let surface = ground.surface(up);
    let height_m = high_m - ground.radius_m();
    let above_m = height_m - surface.elevation_m;
    let has_footing = match after.mode {
        Mode::Grounded => above_m.abs() <= FOOTING_TOLERANCE_M,
        Mode::Airborne => above_m >= -FOOTING_TOLERANCE_M,
        Mode::Swimming => above_m >= -FOOTING_TOLERANCE_M && surface.is_deep(),
    };
    if !has_footing {
        return Err(BadMove::NoFooting);
    }
    let walked = before.mode == Mode::Grounded && after.mode == Mode::Grounded;
    if walked && rise_m > 0.0 {
        let along_m = along_squared.max(0.0).sqrt();
        if rise_m > along_m * SLOPE_LIMIT_TAN + STEP_HEIGHT_M {
            return Err(BadMove::TooSteep);
        }
        if rise_m > along_m * STEEP_TAN && climbs_what_nobody_climbs(after, up, height_m, ground) {
            return Err(BadMove::TooSteep);
        }
    }
    if ground.closed_land().is_some_and(|closed| closed.bars(before.position, after.position)) {
        return Err(BadMove::Closed);
    }
    Ok(())
}

fn check_height(
    before: &Body,
    after: &Body,
    steps: u32,
    time_s: f64,
    rise_m: f64,
    climb_m_s: f64,
    pace: Pace,
) -> Result<(), BadMove> {
    let lifts = f64::from(steps) * STEP_HEIGHT_M;
    if rise_m > lifts.max(JUMP_M_S * time_s + STEP_HEIGHT_M) {
        return Err(BadMove::TooHigh);
    }
    if -rise_m > lifts.max(FALL_MAX_M_S * time_s) + FOOTING_TOLERANCE_M {
        return Err(BadMove::TooDeep);
    }
    if !(-FALL_MAX_M_S - SPEED_TOLERANCE_M_S..=JUMP_M_S + SPEED_TOLERANCE_M_S).contains(&climb_m_s) {
        return Err(BadMove::NotBallistic);
    }
    if steps == 1 && before.mode == Mode::Airborne && after.mode == Mode::Airborne {
        let climbed_m_s = before.velocity.dot(before.position) / before.position.length();
        let falls_at = (climbed_m_s - GRAVITY_M_S2 * pace.step_s()).max(-FALL_MAX_M_S);
        if (climb_m_s - falls_at).abs() > SPEED_TOLERANCE_M_S {
            return Err(BadMove::NotBallistic);
        }
    }
    Ok(())
}

/// Whether the feet go uphill where the ground is too steep on both sides of them, by central differences.
fn climbs_what_nobody_climbs(body: &Body, up: DVec3, height_m: f64, ground: &impl Ground) -> bool {
    let ahead = along_ground(body.velocity, up).unwrap_or_else(|| any_along_ground(up));
    let aside = up.cross(ahead);
    let elevation_at = |offset_m: DVec3| {
        let point = up * (ground.radius_m() + height_m) + offset_m;
        ground.surface(point / point.length()).elevation_m
    };
    let tan_along = |direction: DVec3| {
        let (upper_m, lower_m) = (elevation_at(direction * REACH_M), elevation_at(direction * -REACH_M));
        // A ledge holds on one side: only what rises before and falls behind is a slope.
        let is_slope = upper_m - height_m > STEP_HEIGHT_M && height_m - lower_m > STEP_HEIGHT_M;
        (is_slope, (upper_m - lower_m) / (2.0 * REACH_M))
    };
    let (is_slope, tan_ahead) = tan_along(ahead);
    let (_, tan_aside) = tan_along(aside);
    let goes_up = body.velocity.dot(ahead) > MOVE_SLACK_M;
    is_slope
        && goes_up
        && tan_ahead > 0.0
        && (tan_ahead * tan_ahead + tan_aside * tan_aside).sqrt() > TOO_STEEP_TAN
}
