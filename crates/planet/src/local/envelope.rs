//! Ground from courses of water: at every place, the lowest of the slopes that rise from the reaches around.
//!
//! The height that a segment gives at distance d is its level and, beyond its banks, S·d rounded at the bottom, where S
//! is the slope of the place. It grows with the distance, so the lowest of all has no hollow but along the courses. It
//! grows without limit as d comes to the reach's range, so what is out of range need not be looked at: cutting the list
//! of candidates leaves no step.
//!
//! Arithmetic is `f32` over exact differences of [`Fixed`] places: the same bits in whatever block a place is looked at.

use std::hint::select_unpredictable;

use cell::CellId;

use crate::local::scale::Fixed;
use crate::noise::{InstructionSet, Task};

/// Places looked at together.
pub(crate) const BLOCK: usize = 304;

/// How far valley bottoms are round.
const ROUND_M: f32 = 7.0;

/// How far a bank rises over its water, of the water's depth, and at least.
const FREEBOARD: f32 = 0.25;
const FREEBOARD_MIN_M: f32 = 0.25;

/// How far from a stream the ground is calm.
pub(crate) const CALM_M: f32 = 70.0;

/// A segment that may shape some place of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Upper end, from the origin of the block.
    pub(crate) start: [i32; 3],
    pub(crate) along_m: [f32; 3],
    /// 1 over the square of the length.
    inverse_square: f32,
    pub(crate) level_m: f32,
    pub(crate) fall_m: f32,
    pub(crate) half_width_m: f32,
    inverse_half_square: f32,
    depth_m: f32,
    freeboard_m: f32,
    pub(crate) range_m: f32,
    /// 1 over the square of the range.
    inverse_range_square: f32,
    /// 0 where water flows, else −∞.
    dry: f32,
    /// Where it stands among all segments of the planet: decides between equal heights.
    pub(crate) rank: (u8, CellId, u32),
}

/// A segment for [`Candidate::new`], from the origin of the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) start: [i32; 3],
    pub(crate) along_m: [f32; 3],
    pub(crate) level_m: f32,
    pub(crate) fall_m: f32,
    pub(crate) half_width_m: f32,
    pub(crate) depth_m: f32,
    pub(crate) range_m: f32,
}

impl Candidate {
    pub(crate) fn new(shape: &Shape, rank: (u8, CellId, u32)) -> Self {
        let [x, y, z] = shape.along_m;
        let square = x * x + y * y + z * z;
        let is_wet = shape.half_width_m > 0.0;
        Self {
            start: shape.start,
            along_m: shape.along_m,
            inverse_square: if square > 0.0 { 1.0 / square } else { 0.0 },
            level_m: shape.level_m,
            fall_m: shape.fall_m,
            half_width_m: shape.half_width_m,
            inverse_half_square: if is_wet { 1.0 / (shape.half_width_m * shape.half_width_m) } else { 0.0 },
            depth_m: shape.depth_m,
            freeboard_m: if is_wet { FREEBOARD_MIN_M + FREEBOARD * shape.depth_m } else { 0.0 },
            range_m: shape.range_m,
            inverse_range_square: 1.0 / (shape.range_m * shape.range_m),
            dry: if is_wet { 0.0 } else { f32::NEG_INFINITY },
            rank,
        }
    }

    /// The point of the segment nearest to a place (exact difference from the block's origin): its share of the way
    /// down, and its distance.
    pub(crate) fn nearest(&self, place: [i32; 3], m_per_fixed: f32) -> (f32, f32) {
        let away: [f32; 3] =
            std::array::from_fn(|axis| place[axis].wrapping_sub(self.start[axis]) as f32 * m_per_fixed);
        let [x, y, z] = self.along_m;
        let share = ((away[0] * x + away[1] * y + away[2] * z) * self.inverse_square).clamp(0.0, 1.0);
        let off: [f32; 3] = std::array::from_fn(|axis| away[axis] - share * self.along_m[axis]);
        (share, (off[0] * off[0] + off[1] * off[1] + off[2] * off[2]).sqrt())
    }

    /// Does water flow in it?
    pub(crate) fn is_wet(&self) -> bool {
        self.half_width_m > 0.0
    }

    /// No place nearer than `distance_m`, at this slope or steeper, is lower because of it.
    pub(crate) fn floor_m(&self, distance_m: f32, slope: f32) -> f32 {
        let off_bank_m = (distance_m - self.half_width_m).max(0.0);
        let bed_m = self.level_m - self.fall_m - self.depth_m;
        bed_m + slope * (off_bank_m - ROUND_M).max(0.0)
    }

    /// No place nearer than `distance_m`, at this slope or gentler, is higher than this; ∞ out of range.
    pub(crate) fn ceiling_m(&self, distance_m: f32, slope: f32) -> f32 {
        let near = distance_m * distance_m * self.inverse_range_square;
        let fading = 1.0 - near * near;
        if fading <= 0.01 {
            return f32::INFINITY;
        }
        let off_bank_m = (distance_m - self.half_width_m).max(0.0);
        self.level_m + (slope * off_bank_m + self.freeboard_m) / fading
    }
}

/// Places of a block and what shapes them.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// How many places there are.
    pub(crate) count: usize,
    /// From the origin of the block.
    pub(crate) place: [[i32; BLOCK]; 3],
    pub(crate) slope: [f32; BLOCK],
    /// Height of the ground; ∞ where no candidate is in range.
    pub(crate) ground_m: [f32; BLOCK],
    /// Level of the course that the place slopes to.
    pub(crate) drain_m: [f32; BLOCK],
    /// The same if water flows there, else −∞.
    pub(crate) water_m: [f32; BLOCK],
    /// Which candidate that is.
    pub(crate) candidate: [u32; BLOCK],
    /// Distance from the bank of the nearest stream with water, 0 in it, at most [`CALM_M`].
    pub(crate) bank_m: [f32; BLOCK],
}

impl Block {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            count: 0,
            place: [[0; BLOCK]; 3],
            slope: [1.0; BLOCK],
            ground_m: [f32::INFINITY; BLOCK],
            drain_m: [f32::INFINITY; BLOCK],
            water_m: [f32::NEG_INFINITY; BLOCK],
            candidate: [0; BLOCK],
            bank_m: [CALM_M; BLOCK],
        })
    }

    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    pub(crate) fn push(&mut self, origin: Fixed, place: Fixed, slope: f32) {
        for axis in 0..3 {
            self.place[axis][self.count] = (place[axis] - origin[axis]) as i32;
        }
        self.slope[self.count] = slope;
        self.count += 1;
    }

    /// Finds the ground at all places. Of candidates that give the same height the first is taken.
    pub(crate) fn shape(&mut self, candidates: &[Candidate], m_per_fixed: f32) {
        InstructionSet::current().run(Shaping { block: self, candidates, m_per_fixed });
    }
}

struct Shaping<'a> {
    block: &'a mut Block,
    candidates: &'a [Candidate],
    m_per_fixed: f32,
}

/// Places worked on at a time: whole vectors of every instruction set.
const LANES: usize = 16;

impl Task for Shaping<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "what is not inlined is not compiled for the instruction set")]
    fn run(self) {
        let Self { block, candidates, m_per_fixed } = self;
        let Block { count, place: [px, py, pz], slope, ground_m, drain_m, water_m, candidate, bank_m } =
            block;
        let used = count.div_ceil(LANES);
        let (px, _) = px.as_chunks::<LANES>();
        let (py, _) = py.as_chunks::<LANES>();
        let (pz, _) = pz.as_chunks::<LANES>();
        let (slope, _) = slope.as_chunks::<LANES>();
        let (ground_m, _) = ground_m.as_chunks_mut::<LANES>();
        let (drain_m, _) = drain_m.as_chunks_mut::<LANES>();
        let (water_m, _) = water_m.as_chunks_mut::<LANES>();
        let (chosen, _) = candidate.as_chunks_mut::<LANES>();
        let (bank_m, _) = bank_m.as_chunks_mut::<LANES>();
        for group in 0..used {
            let (px, py, pz, slope) = (&px[group], &py[group], &pz[group], &slope[group]);
            let mut lowest = [f32::INFINITY; LANES];
            let mut drain = [f32::INFINITY; LANES];
            let mut water = [f32::NEG_INFINITY; LANES];
            let mut which = [0_u32; LANES];
            let mut bank = [CALM_M; LANES];
            for (index, segment) in candidates.iter().enumerate() {
                let [ax, ay, az] = segment.along_m;
                for lane in 0..LANES {
                    let x = px[lane].wrapping_sub(segment.start[0]) as f32 * m_per_fixed;
                    let y = py[lane].wrapping_sub(segment.start[1]) as f32 * m_per_fixed;
                    let z = pz[lane].wrapping_sub(segment.start[2]) as f32 * m_per_fixed;
                    let share = (x * ax + y * ay + z * az) * segment.inverse_square;
                    let share = if share > 0.0 { share } else { 0.0 };
                    let share = if share < 1.0 { share } else { 1.0 };
                    let (x, y, z) = (x - share * ax, y - share * ay, z - share * az);
                    let square = x * x + y * y + z * z;
                    let near = square * segment.inverse_range_square;
                    let fading = 1.0 - near * near;
                    let fading = if fading > 1e-6 { fading } else { 1e-6 };
                    let level_m = segment.level_m - share * segment.fall_m;
                    let in_bed = 1.0 - square * segment.inverse_half_square;
                    let in_bed = if in_bed > 0.0 { in_bed } else { 0.0 };
                    let off_bank = square.sqrt() - segment.half_width_m;
                    let off_bank = if off_bank > 0.0 { off_bank } else { 0.0 };
                    let rise = off_bank * (slope[lane] * off_bank + segment.freeboard_m)
                        / ((off_bank + ROUND_M) * fading);
                    let height = level_m - segment.depth_m * in_bed + rise;
                    let is_lower = height < lowest[lane];
                    // Written as `if`, these become one branch with four stores, which SSE2 has no vectors for.
                    lowest[lane] = select_unpredictable(is_lower, height, lowest[lane]);
                    drain[lane] = select_unpredictable(is_lower, level_m, drain[lane]);
                    water[lane] = select_unpredictable(is_lower, level_m + segment.dry, water[lane]);
                    which[lane] = select_unpredictable(is_lower, index as u32, which[lane]);
                    // Dry segments are infinitely far: −(−∞).
                    let off_stream = off_bank - segment.dry;
                    bank[lane] = if off_stream < bank[lane] { off_stream } else { bank[lane] };
                }
            }
            ground_m[group] = lowest;
            drain_m[group] = drain;
            water_m[group] = water;
            chosen[group] = which;
            bank_m[group] = bank;
        }
    }
}
