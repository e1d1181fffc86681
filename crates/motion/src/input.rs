//! What a player asks of their body in one step.

use glam::DVec3;

/// The keys held during a step, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Buttons(pub u8);

impl Buttons {
    /// Towards the heading.
    pub const FORWARD: Self = Self(1);
    /// Away from the heading.
    pub const BACK: Self = Self(2);
    /// To the left of the heading.
    pub const LEFT: Self = Self(4);
    /// To the right of the heading.
    pub const RIGHT: Self = Self(8);
    /// Faster on the ground.
    pub const RUN: Self = Self(16);
    /// Off the ground.
    pub const JUMP: Self = Self(32);
    /// Every bit that means something; the others are ignored.
    pub const ALL: Self = Self(63);

    /// Whether every bit of `other` is held.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These and those.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// +1, 0 or -1 for a pair of opposite keys.
    fn axis(self, positive: Self, negative: Self) -> f64 {
        f64::from(u8::from(self.has(positive))) - f64::from(u8::from(self.has(negative)))
    }
}

/// One step's wish: keys and the direction they refer to.
///
/// Any bit pattern is a valid input; what makes no sense (a heading of zero length or straight up) asks for
/// nothing sideways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Input {
    /// Keys held.
    pub buttons: Buttons,
    /// The camera's look direction, a unit vector times 32 767, in the planet's axes. Only its part along the
    /// ground counts, and only its direction.
    pub heading: [i16; 3],
}

impl Input {
    /// Nothing held: the body comes to rest.
    pub const NEUTRAL: Self = Self { buttons: Buttons(0), heading: [0; 3] };

    /// Quantises `look`, which need not have unit length. Not finite or zero becomes the zero heading.
    pub fn new(buttons: Buttons, look: DVec3) -> Self {
        let unit = look.try_normalize().unwrap_or(DVec3::ZERO);
        let heading = unit.to_array().map(|x| (x * 32_767.0).round() as i16);
        Self { buttons, heading }
    }

    /// Where these keys point along the ground at a place whose up is `up`: a unit vector, or none when the
    /// keys cancel out or the heading has no direction along the ground.
    pub(crate) fn wish(self, up: DVec3) -> Option<DVec3> {
        let ahead = self.buttons.axis(Buttons::FORWARD, Buttons::BACK);
        let aside = self.buttons.axis(Buttons::RIGHT, Buttons::LEFT);
        if ahead == 0.0 && aside == 0.0 {
            return None;
        }
        let look = DVec3::from_array(self.heading.map(f64::from)) / 32_767.0;
        let along = look - up * look.dot(up);
        let length_squared = along.length_squared();
        // Within 1 % of straight up or down the quantised rest is noise rather than a direction.
        if length_squared < 1e-4 {
            return None;
        }
        let forward = along / length_squared.sqrt();
        let right = forward.cross(up);
        let wish = forward * ahead + right * aside;
        Some(wish / wish.length())
    }
}
