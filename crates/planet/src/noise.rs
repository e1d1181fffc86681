//! Gradient noise in space: the one source of irregularity.
//!
//! Perlin's improved noise (2002) over an integer hash: quintic fade, twelve edge gradients. Only `+ - *`,
//! `floor` and integers.

use glam::DVec3;

/// One field of noise; fields of different salts have nothing to do with each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    key: u64,
}

/// The twelve edges of a cube, four of them twice, so that four bits choose one.
const GRADIENTS: [[f64; 3]; 16] = [
    [1.0, 1.0, 0.0],
    [-1.0, 1.0, 0.0],
    [1.0, -1.0, 0.0],
    [-1.0, -1.0, 0.0],
    [1.0, 0.0, 1.0],
    [-1.0, 0.0, 1.0],
    [1.0, 0.0, -1.0],
    [-1.0, 0.0, -1.0],
    [0.0, 1.0, 1.0],
    [0.0, -1.0, 1.0],
    [0.0, 1.0, -1.0],
    [0.0, -1.0, -1.0],
    [1.0, 1.0, 0.0],
    [-1.0, 1.0, 0.0],
    [0.0, -1.0, 1.0],
    [0.0, -1.0, -1.0],
];

// Odd 64-bit constants of SplitMix64 and of L'Ecuyer's spectral tables.
const PRIME_X: u64 = 0x9e37_79b9_7f4a_7c15;
const PRIME_Y: u64 = 0xd135_5872_36a6_87a5;
const PRIME_Z: u64 = 0xbf58_476d_1ce4_e5b9;
const PRIME_MIX: u64 = 0x94d0_49bb_1331_11eb;

impl Noise {
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        Self { key: mix(mix(seed ^ PRIME_X).wrapping_add(salt)) }
    }

    /// Between about -1 and 1, zero on average, wavelength about 1.
    pub(crate) fn at(self, point: DVec3) -> f64 {
        let base = point.floor();
        let near = point - base;
        let far = near - DVec3::ONE;
        let column = |lattice: f64, prime: u64| {
            let low = (lattice as i64).cast_unsigned().wrapping_mul(prime);
            (low, low.wrapping_add(prime))
        };
        let (x0, x1) = column(base.x, PRIME_X);
        let (y0, y1) = column(base.y, PRIME_Y);
        let (z0, z1) = column(base.z, PRIME_Z);
        let (y0, y1) = (y0 ^ self.key, y1 ^ self.key);
        let corner = |x: u64, y: u64, z: u64, dx: f64, dy: f64, dz: f64| {
            let mut hash = (x ^ y).wrapping_add(z);
            hash = (hash ^ (hash >> 32)).wrapping_mul(PRIME_MIX);
            let [gx, gy, gz] = GRADIENTS[(hash >> 60) as usize];
            gx * dx + gy * dy + gz * dz
        };
        let (u, v, w) = (fade(near.x), fade(near.y), fade(near.z));
        let low = blend(
            blend(corner(x0, y0, z0, near.x, near.y, near.z), corner(x1, y0, z0, far.x, near.y, near.z), u),
            blend(corner(x0, y1, z0, near.x, far.y, near.z), corner(x1, y1, z0, far.x, far.y, near.z), u),
            v,
        );
        let high = blend(
            blend(corner(x0, y0, z1, near.x, near.y, far.z), corner(x1, y0, z1, far.x, near.y, far.z), u),
            blend(corner(x0, y1, z1, near.x, far.y, far.z), corner(x1, y1, z1, far.x, far.y, far.z), u),
            v,
        );
        blend(low, high, w)
    }
}

/// `SplitMix64`'s finaliser: every bit of the input moves every bit of the output.
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(PRIME_Z);
    bits = (bits ^ (bits >> 27)).wrapping_mul(PRIME_MIX);
    bits ^ (bits >> 31)
}

fn fade(t: f64) -> f64 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

fn blend(from: f64, to: f64, amount: f64) -> f64 {
    from + amount * (to - from)
}
