//! Chance from a seed.

use glam::DVec3;

/// `SplitMix64` (Steele, Lea, Flood 2014), a stream of its own for each purpose.
pub(crate) struct Random {
    state: u64,
}

impl Random {
    /// Streams of different salts have nothing to do with each other.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self { state: mix(seed ^ mix(salt.wrapping_add(0x9e37_79b9_7f4a_7c15))) }
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }

    /// 0 ≤ x < 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A unit vector, all directions alike.
    pub(crate) fn direction(&mut self) -> DVec3 {
        loop {
            let point = DVec3::new(self.share(), self.share(), self.share()) * 2.0 - DVec3::ONE;
            let squared = point.length_squared();
            if (1e-4..=1.0).contains(&squared) {
                return point / squared.sqrt();
            }
        }
    }
}

/// `SplitMix64`'s finaliser: every bit of the input moves every bit of the output.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
