//! The state of a body.

use crate::Ground;
use glam::DVec3;

/// What carries the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Mode {
    /// Feet on the ground.
    #[default]
    Grounded = 0,
    /// Jumping or falling.
    Airborne = 1,
    /// In water deeper than [`SWIM_DRAFT_M`](crate::SWIM_DRAFT_M).
    Swimming = 2,
}

impl Mode {
    /// The mode with this number.
    pub const fn try_from_u8(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::Grounded),
            1 => Some(Self::Airborne),
            2 => Some(Self::Swimming),
            _ => None,
        }
    }
}

/// A body: where its feet are, how they move, where it looks.
///
/// All vectors are in metres (or metres per second) in the planet's axes, the planet's centre at the origin.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// The feet. "Up" is this direction.
    pub position: DVec3,
    /// Metres per second.
    pub velocity: DVec3,
    /// Unit vector along the ground the body is turned to. It follows the movement and never influences it, so
    /// it may be rounded on its way to a client without harming prediction.
    pub facing: DVec3,
    /// What carries the body.
    pub mode: Mode,
}

impl Body {
    /// A body at rest on the ground, or afloat where the water is deep, in the direction `dir` (a unit vector)
    /// from the planet's centre. It faces north, at the poles along the x axis.
    pub fn standing_at(dir: DVec3, ground: &impl Ground) -> Self {
        let surface = ground.surface(dir);
        let mode = if surface.is_deep() { Mode::Swimming } else { Mode::Grounded };
        let position = dir * (ground.radius_m() + surface.rest_m());
        Self { position, velocity: DVec3::ZERO, facing: any_along_ground(dir), mode }
    }

    /// The direction away from the planet's centre, a unit vector.
    pub fn up(&self) -> DVec3 {
        self.position / self.position.length()
    }

    /// Turns the body towards `direction`; one without a part along the ground changes nothing.
    pub fn face(&mut self, direction: DVec3) {
        if let Some(facing) = along_ground(direction, self.up()) {
            self.facing = facing;
        }
    }
}

/// The unit vector along the ground nearest to `direction`; none if that is vertical or not finite.
pub(crate) fn along_ground(direction: DVec3, up: DVec3) -> Option<DVec3> {
    let along = direction - up * direction.dot(up);
    let length = along.length();
    (length.is_finite() && length > 1e-6).then(|| along / length)
}

/// North, and at the poles the x axis.
pub(crate) fn any_along_ground(up: DVec3) -> DVec3 {
    along_ground(DVec3::Z, up)
        .or_else(|| along_ground(DVec3::X, up))
        .expect("two perpendicular axes are not both vertical")
}
