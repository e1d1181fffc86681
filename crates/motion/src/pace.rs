//! How many steps make a second.

/// Steps per second: 20, 30 or 60. Handed to whatever steps a body, because all who step it must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    hz: u32,
}

impl Pace {
    /// The rates there are.
    pub const RATES_HZ: [u32; 3] = [20, 30, 60];

    /// The pace of this many steps a second; none if it is not among [`RATES_HZ`](Self::RATES_HZ).
    pub const fn try_from_hz(hz: u32) -> Option<Self> {
        match hz {
            20 | 30 | 60 => Some(Self { hz }),
            _ => None,
        }
    }

    /// Steps per second.
    pub const fn hz(self) -> u32 {
        self.hz
    }

    /// Length of one step in seconds.
    pub const fn step_s(self) -> f64 {
        1.0 / self.hz as f64
    }
}

/// 30 a second.
impl Default for Pace {
    fn default() -> Self {
        Self { hz: 30 }
    }
}
