//! Chance for cells: the same for a cell whoever asks, for it depends on the cell's own numbers.

use cell::FaceIj;

/// What the chance is for.
#[derive(Clone, Copy)]
pub(crate) enum Salt {
    Node = 1,
    Height = 2,
    Course = 3,
}

pub(crate) fn of_cell(seed: u64, salt: Salt, level: u8, FaceIj { face, i, j }: FaceIj) -> u64 {
    let key = mix(seed ^ ((salt as u64) << 56) ^ (u64::from(level) << 48) ^ (u64::from(face) << 40));
    mix(mix(key ^ u64::from(i)) ^ u64::from(j))
}

/// One of a cell's further numbers.
pub(crate) fn further(bits: u64, index: u64) -> u64 {
    mix(bits ^ index)
}

/// The upper 32 bits as a number 0..1.
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 32) as f64 / 4_294_967_296.0
}

/// `SplitMix64` (Steele, Lea, Flood 2014).
fn mix(bits: u64) -> u64 {
    let bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
