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

/// The seed that is tried instead of a planet's own when the planets of the attempts before were not good enough to live
/// on ([`crate::stats::accepts`]). Attempt 0 is the seed itself. The attempt that was taken is part of what a planet is,
/// and is shown wherever its seed is.
pub fn sub_seed(seed: u64, attempt: u32) -> u64 {
    if attempt == 0 { seed } else { mix(seed ^ mix(u64::from(attempt) << 32)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_other_seeds_and_the_first_is_the_seed() {
        let mut seeds: Vec<u64> = (0..100).flat_map(|seed| (0..10).map(move |n| sub_seed(seed, n))).collect();
        assert_eq!(seeds[10], 1);
        seeds.sort_unstable();
        seeds.dedup();
        assert_eq!(seeds.len(), 1_000);
    }
}
