//! How a body moves on a heightfield with water on it: walk, run, swim, jump, fall, slide.
//!
//! One fixed step of a [`Pace`] turns a [`Body`] and an [`Input`] into the next `Body`. Server and
//! browser run this same function, so a client that replays its inputs arrives at the server's bits: only
//! `+ - * /` and `sqrt` are used, and nothing is read but the arguments.
//!
//! The crate refuses to know what the ground is made of (see [`Ground`]), why land is closed to a body (see
//! [`ClosedLand`]), who steers, and what time it is.
//! Directions are vectors in space, never angles against north, so a pole is a place like any other.
//!
//! Read first: [`step()`], [`Body`], [`Input`].

mod body;
mod check;
mod closed;
mod input;
mod pace;
mod predictor;
mod rules;
mod sight;
mod step;
mod surface;

pub use body::{Body, Mode};
pub use check::{BadMove, MOVE_SLACK_M, check_move};
pub use closed::{ClosedLand, Fenced};
pub use input::{Buttons, Input};
pub use pace::Pace;
pub use predictor::Predictor;
pub use rules::*;
pub use sight::{EYE_HEIGHT_M, SIGHT_M_MAX, can_see};
pub use step::step;
pub use surface::Surface;

use glam::DVec3;

/// What bodies stand on and swim in, as a function of the direction from the planet's centre.
pub trait Ground {
    /// Ground and water in the direction `dir`, a unit vector.
    ///
    /// Must be finite and a pure function of `dir`.
    fn surface(&self, dir: DVec3) -> Surface;

    /// Distance of sea level from the planet's centre.
    fn radius_m(&self) -> f64;

    /// Where the body may not go; none if it may go everywhere. See [`Fenced`].
    fn closed_land(&self) -> Option<&ClosedLand> {
        None
    }
}

impl<G: Ground + ?Sized> Ground for &G {
    fn surface(&self, dir: DVec3) -> Surface {
        (**self).surface(dir)
    }

    fn radius_m(&self) -> f64 {
        (**self).radius_m()
    }

    fn closed_land(&self) -> Option<&ClosedLand> {
        (**self).closed_land()
    }
}
