//! Points for tests: evenly spread, the same in every run.

use glam::DVec3;

/// Endless unit vectors from a seed (`SplitMix64`, points of the ball thrown outwards).
pub(crate) fn random_points(seed: u64) -> impl Iterator<Item = DVec3> {
    let mut state = seed;
    let mut next_signed_unit = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    };
    std::iter::from_fn(move || {
        loop {
            let point = DVec3::new(next_signed_unit(), next_signed_unit(), next_signed_unit());
            let squared = point.length_squared();
            if squared > 0.01 && squared < 1.0 {
                return Some(point.normalize());
            }
        }
    })
}
