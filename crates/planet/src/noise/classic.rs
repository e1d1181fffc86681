//! Gradient noise in space: the one source of irregularity.
//!
//! Perlin's improved noise (2002) over an integer hash: quintic fade, twelve edge gradients. Only `+ - *` and
//! integers. Coordinates may be up to some 10^9.

use glam::DVec3;

/// One field of noise; fields of different salts have nothing to do with each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Noise {
    key: u64,
    /// Moves the lattice, where the noise is zero, to another place in every field.
    offset: DVec3,
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

// Odd 64-bit constants: SplitMix64's (Steele, Lea, Flood 2014) and a spectral one (Steele, Vigna 2021).
const PRIME_X: u64 = 0x9e37_79b9_7f4a_7c15;
const PRIME_Y: u64 = 0xd134_2543_de82_ef95;
const PRIME_Z: u64 = 0xbf58_476d_1ce4_e5b9;
const PRIME_MIX: u64 = 0x94d0_49bb_1331_11eb;

impl Noise {
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        let key = mix(mix(seed ^ PRIME_X).wrapping_add(salt));
        let coordinate = |axis: u64| (mix(key ^ axis) >> 44) as f64 / 4096.0;
        Self { key, offset: DVec3::new(coordinate(1), coordinate(2), coordinate(3)) }
    }

    /// Between about -1 and 1, zero on average, wavelength about 1, twice smoothly differentiable.
    #[inline]
    pub(crate) fn at(self, point: DVec3) -> f64 {
        let point = point + self.offset;
        let ([x0, x1], near_x) = lattice(point.x, PRIME_X);
        let ([y0, y1], near_y) = lattice(point.y, PRIME_Y);
        let ([z0, z1], near_z) = lattice(point.z, PRIME_Z);
        let near = DVec3::new(near_x, near_y, near_z);
        let far = near - DVec3::ONE;
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

/// The hashes of the lattice planes on both sides of a coordinate, and how far it is past the first: 0..=1.
///
/// Adding 1.5 · 2^52 rounds to a whole number and leaves it in the low bits, several times faster than `floor`, which
/// plain x86-64 calls a function for. Exactly on a plane either neighbouring interval may be taken; the noise is the
/// same there.
fn lattice(coordinate: f64, prime: u64) -> ([u64; 2], f64) {
    const ROUNDER: f64 = 6_755_399_441_055_744.0;
    let rounded = coordinate - 0.5 + ROUNDER;
    let low = rounded.to_bits().wrapping_mul(prime);
    ([low, low.wrapping_add(prime)], coordinate - (rounded - ROUNDER))
}

/// `SplitMix64`'s finaliser: every bit of the input moves every bit of the output.
fn mix(mut bits: u64) -> u64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(noise: Noise) -> impl Iterator<Item = f64> {
        (0..200_000).map(move |step| noise.at(DVec3::new(0.017, 0.011, -0.013) * f64::from(step)))
    }

    #[test]
    fn noise_is_bounded_centred_and_lively() {
        for seed in 0..4 {
            let (mut sum, mut squares, mut peak) = (0.0, 0.0, 0.0_f64);
            for value in line(Noise::new(seed, 1)) {
                sum += value;
                squares += value * value;
                peak = peak.max(value.abs());
            }
            let (mean, deviation) = (sum / 200_000.0, (squares / 200_000.0).sqrt());
            assert!(mean.abs() < 0.02, "mean {mean}");
            assert!((0.2..0.35).contains(&deviation), "deviation {deviation}");
            assert!((0.7..1.05).contains(&peak), "peak {peak}");
        }
    }

    #[test]
    fn fields_of_different_salts_and_seeds_are_unrelated() {
        let base = Noise::new(1, 1);
        for other in [Noise::new(1, 2), Noise::new(2, 1)] {
            let product: f64 = line(base).zip(line(other)).map(|(a, b)| a * b).sum();
            assert!((product / 200_000.0).abs() < 0.01);
        }
    }

    #[test]
    fn noise_is_smooth_over_lattice_planes() {
        let noise = Noise::new(5, 9);
        for step in 0..4_000 {
            // The offset is a multiple of 1/4096, so these points fall on planes of the lattice.
            let on_plane = DVec3::new(f64::from(step) - noise.offset.x, 0.37 * f64::from(step), 1.1);
            let (before, after) =
                (noise.at(on_plane - DVec3::X * 1e-6), noise.at(on_plane + DVec3::X * 1e-6));
            assert!((after - before).abs() < 5e-6);
            let slope_before = (noise.at(on_plane) - before) / 1e-6;
            let slope_after = (after - noise.at(on_plane)) / 1e-6;
            assert!((slope_after - slope_before).abs() < 1e-3);
        }
    }
}
