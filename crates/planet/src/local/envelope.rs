//! Ground from courses of water: at every place, the lowest of the slopes that rise from the reaches around.
//!
//! The height that a segment gives at distance d is its level and, beyond its banks, S·d rounded at the bottom, where S
//! is the slope of the place. It grows with the distance, so the lowest of all has no hollow but along the courses. It
//! grows without limit as d comes to the reach's range, so what is out of range need not be looked at: cutting the list
//! of candidates leaves no step.
//!
//! Arithmetic is `f32` over exact differences of places, which are whole numbers modulo 2^32: the same bits in whatever
//! block a place is looked at, wherever the block's origin is.

// What is not inlined into the variants of an instruction set is not compiled for it.
#![allow(clippy::inline_always)]

use std::hint::select_unpredictable;

use crate::noise::{InstructionSet, Task};

/// Places or candidates worked on at a time: whole vectors of every instruction set.
const LANES: usize = 16;

/// Most places of a block.
pub(crate) const BLOCK: usize = 96;

/// How far valley bottoms are round.
const ROUND_M: f32 = 7.0;

/// How far a bank rises over its water, of the water's depth, and at least.
const FREEBOARD: f32 = 0.25;
const FREEBOARD_MIN_M: f32 = 0.25;

/// How far from a stream the ground is calm.
pub(crate) const CALM_M: f32 = 70.0;

/// More than all rounding of distances and heights.
const SLACK_M: f32 = 0.01;

/// A ball around places, and how steep it is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ball {
    /// From the origin, modulo 2^32.
    pub(crate) center: [i32; 3],
    pub(crate) radius_m: f32,
    pub(crate) slope_min: f32,
    pub(crate) slope_max: f32,
}

/// A straight piece of a course that may shape some place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate {
    /// Upper end, from the origin, modulo 2^32.
    pub(crate) start: [i32; 3],
    pub(crate) along_m: [f32; 3],
    pub(crate) level_m: f32,
    pub(crate) fall_m: f32,
    /// 0 where no water flows.
    pub(crate) half_width_m: f32,
    pub(crate) depth_m: f32,
    /// How far it shapes the ground.
    pub(crate) range_m: f32,
}

/// Candidates in their one order, which decides between equal heights: those with water, then the dry ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidates {
    lanes: Vec<Lanes>,
    count: usize,
}

/// Some candidates side by side, and what follows from their measures.
#[derive(Clone, Copy, Debug)]
struct Lanes {
    start: [[i32; LANES]; 3],
    along_m: [[f32; LANES]; 3],
    /// 1 over the square of the length, and over the length.
    inverse_square: [f32; LANES],
    inverse_length: [f32; LANES],
    level_m: [f32; LANES],
    fall_m: [f32; LANES],
    half_width_m: [f32; LANES],
    inverse_half_square: [f32; LANES],
    depth_m: [f32; LANES],
    freeboard_m: [f32; LANES],
    /// 1 over the square of the range.
    inverse_range_square: [f32; LANES],
}

/// Which of some candidates matter to a block, by their places in the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    wet: Vec<u32>,
    dry: Vec<u32>,
    floors_m: Vec<[f32; LANES]>,
}

/// Higher than anything.
const UNREACHED_M: f32 = 1e30;

impl Lanes {
    const NONE: Self = Self {
        start: [[0; LANES]; 3],
        along_m: [[0.0; LANES]; 3],
        inverse_square: [0.0; LANES],
        inverse_length: [0.0; LANES],
        level_m: [UNREACHED_M; LANES],
        fall_m: [0.0; LANES],
        half_width_m: [0.0; LANES],
        inverse_half_square: [0.0; LANES],
        depth_m: [0.0; LANES],
        freeboard_m: [0.0; LANES],
        inverse_range_square: [0.0; LANES],
    };

    fn take(&mut self, lane: usize, from: &Self, other: usize) {
        for axis in 0..3 {
            self.start[axis][lane] = from.start[axis][other];
            self.along_m[axis][lane] = from.along_m[axis][other];
        }
        self.inverse_square[lane] = from.inverse_square[other];
        self.inverse_length[lane] = from.inverse_length[other];
        self.level_m[lane] = from.level_m[other];
        self.fall_m[lane] = from.fall_m[other];
        self.half_width_m[lane] = from.half_width_m[other];
        self.inverse_half_square[lane] = from.inverse_half_square[other];
        self.depth_m[lane] = from.depth_m[other];
        self.freeboard_m[lane] = from.freeboard_m[other];
        self.inverse_range_square[lane] = from.inverse_range_square[other];
    }
}

impl Candidates {
    fn lane(&mut self) -> (&mut Lanes, usize) {
        if self.count.is_multiple_of(LANES) {
            self.lanes.push(Lanes::NONE);
        }
        let at = (self.count / LANES, self.count % LANES);
        self.count += 1;
        (&mut self.lanes[at.0], at.1)
    }

    pub(crate) fn push(&mut self, candidate: &Candidate) {
        let [x, y, z] = candidate.along_m;
        let square = x * x + y * y + z * z;
        let half_width_m = candidate.half_width_m;
        let is_wet = half_width_m > 0.0;
        let (lanes, lane) = self.lane();
        for axis in 0..3 {
            lanes.start[axis][lane] = candidate.start[axis];
            lanes.along_m[axis][lane] = candidate.along_m[axis];
        }
        lanes.inverse_square[lane] = if square > 0.0 { 1.0 / square } else { 0.0 };
        lanes.inverse_length[lane] = lanes.inverse_square[lane].sqrt();
        lanes.level_m[lane] = candidate.level_m;
        lanes.fall_m[lane] = candidate.fall_m;
        lanes.half_width_m[lane] = half_width_m;
        lanes.inverse_half_square[lane] = if is_wet { 1.0 / (half_width_m * half_width_m) } else { 0.0 };
        lanes.depth_m[lane] = candidate.depth_m;
        lanes.freeboard_m[lane] = if is_wet { FREEBOARD_MIN_M + FREEBOARD * candidate.depth_m } else { 0.0 };
        lanes.inverse_range_square[lane] = 1.0 / (candidate.range_m * candidate.range_m);
    }

    /// The point of a candidate nearest to a place: its share of the way down, and its distance.
    pub(crate) fn nearest(&self, number: u32, place: [i32; 3], m_per_fixed: f32) -> (f32, f32) {
        let (lanes, lane) = self.at(number);
        let along: [f32; 3] = std::array::from_fn(|axis| lanes.along_m[axis][lane]);
        let away: [f32; 3] = std::array::from_fn(|axis| {
            place[axis].wrapping_sub(lanes.start[axis][lane]) as f32 * m_per_fixed
        });
        let dot = away[0] * along[0] + away[1] * along[1] + away[2] * along[2];
        let share = (dot * lanes.inverse_square[lane]).clamp(0.0, 1.0);
        let off: [f32; 3] = std::array::from_fn(|axis| away[axis] - share * along[axis]);
        (share, (off[0] * off[0] + off[1] * off[1] + off[2] * off[2]).sqrt())
    }

    /// Upper end and the way to the lower one.
    pub(crate) fn line(&self, number: u32) -> ([i32; 3], [f32; 3]) {
        let (lanes, lane) = self.at(number);
        (
            std::array::from_fn(|axis| lanes.start[axis][lane]),
            std::array::from_fn(|axis| lanes.along_m[axis][lane]),
        )
    }

    /// Level at a share of the way down.
    pub(crate) fn level_m(&self, number: u32, share: f32) -> f32 {
        let (lanes, lane) = self.at(number);
        lanes.level_m[lane] - share * lanes.fall_m[lane]
    }

    #[inline(always)]
    fn at(&self, number: u32) -> (&Lanes, usize) {
        (&self.lanes[number as usize / LANES], number as usize % LANES)
    }

    /// Finds those that can matter in a ball: no other one undercuts them wherever the ball may look.
    pub(crate) fn cull(&self, ball: &Ball, m_per_fixed: f32, kept: &mut Kept) {
        let Kept { wet, dry, floors_m } = kept;
        floors_m.resize(self.lanes.len(), [0.0; LANES]);
        let bounding = Bounding { lanes: &self.lanes, ball, m_per_fixed, floors_m };
        let limit_m = InstructionSet::current().run(bounding) + SLACK_M;
        wet.clear();
        dry.clear();
        for (group, (lanes, floors_m)) in self.lanes.iter().zip(floors_m).enumerate() {
            for (lane, floor_m) in floors_m.iter().enumerate() {
                if *floor_m <= limit_m {
                    let number = (group * LANES + lane) as u32;
                    if lanes.half_width_m[lane] > 0.0 { wet.push(number) } else { dry.push(number) }
                }
            }
        }
    }

    /// Only those kept.
    pub(crate) fn only(&self, kept: &Kept) -> Self {
        let count = kept.wet.len() + kept.dry.len();
        let mut only = Self { lanes: Vec::with_capacity(count.div_ceil(LANES)), count: 0 };
        for number in kept.wet.iter().chain(&kept.dry) {
            let (from, other) = self.at(*number);
            let (lanes, lane) = only.lane();
            lanes.take(lane, from, other);
        }
        only
    }
}

/// How much higher than a course the ground is at a distance from its bank, far within its range.
#[inline(always)]
fn rise(off_bank: f32, slope: f32, freeboard_m: f32) -> f32 {
    off_bank * (slope * off_bank + freeboard_m) / (off_bank + ROUND_M)
}

/// How high the ground is, at most, at a distance from a course without water at a level; ∞ where it may not count.
pub(crate) fn ceiling_m(level_m: f32, distance_m: f32, slope: f32, freeboard_m: f32, range_m: f32) -> f32 {
    let near = distance_m * distance_m / (range_m * range_m);
    let fading = 1.0 - near * near;
    if fading > 0.01 { level_m + rise(distance_m, slope, freeboard_m) / fading } else { f32::INFINITY }
}

/// How high the ground is, at least, at a distance from the banks of a course and beyond.
pub(crate) fn floor_m(bed_m: f32, off_bank_m: f32, slope: f32) -> f32 {
    bed_m + rise(off_bank_m.max(0.0), slope, 0.0)
}

/// The freeboard of the deepest water.
pub(crate) fn freeboard_m(depth_m: f32) -> f32 {
    FREEBOARD_MIN_M + FREEBOARD * depth_m
}

/// Finds the least that every candidate can say of the places of a ball, and the least of the most that they can say.
struct Bounding<'a> {
    lanes: &'a [Lanes],
    ball: &'a Ball,
    m_per_fixed: f32,
    floors_m: &'a mut [[f32; LANES]],
}

impl Task for Bounding<'_> {
    type Output = f32;

    #[inline(always)]
    fn run(self) -> f32 {
        let Self { lanes, ball, m_per_fixed, floors_m } = self;
        let radius_m = ball.radius_m + SLACK_M;
        let mut ceilings_m = [f32::INFINITY; LANES];
        for (lanes, floors_m) in lanes.iter().zip(floors_m) {
            let mut floor_m = [0.0; LANES];
            for lane in 0..LANES {
                let away = |axis: usize| {
                    ball.center[axis].wrapping_sub(lanes.start[axis][lane]) as f32 * m_per_fixed
                };
                let (x, y, z) = (away(0), away(1), away(2));
                let [ax, ay, az] = [lanes.along_m[0][lane], lanes.along_m[1][lane], lanes.along_m[2][lane]];
                let share = clamped((x * ax + y * ay + z * az) * lanes.inverse_square[lane]);
                let (x, y, z) = (x - share * ax, y - share * ay, z - share * az);
                let distance_m = (x * x + y * y + z * z).sqrt();
                // The nearest point moves no farther than the place does.
                let moved = radius_m * lanes.inverse_length[lane];
                let lowest_m = lanes.level_m[lane] - clamped(share + moved) * lanes.fall_m[lane];
                let highest_m = lanes.level_m[lane] - clamped(share - moved) * lanes.fall_m[lane];
                let inverse_range_square = lanes.inverse_range_square[lane];
                let (half_width_m, freeboard_m) = (lanes.half_width_m[lane], lanes.freeboard_m[lane]);

                let nearest_m = positive(distance_m - radius_m);
                let near = nearest_m * nearest_m * inverse_range_square;
                let fading = 1.0 - near * near;
                let off_bank = nearest_m - half_width_m;
                let in_bed_m = if off_bank > 0.0 { 0.0 } else { lanes.depth_m[lane] };
                let off_bank = positive(off_bank);
                let least =
                    rise(off_bank, ball.slope_min, freeboard_m) / if fading > 1e-6 { fading } else { 1e-6 };
                // Within its range or not: what has been told for one place must not depend on the others.
                let least_m = lowest_m - in_bed_m + least;
                let least_m = if near > 1.0 { UNREACHED_M } else { least_m };
                let is_by_water = half_width_m > 0.0 && off_bank < CALM_M;
                floor_m[lane] = if is_by_water { -UNREACHED_M } else { least_m };

                let farthest_m = distance_m + radius_m;
                let far = farthest_m * farthest_m * inverse_range_square;
                let fading = 1.0 - far * far;
                let most = rise(positive(farthest_m - half_width_m), ball.slope_max, freeboard_m) / fading;
                let most_m = if fading > 0.01 { highest_m + most } else { UNREACHED_M };
                ceilings_m[lane] = if most_m < ceilings_m[lane] { most_m } else { ceilings_m[lane] };
            }
            *floors_m = floor_m;
        }
        ceilings_m.into_iter().fold(0.1 * UNREACHED_M, f32::min)
    }
}

#[inline(always)]
fn clamped(share: f32) -> f32 {
    let share = positive(share);
    if share < 1.0 { share } else { 1.0 }
}

#[inline(always)]
fn positive(value: f32) -> f32 {
    if value > 0.0 { value } else { 0.0 }
}

/// Places near each other and what shapes them.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// How many places there are.
    pub(crate) count: usize,
    /// From the origin, modulo 2^32.
    pub(crate) place: [[i32; BLOCK]; 3],
    pub(crate) slope: [f32; BLOCK],
    /// Height of the ground; ∞ where no candidate is in range.
    pub(crate) ground_m: [f32; BLOCK],
    /// Level of the course that the place slopes to if water flows there, else −∞.
    pub(crate) water_m: [f32; BLOCK],
    /// The number of this candidate in the list.
    pub(crate) candidate: [u32; BLOCK],
    /// Distance from the bank of the nearest stream with water, 0 in it, at most [`CALM_M`].
    pub(crate) bank_m: [f32; BLOCK],
}

/// No candidate at all.
pub(crate) const NO_CANDIDATE: u32 = u32::MAX;

impl Block {
    pub(crate) fn new() -> Box<Self> {
        Box::new(Self {
            count: 0,
            place: [[0; BLOCK]; 3],
            slope: [1.0; BLOCK],
            ground_m: [f32::INFINITY; BLOCK],
            water_m: [f32::NEG_INFINITY; BLOCK],
            candidate: [NO_CANDIDATE; BLOCK],
            bank_m: [CALM_M; BLOCK],
        })
    }

    /// Finds the ground at all places. Of candidates that give the same height the first is taken.
    pub(crate) fn shape(&mut self, candidates: &Candidates, kept: &Kept, m_per_fixed: f32) {
        InstructionSet::current().run(Shaping { block: self, candidates, kept, m_per_fixed });
    }
}

struct Shaping<'a> {
    block: &'a mut Block,
    candidates: &'a Candidates,
    kept: &'a Kept,
    m_per_fixed: f32,
}

/// Some places, while candidates are tried on them.
struct Group {
    lowest_m: [f32; LANES],
    water_m: [f32; LANES],
    candidate: [u32; LANES],
    bank_m: [f32; LANES],
}

impl Task for Shaping<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { block, candidates, kept, m_per_fixed } = self;
        for group in 0..block.count.div_ceil(LANES) {
            let lanes = group * LANES..(group + 1) * LANES;
            let place = [0, 1, 2]
                .map(|axis| *block.place[axis][lanes.clone()].as_array::<LANES>().expect("a whole group"));
            let slope = *block.slope[lanes.clone()].as_array::<LANES>().expect("a whole group");
            let mut found = Group {
                lowest_m: [f32::INFINITY; LANES],
                water_m: [f32::NEG_INFINITY; LANES],
                candidate: [NO_CANDIDATE; LANES],
                bank_m: [CALM_M; LANES],
            };
            for number in &kept.wet {
                found.attempt::<true>(&place, &slope, candidates, *number, m_per_fixed);
            }
            for number in &kept.dry {
                found.attempt::<false>(&place, &slope, candidates, *number, m_per_fixed);
            }
            block.ground_m[lanes.clone()].copy_from_slice(&found.lowest_m);
            block.water_m[lanes.clone()].copy_from_slice(&found.water_m);
            block.candidate[lanes.clone()].copy_from_slice(&found.candidate);
            block.bank_m[lanes].copy_from_slice(&found.bank_m);
        }
    }
}

impl Group {
    /// Takes a candidate where it is lower than what was found. What has no water needs fewer steps to the same bits.
    #[inline(always)]
    fn attempt<const WET: bool>(
        &mut self,
        [px, py, pz]: &[[i32; LANES]; 3],
        slope: &[f32; LANES],
        candidates: &Candidates,
        number: u32,
        m_per_fixed: f32,
    ) {
        let (lanes, at) = candidates.at(number);
        let start: [i32; 3] = [lanes.start[0][at], lanes.start[1][at], lanes.start[2][at]];
        let [ax, ay, az] = [lanes.along_m[0][at], lanes.along_m[1][at], lanes.along_m[2][at]];
        let (inverse_square, inverse_range_square) =
            (lanes.inverse_square[at], lanes.inverse_range_square[at]);
        let (level_m, fall_m) = (lanes.level_m[at], lanes.fall_m[at]);
        let (half_width_m, inverse_half_square) = (lanes.half_width_m[at], lanes.inverse_half_square[at]);
        let (depth_m, freeboard_m) = (lanes.depth_m[at], lanes.freeboard_m[at]);
        for lane in 0..LANES {
            let x = px[lane].wrapping_sub(start[0]) as f32 * m_per_fixed;
            let y = py[lane].wrapping_sub(start[1]) as f32 * m_per_fixed;
            let z = pz[lane].wrapping_sub(start[2]) as f32 * m_per_fixed;
            let share = clamped((x * ax + y * ay + z * az) * inverse_square);
            let (x, y, z) = (x - share * ax, y - share * ay, z - share * az);
            let square = x * x + y * y + z * z;
            let near = square * inverse_range_square;
            // Nothing is left of it out of range: there it is infinitely high.
            let fading = positive(1.0 - near * near);
            let level_m = level_m - share * fall_m;
            let distance_m = square.sqrt();
            let height_m = if WET {
                let in_bed = positive(1.0 - square * inverse_half_square);
                let off_bank = positive(distance_m - half_width_m);
                let bank_m = self.bank_m[lane];
                self.bank_m[lane] = if off_bank < bank_m { off_bank } else { bank_m };
                let rise =
                    off_bank * (slope[lane] * off_bank + freeboard_m) / ((off_bank + ROUND_M) * fading);
                level_m - depth_m * in_bed + rise
            } else {
                level_m + distance_m * (slope[lane] * distance_m) / ((distance_m + ROUND_M) * fading)
            };
            // Written as `if`, these become one branch with stores, which SSE2 has no vectors for.
            let is_lower = height_m < self.lowest_m[lane];
            self.lowest_m[lane] = select_unpredictable(is_lower, height_m, self.lowest_m[lane]);
            let water_m = if WET { level_m } else { f32::NEG_INFINITY };
            self.water_m[lane] = select_unpredictable(is_lower, water_m, self.water_m[lane]);
            self.candidate[lane] = select_unpredictable(is_lower, number, self.candidate[lane]);
        }
    }
}
