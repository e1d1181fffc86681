//! What courses of water make of the ground at the places of a grid.
//!
//! The grid is halved again and again. What can shape a part is looked for among what can shape the whole, so that few
//! candidates are left to be tried on every place.

use std::ops;

use glam::DVec3;

use crate::local::Local;
use crate::local::envelope::{BLOCK, Ball, Block, CALM_M, Candidates, Kept, NO_CANDIDATE};
use crate::local::gather::{BALL_SPACINGS, Shown};
use crate::local::scale::Fixed;

/// Longest side of a part that is not halved any more.
const PART_SIDE: usize = 9;
const _: () = assert!(PART_SIDE * PART_SIDE <= BLOCK);

/// Places in rows, and how steep it is there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grid {
    /// Places to a row.
    pub(crate) side: usize,
    /// From [`origin`](Self::origin), modulo 2^32.
    pub(crate) place: [Vec<i32>; 3],
    pub(crate) slope: Vec<f32>,
    /// Is it so far out at sea that no course counts? Empty if no place is.
    pub(crate) is_out: Vec<bool>,
    pub(crate) origin: Fixed,
    /// Are the corners of a part what is farthest from its middle?
    pub(crate) is_even: bool,
}

/// What courses make of the places of a grid.
#[derive(Clone, Debug)]
pub(crate) struct Shaped {
    /// Height of the ground; ∞ where no course is in range.
    pub(crate) ground_m: Vec<f32>,
    /// Level of the stream that the place slopes to, −∞ where that is dry.
    pub(crate) stream_m: Vec<f32>,
    /// Distance from the bank of the nearest stream, at most [`CALM_M`].
    pub(crate) bank_m: Vec<f32>,
    pub(crate) is_complete: bool,
}

/// The course that a place slopes to: the nearest point of it.
#[derive(Clone, Copy)]
pub(crate) struct Foot {
    pub(crate) unit: DVec3,
    pub(crate) level_m: f64,
    pub(crate) distance_m: f64,
}

/// Some columns and rows of a grid.
struct Part {
    columns: ops::Range<usize>,
    rows: ops::Range<usize>,
    /// The place in its middle.
    middle: usize,
    ball: Ball,
    is_out: bool,
    halves: Vec<Part>,
}

impl Grid {
    /// No places yet, with room for some.
    pub(crate) fn new(side: usize, origin: Fixed, count: usize) -> Self {
        let place = std::array::from_fn(|_| Vec::with_capacity(count));
        Self { side, place, slope: Vec::with_capacity(count), is_out: Vec::new(), origin, is_even: false }
    }

    pub(crate) fn push(&mut self, place: Fixed, slope: f32) {
        let axes = self.place.iter_mut().zip(place).zip(self.origin);
        axes.for_each(|((axis, place), origin)| axis.push((place - origin) as i32));
        self.slope.push(slope);
    }

    fn at(&self, index: usize) -> [i32; 3] {
        [0, 1, 2].map(|axis| self.place[axis][index])
    }
}

impl Shaped {
    pub(crate) fn none(count: usize) -> Self {
        Self {
            ground_m: vec![f32::INFINITY; count],
            stream_m: vec![f32::NEG_INFINITY; count],
            bank_m: vec![CALM_M; count],
            is_complete: true,
        }
    }

    /// Takes back what was said of a place.
    pub(crate) fn forget(&mut self, index: usize) {
        self.ground_m[index] = f32::INFINITY;
        self.stream_m[index] = f32::NEG_INFINITY;
        self.bank_m[index] = CALM_M;
    }
}

/// What is at hand while a grid is worked on.
struct Shaping<'a, U: Fn(usize) -> DVec3> {
    local: &'a Local,
    grid: &'a Grid,
    shown: Shown,
    unit: U,
    shaped: Shaped,
    feet: Option<Vec<Option<Foot>>>,
    block: Box<Block>,
    kept: Kept,
}

impl Local {
    /// The ground at the places of a grid; `unit` tells their unit vectors.
    pub(crate) fn shaped(&self, grid: &Grid, shown: Shown, unit: impl Fn(usize) -> DVec3) -> Shaped {
        self.shape(grid, shown, unit, false).0
    }

    /// The same, and the courses that the places slope to.
    pub(crate) fn shaped_with_feet(
        &self,
        grid: &Grid,
        shown: Shown,
        unit: impl Fn(usize) -> DVec3,
    ) -> (Shaped, Vec<Option<Foot>>) {
        let (shaped, feet) = self.shape(grid, shown, unit, true);
        (shaped, feet.expect("asked for"))
    }

    fn shape(
        &self,
        grid: &Grid,
        shown: Shown,
        unit: impl Fn(usize) -> DVec3,
        with_feet: bool,
    ) -> (Shaped, Option<Vec<Option<Foot>>>) {
        let count = grid.slope.len();
        let mut shaping = Shaping {
            local: self,
            grid,
            shown,
            unit,
            shaped: Shaped::none(count),
            feet: with_feet.then(|| vec![None; count]),
            block: Block::new(),
            kept: Kept::default(),
        };
        if shown.refinements > 0 {
            let whole = shaping.part(0..grid.side, 0..count / grid.side);
            let ball_max_m = BALL_SPACINGS * self.scale.node_spacing_m(shown.refinements - 1);
            shaping.begin(&whole, ball_max_m as f32);
        }
        (shaping.shaped, shaping.feet)
    }
}

impl<U: Fn(usize) -> DVec3> Shaping<'_, U> {
    fn part(&self, columns: ops::Range<usize>, rows: ops::Range<usize>) -> Part {
        let halves = |range: &ops::Range<usize>| {
            let middle = range.start + range.len().div_ceil(2);
            if range.len() > PART_SIDE {
                vec![range.start..middle, middle..range.end]
            } else {
                vec![range.clone()]
            }
        };
        let (across, up) = (halves(&columns), halves(&rows));
        let middle = (rows.start + rows.len() / 2) * self.grid.side + columns.start + columns.len() / 2;
        if across.len() * up.len() == 1 {
            let (ball, is_out) = self.ball(&columns, &rows, middle);
            return Part { columns, rows, middle, ball, is_out, halves: Vec::new() };
        }
        let halves: Vec<Part> = up
            .iter()
            .flat_map(|rows| across.iter().map(|columns| self.part(columns.clone(), rows.clone())))
            .collect();
        let mut ball = self.no_ball(middle);
        for half in &halves {
            ball.radius_m =
                ball.radius_m.max(self.distance_m(ball.center, half.ball.center) + half.ball.radius_m);
            ball.slope_min = ball.slope_min.min(half.ball.slope_min);
            ball.slope_max = ball.slope_max.max(half.ball.slope_max);
        }
        let is_out = halves.iter().all(|half| half.is_out);
        Part { columns, rows, middle, ball, is_out, halves }
    }

    fn no_ball(&self, middle: usize) -> Ball {
        Ball { center: self.grid.at(middle), radius_m: 0.0, slope_min: f32::INFINITY, slope_max: 0.0 }
    }

    /// The ball around the places of a part, and whether all of them are out at sea.
    fn ball(&self, columns: &ops::Range<usize>, rows: &ops::Range<usize>, middle: usize) -> (Ball, bool) {
        let grid = self.grid;
        let mut ball = self.no_ball(middle);
        let mut include =
            |index: usize| ball.radius_m = ball.radius_m.max(self.distance_m(ball.center, grid.at(index)));
        let of_row = |row: usize| row * grid.side + columns.start..row * grid.side + columns.end;
        if grid.is_even {
            for row in [rows.start, rows.end - 1] {
                let places = of_row(row);
                include(places.start);
                include(places.end - 1);
            }
        } else {
            rows.clone().flat_map(of_row).for_each(include);
        }
        // Slopes are not below zero: their bits are in the same order.
        let (mut least, mut most) = (u32::MAX, 0);
        let mut is_out = !grid.is_out.is_empty();
        for row in rows.clone() {
            for slope in &grid.slope[of_row(row)] {
                least = least.min(slope.to_bits());
                most = most.max(slope.to_bits());
            }
            is_out = is_out && grid.is_out[of_row(row)].iter().all(|is_out| *is_out);
        }
        (ball.slope_min, ball.slope_max) = (f32::from_bits(least), f32::from_bits(most));
        (ball, is_out)
    }

    /// A little more than the distance of two places of the grid, ∞ if they are too far from each other to tell.
    fn distance_m(&self, a: [i32; 3], b: [i32; 3]) -> f32 {
        let m_per_fixed = self.local.scale.m_per_fixed();
        let away = |axis: usize| a[axis].wrapping_sub(b[axis]) as f32 * m_per_fixed;
        let (x, y, z) = (away(0), away(1), away(2));
        (x * x + y * y + z * z).sqrt() * 1.0001 + 0.01
    }

    /// Works on a part if one list of candidates will do for it, else on its halves.
    fn begin(&mut self, part: &Part, ball_max_m: f32) {
        if part.is_out {
            return;
        }
        if part.halves.is_empty() || self.is_small(part, ball_max_m) {
            let center = (self.unit)(part.middle);
            let (candidates, is_complete) =
                self.local.gather(center, &part.ball, self.grid.origin, self.shown);
            self.shaped.is_complete &= is_complete;
            self.descend(part, &candidates);
        } else {
            part.halves.iter().for_each(|half| self.begin(half, ball_max_m));
        }
    }

    /// Distances modulo 2^32 may be wrong for large parts: these are measured otherwise.
    fn is_small(&self, part: &Part, ball_max_m: f32) -> bool {
        let grid = self.grid;
        let corner = part.rows.start * grid.side + part.columns.start;
        let other = (part.rows.end - 1) * grid.side + part.columns.end - 1;
        let extent_m = ((self.unit)(corner) - (self.unit)(other)).length() * self.local.scale.radius_m;
        extent_m < f64::from(2.0 * ball_max_m) && part.ball.radius_m < ball_max_m
    }

    fn descend(&mut self, part: &Part, candidates: &Candidates) {
        let m_per_fixed = self.local.scale.m_per_fixed();
        if part.halves.is_empty() {
            let mut kept = std::mem::take(&mut self.kept);
            candidates.cull(&part.ball, m_per_fixed, &mut kept);
            self.finish(part, candidates, &kept);
            self.kept = kept;
            return;
        }
        for half in part.halves.iter().filter(|half| !half.is_out) {
            if half.halves.is_empty() {
                self.descend(half, candidates);
            } else {
                candidates.cull(&half.ball, m_per_fixed, &mut self.kept);
                let fewer = candidates.only(&self.kept);
                self.descend(half, &fewer);
            }
        }
    }

    fn finish(&mut self, part: &Part, candidates: &Candidates, kept: &Kept) {
        let Self { local, grid, block, shaped, feet, .. } = self;
        let rows = || {
            part.rows
                .clone()
                .map(|row| row * grid.side + part.columns.start..row * grid.side + part.columns.end)
        };
        let width = part.columns.len();
        block.count = width * part.rows.len();
        for (row, places) in rows().enumerate() {
            let slots = row * width..(row + 1) * width;
            for axis in 0..3 {
                block.place[axis][slots.clone()].copy_from_slice(&grid.place[axis][places.clone()]);
            }
            block.slope[slots].copy_from_slice(&grid.slope[places]);
        }
        block.shape(candidates, kept, local.scale.m_per_fixed());
        for (row, places) in rows().enumerate() {
            let slots = row * width..(row + 1) * width;
            shaped.ground_m[places.clone()].copy_from_slice(&block.ground_m[slots.clone()]);
            shaped.stream_m[places.clone()].copy_from_slice(&block.water_m[slots.clone()]);
            shaped.bank_m[places.clone()].copy_from_slice(&block.bank_m[slots.clone()]);
            if let Some(feet) = feet {
                for (slot, place) in slots.zip(places) {
                    let number = block.candidate[slot];
                    if number != NO_CANDIDATE {
                        feet[place] = Some(foot(local, grid, candidates, number, grid.at(place)));
                    }
                }
            }
        }
    }
}

/// The point of a candidate nearest to a place.
fn foot(local: &Local, grid: &Grid, candidates: &Candidates, number: u32, place: [i32; 3]) -> Foot {
    let scale = &local.scale;
    let (share, distance_m) = candidates.nearest(number, place, scale.m_per_fixed());
    let (start, along_m) = candidates.line(number);
    let point: [f64; 3] = std::array::from_fn(|axis| {
        let start = (grid.origin[axis] + i64::from(start[axis])) as f64 / scale.fixed_per_m;
        start + f64::from(share) * f64::from(along_m[axis])
    });
    Foot {
        unit: DVec3::from_array(point).normalize(),
        level_m: f64::from(candidates.level_m(number, share)),
        distance_m: f64::from(distance_m),
    }
}
