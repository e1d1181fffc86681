//! One octave of gradient noise, for one lane.
//!
//! Perlin's improved noise (2002): a random gradient at every point of the integer lattice, the eight around a place
//! blended by a quintic fade. A gradient is uniform in a cube and read straight from the bits of an integer hash.

/// Where a place is among the lattice points, along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// Number of the interval, modulo 2^32 and up to a constant.
    pub(super) interval: u32,
    /// Position in the interval from its middle, -0.5..=0.5.
    pub(super) past_middle: f32,
}

// Odd constants of good spectra for multiplicative hashing (Steele, Vigna 2021, "Computationally easy, spectrally
// good multipliers"), one per axis and one to mix.
const PRIMES: [u32; 3] = [0x9e37_79b1, 0xf135_7aeb, 0xadb4_a92d];
const MIX: u32 = 0x93d7_65dd;

impl Place {
    /// The place of a coordinate that may be large. Beyond 2^51 waves the noise is flat.
    ///
    /// Adding 1.5 · 2^52 rounds to a whole number and leaves it in the low bits: one addition at every instruction
    /// set, where plain x86-64 calls a function for `floor`. On a lattice point either interval may be taken; the
    /// noise is the same there.
    #[inline(always)]
    pub(super) fn of(waves: f64) -> Self {
        const ROUNDER: f64 = 6_755_399_441_055_744.0;
        let rounded = waves + ROUNDER;
        Self { interval: rounded.to_bits() as u32, past_middle: (waves - (rounded - ROUNDER)) as f32 }
    }

    /// The place in a lattice twice as fine, moved by `shift` of its intervals.
    #[inline(always)]
    pub(super) fn doubled(self, shift: f32) -> Self {
        const ROUNDER: f32 = 12_582_912.0;
        let waves = self.past_middle + self.past_middle + shift;
        let rounded = waves + ROUNDER;
        Self {
            interval: self.interval.wrapping_add(self.interval).wrapping_add(rounded.to_bits()),
            past_middle: waves - (rounded - ROUNDER),
        }
    }
}

/// Noise at a place: zero on average, smooth to the second derivative, within about ±2^31. Multiply by [`UNIT`].
#[inline(always)]
pub(super) fn gradient_noise(key: u32, [x, y, z]: [Place; 3]) -> f32 {
    let x0 = x.interval.wrapping_mul(PRIMES[0]);
    let y0 = y.interval.wrapping_mul(PRIMES[1]);
    let z0 = z.interval.wrapping_mul(PRIMES[2]);
    let (x1, y1, z1) = (x0.wrapping_add(PRIMES[0]), y0.wrapping_add(PRIMES[1]), z0.wrapping_add(PRIMES[2]));
    let (z0, z1) = (z0 ^ key, z1 ^ key);
    let (from_x0, from_y0, from_z0) = (x.past_middle + 0.5, y.past_middle + 0.5, z.past_middle + 0.5);
    let (from_x1, from_y1, from_z1) = (x.past_middle - 0.5, y.past_middle - 0.5, z.past_middle - 0.5);

    let (u, v, w) = (fade(x.past_middle), fade(y.past_middle), fade(z.past_middle));
    let edge = |y: u32, z: u32, from_y: f32, from_z: f32| {
        let row = y ^ z;
        blend(slope(x0 ^ row, from_x0, from_y, from_z), slope(x1 ^ row, from_x1, from_y, from_z), u)
    };
    let low = blend(edge(y0, z0, from_y0, from_z0), edge(y1, z0, from_y1, from_z0), v);
    let high = blend(edge(y0, z1, from_y0, from_z1), edge(y1, z1, from_y1, from_z1), v);
    blend(low, high, w)
}

/// Brings [`gradient_noise`] to a standard deviation of about a quarter, within ±1 nearly everywhere.
pub(super) const UNIT: f32 = 1.4 / 2_147_483_648.0;

/// The gradient of a lattice point times the way from it.
///
/// The hash is a square with its root beside it: one multiplication whose high bits have nothing to do with those of
/// a neighbour, in whatever plane of the lattice. The three components are the hash itself and shifted by 7 and
/// 14 bits: each begins where the hash is well mixed, and two share no more than a 128th.
#[inline(always)]
fn slope(point: u32, x: f32, y: f32, z: f32) -> f32 {
    let hash = point.wrapping_mul(point.wrapping_add(MIX));
    // Signed, because every instruction set has that conversion.
    (hash as i32) as f32 * x + ((hash << 7) as i32) as f32 * y + ((hash << 14) as i32) as f32 * z
}

/// Perlin's 6t⁵ − 15t⁴ + 10t³ with t = 0.5 + s.
#[inline(always)]
fn fade(s: f32) -> f32 {
    let square = s * s;
    0.5 + s * (1.875 + square * (6.0 * square - 5.0))
}

#[inline(always)]
fn blend(from: f32, to: f32, amount: f32) -> f32 {
    from + amount * (to - from)
}
