//! Octaves of noise, each twice as fine as the one before, added up.

use glam::DVec3;

use super::instruction_set::{InstructionSet, Task};
use super::lattice::{Place, UNIT, gradient_noise};
use super::positions::Positions;

/// Most octaves a ladder can have.
pub const OCTAVES_MAX: usize = 32;

/// Octaves between two places in the lattice that are found afresh in `f64`. In between, positions keep 24 bits of the
/// first of these octaves, so the last has 17: a place is off by less than 1/100 000 of its wave.
const AFRESH: usize = 8;

/// Lanes that climb the octaves together: a vector of the widest set.
const LANES: usize = 16;

/// Lanes whose first places are found together: so many that a vector of them has reached the cache, as two halves,
/// before it is read, few enough to stay in its first level.
const BLOCK: usize = 8 * LANES;

/// A ladder of octaves: fractional Brownian motion, or ridges.
///
/// Octave `k` has the frequency `frequency · 2^k` and the amplitude `gain^k`. Every octave has its own lattice, moved
/// to another place, so that the points where noise is zero do not line up. Fields of different seeds or salts have
/// nothing to do with each other.
#[derive(Clone, Debug)]
pub struct Fbm {
    octaves: Vec<Octave>,
}

#[derive(Clone, Copy, Debug)]
struct Octave {
    key: u32,
    /// Waves per unit of position.
    frequency: f64,
    amplitude: f32,
    /// Where its lattice begins, for places found afresh.
    origin: [f64; 3],
    /// How far its lattice is moved against that of the octave before, in its intervals.
    shift: [f32; 3],
}

/// How round the crests of ridges are. A crest that is a crease would cut through any grid.
#[derive(Clone, Copy, Debug)]
pub struct Crest {
    /// Half the width of the rounded edge as a share of the wave: large crests are broad.
    pub share: f32,
    /// The same as a length, in units of positions.
    pub width: f64,
}

impl Fbm {
    /// The first octave has `frequency` waves per unit of position and amplitude 1.
    ///
    /// Positions times the frequency of an octave may be up to 2^31; beyond, noise repeats.
    ///
    /// # Panics
    /// If there are more than [`OCTAVES_MAX`] octaves.
    pub fn new(seed: u64, salt: u64, frequency: f64, gain: f32, octaves: usize) -> Self {
        assert!(octaves <= OCTAVES_MAX, "a ladder has at most {OCTAVES_MAX} octaves");
        let field = mix(mix(seed).wrapping_add(salt));
        let ladder = (0..octaves as u64).scan((frequency, 1.0), |(frequency, amplitude), number| {
            let octave = Octave::new(mix(field.wrapping_add(number)), *frequency, *amplitude);
            *frequency *= 2.0;
            *amplitude *= gain;
            Some(octave)
        });
        Self { octaves: ladder.collect() }
    }

    /// Where the lattice of the first octave begins, in its intervals.
    #[cfg(test)]
    pub(super) fn lattice_origin(&self) -> DVec3 {
        DVec3::from_array(self.octaves[0].origin)
    }

    /// How many octaves there are.
    pub fn octaves(&self) -> usize {
        self.octaves.len()
    }

    /// How many octaves have waves at least so long, in units of positions: those that a grid of half the spacing
    /// can show.
    pub fn octaves_longer_than(&self, wavelength: f64) -> usize {
        self.octaves.iter().take_while(|octave| octave.frequency * wavelength <= 1.0).count()
    }

    /// The sum of the first octaves at every position: about -1..=1 times the sum of their amplitudes, zero on
    /// average; an octave of amplitude 1 has a standard deviation of about a quarter.
    ///
    /// # Panics
    /// If `sums` has not one place per position, or there are not so many octaves.
    pub fn sum(&self, positions: &Positions, octaves: usize, sums: &mut [f32]) {
        self.sum_with(InstructionSet::current(), positions, octaves, sums);
    }

    /// [`sum`](Self::sum) by a certain instruction set.
    pub fn sum_with(&self, set: InstructionSet, positions: &Positions, octaves: usize, sums: &mut [f32]) {
        rows(set, &self.octaves[..octaves], positions, sums, Smooth);
    }

    /// Ridges at every position, 0 to about 1 for a gain of a half: crests that carry finer ridges, broad smooth
    /// valleys between them (Musgrave's ridged multifractal, "Texturing and Modeling", chapter 16).
    ///
    /// # Panics
    /// If `ridges` has not one place per position, or there are not so many octaves.
    pub fn ridges(&self, positions: &Positions, octaves: usize, crest: Crest, ridges: &mut [f32]) {
        self.ridges_with(InstructionSet::current(), positions, octaves, crest, ridges);
    }

    /// [`ridges`](Self::ridges) by a certain instruction set.
    pub fn ridges_with(
        &self,
        set: InstructionSet,
        positions: &Positions,
        octaves: usize,
        crest: Crest,
        ridges: &mut [f32],
    ) {
        rows(set, &self.octaves[..octaves], positions, ridges, Ridged { crest });
    }

    /// [`sum`](Self::sum) at one place, the same bits.
    pub fn sum_at(&self, position: DVec3, octaves: usize) -> f32 {
        one(&self.octaves[..octaves], position, Smooth)
    }

    /// [`ridges`](Self::ridges) at one place, the same bits.
    pub fn ridges_at(&self, position: DVec3, octaves: usize, crest: Crest) -> f32 {
        one(&self.octaves[..octaves], position, Ridged { crest })
    }
}

impl Octave {
    fn new(chance: u64, frequency: f64, amplitude: f32) -> Self {
        // Multiples of 1/4096, so that adding them loses nothing of a position.
        let fraction = |axis: u64| (mix(chance ^ axis) >> 52) as f64 / 4096.0;
        let shift = [1, 2, 3].map(|axis| fraction(axis) as f32);
        let origin = [4, 5, 6].map(|axis| fraction(axis) * 256.0);
        Self { key: chance as u32, frequency, amplitude, origin, shift }
    }

    #[inline(always)]
    fn place(&self, axis: usize, coordinate: f64) -> Place {
        Place::of(coordinate * self.frequency + self.origin[axis])
    }
}

/// `SplitMix64`'s finaliser (Steele, Lea, Flood 2014): every bit of the input moves every bit of the output.
fn mix(mut bits: u64) -> u64 {
    bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// How the noise of an octave goes into a sum.
trait Shape: Copy {
    /// An octave that is ready to be added.
    type Octave: Copy;

    fn prepare(self, octave: &Octave) -> Self::Octave;

    /// What is passed from octave to octave beside the sum.
    const CARRY: f32;

    /// Sum and carry after an octave.
    fn add(octave: Self::Octave, noise: f32, sum: f32, carry: f32) -> (f32, f32);
}

#[derive(Clone, Copy)]
struct Smooth;

impl Shape for Smooth {
    type Octave = f32;

    const CARRY: f32 = 0.0;

    fn prepare(self, octave: &Octave) -> f32 {
        octave.amplitude * UNIT
    }

    #[inline(always)]
    fn add(amplitude: f32, noise: f32, sum: f32, carry: f32) -> (f32, f32) {
        (sum + amplitude * noise, carry)
    }
}

#[derive(Clone, Copy)]
struct Ridged {
    crest: Crest,
}

#[derive(Clone, Copy)]
struct RidgedOctave {
    amplitude: f32,
    roundness: f32,
}

impl Shape for Ridged {
    type Octave = RidgedOctave;

    /// How much of the next octave shows: more on crests than in valleys.
    const CARRY: f32 = 1.0;

    fn prepare(self, octave: &Octave) -> RidgedOctave {
        let roundness = self.crest.share + (self.crest.width * octave.frequency) as f32;
        RidgedOctave { amplitude: octave.amplitude, roundness: roundness * roundness }
    }

    #[inline(always)]
    fn add(octave: RidgedOctave, noise: f32, sum: f32, carry: f32) -> (f32, f32) {
        let value = noise * (1.6 * UNIT);
        let height = 1.0 - (value * value + octave.roundness).sqrt();
        let height = if height > 0.0 { height } else { 0.0 };
        let ridge = height * height * carry;
        let carry = 1.8 * ridge;
        (sum + octave.amplitude * ridge, if carry < 1.0 { carry } else { 1.0 })
    }
}

/// Many places, in the way that suits the instruction set.
fn rows<S: Shape>(set: InstructionSet, octaves: &[Octave], positions: &Positions, out: &mut [f32], shape: S) {
    match set {
        // Only here one register holds as many lanes as climb together, and there are registers enough.
        InstructionSet::Avx512 => set.run(Rows::<S, true> { octaves, positions, out, shape }),
        InstructionSet::Baseline | InstructionSet::Avx2 => {
            set.run(Rows::<S, false> { octaves, positions, out, shape });
        }
    }
}

/// Many places, block by block; the lanes of a vector through all octaves `IN_REGISTERS`, or all lanes of a whole
/// block through one octave after the other.
struct Rows<'a, S, const IN_REGISTERS: bool> {
    octaves: &'a [Octave],
    positions: &'a Positions,
    out: &'a mut [f32],
    shape: S,
}

impl<S: Shape, const IN_REGISTERS: bool> Task for Rows<'_, S, IN_REGISTERS> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Positions { x, y, z } = self.positions;
        assert_eq!(x.len(), self.out.len(), "there is a place for every value");
        let mut block = Block {
            intervals: [[0; BLOCK]; 3],
            past_middles: [[0.0; BLOCK]; 3],
            sums: [0.0; BLOCK],
            carries: [0.0; BLOCK],
        };
        let blocks = x.chunks(BLOCK).zip(y.chunks(BLOCK)).zip(z.chunks(BLOCK));
        for (((x, y), z), out) in blocks.zip(self.out.chunks_mut(BLOCK)) {
            block.sums = [0.0; BLOCK];
            block.carries = [S::CARRY; BLOCK];
            for stretch in self.octaves.chunks(AFRESH) {
                for (axis, coordinates) in [x, y, z].into_iter().enumerate() {
                    // A constant length spares a whole block the loop for what is left over.
                    match coordinates.as_array::<BLOCK>() {
                        Some(whole) => block.begin(&stretch[0], axis, whole),
                        None => block.begin(&stretch[0], axis, coordinates),
                    }
                }
                if IN_REGISTERS || out.len() < BLOCK {
                    for first in (0..out.len()).step_by(LANES) {
                        block.climb_in_registers(stretch, self.shape, first);
                    }
                } else {
                    block.climb(stretch, self.shape);
                }
            }
            out.copy_from_slice(&block.sums[..out.len()]);
        }
    }
}

/// Lanes in flight: one array for each thing there is to know of a lane. Where fewer are asked for, the others hold
/// what is left of other places.
///
/// Aligned, because a vector that lies across two cache lines costs double, and by the accident of where the stack is.
#[repr(align(64))]
struct Block {
    intervals: [[u32; BLOCK]; 3],
    past_middles: [[f32; BLOCK]; 3],
    sums: [f32; BLOCK],
    carries: [f32; BLOCK],
}

impl Block {
    /// Finds the first places, along one axis.
    #[inline(always)]
    fn begin(&mut self, octave: &Octave, axis: usize, coordinates: &[f64]) {
        let intervals = &mut self.intervals[axis][..coordinates.len()];
        let past_middles = &mut self.past_middles[axis][..coordinates.len()];
        for lane in 0..coordinates.len() {
            let place = octave.place(axis, coordinates[lane]);
            intervals[lane] = place.interval;
            past_middles[lane] = place.past_middle;
        }
    }

    /// Takes all lanes through a stretch of octaves.
    #[inline(always)]
    fn climb<S: Shape>(&mut self, stretch: &[Octave], shape: S) {
        self.add::<S>(stretch[0].key, shape.prepare(&stretch[0]));
        for octave in &stretch[1..] {
            self.double(octave);
            self.add::<S>(octave.key, shape.prepare(octave));
        }
    }

    #[inline(always)]
    fn double(&mut self, octave: &Octave) {
        for axis in 0..3 {
            for lane in 0..BLOCK {
                let place = self.place(axis, lane).doubled(octave.shift[axis]);
                self.intervals[axis][lane] = place.interval;
                self.past_middles[axis][lane] = place.past_middle;
            }
        }
    }

    #[inline(always)]
    fn add<S: Shape>(&mut self, key: u32, octave: S::Octave) {
        for lane in 0..BLOCK {
            let places = [self.place(0, lane), self.place(1, lane), self.place(2, lane)];
            let noise = gradient_noise(key, places);
            let (sum, carry) = S::add(octave, noise, self.sums[lane], self.carries[lane]);
            self.sums[lane] = sum;
            self.carries[lane] = carry;
        }
    }

    #[inline(always)]
    fn place(&self, axis: usize, lane: usize) -> Place {
        Place { interval: self.intervals[axis][lane], past_middle: self.past_middles[axis][lane] }
    }

    /// The same for some lanes alone. What is local here, the compiler keeps in registers.
    #[inline(always)]
    fn climb_in_registers<S: Shape>(&mut self, stretch: &[Octave], shape: S, first: usize) {
        let lanes = first..first + LANES;
        let mut intervals = [[0; LANES]; 3];
        let mut past_middles = [[0.0; LANES]; 3];
        for axis in 0..3 {
            intervals[axis].copy_from_slice(&self.intervals[axis][lanes.clone()]);
            past_middles[axis].copy_from_slice(&self.past_middles[axis][lanes.clone()]);
        }
        let mut sums = [0.0; LANES];
        let mut carries = [0.0; LANES];
        sums.copy_from_slice(&self.sums[lanes.clone()]);
        carries.copy_from_slice(&self.carries[lanes.clone()]);

        // Octaves are copied, so that the compiler sees that no lane changes them.
        let octave = stretch[0];
        let prepared = shape.prepare(&octave);
        for lane in 0..LANES {
            let place = |axis: usize| Place {
                interval: intervals[axis][lane],
                past_middle: past_middles[axis][lane],
            };
            let noise = gradient_noise(octave.key, [0, 1, 2].map(place));
            (sums[lane], carries[lane]) = S::add(prepared, noise, sums[lane], carries[lane]);
        }
        for octave in &stretch[1..] {
            let octave = *octave;
            let prepared = shape.prepare(&octave);
            for lane in 0..LANES {
                let place = |axis: usize| {
                    Place { interval: intervals[axis][lane], past_middle: past_middles[axis][lane] }
                        .doubled(octave.shift[axis])
                };
                let places = [0, 1, 2].map(place);
                for axis in 0..3 {
                    intervals[axis][lane] = places[axis].interval;
                    past_middles[axis][lane] = places[axis].past_middle;
                }
                let noise = gradient_noise(octave.key, places);
                (sums[lane], carries[lane]) = S::add(prepared, noise, sums[lane], carries[lane]);
            }
        }
        self.sums[lanes.clone()].copy_from_slice(&sums);
        self.carries[lanes].copy_from_slice(&carries);
    }
}

/// One place alone.
fn one<S: Shape>(octaves: &[Octave], position: DVec3, shape: S) -> f32 {
    let position = position.to_array();
    let mut places = [Place::of(0.0); 3];
    let (mut sum, mut carry) = (0.0, S::CARRY);
    for (number, octave) in octaves.iter().enumerate() {
        for axis in 0..3 {
            places[axis] = if number % AFRESH == 0 {
                octave.place(axis, position[axis])
            } else {
                places[axis].doubled(octave.shift[axis])
            };
        }
        let noise = gradient_noise(octave.key, places);
        (sum, carry) = S::add(shape.prepare(octave), noise, sum, carry);
    }
    sum
}
