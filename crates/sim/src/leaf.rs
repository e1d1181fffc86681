//! The streams of one leaf: a cell that is not divided. One stream for each tier in which somebody follows it.

use crate::streams::Send;
use cell::CellId;
use glam::DVec3;
use std::ops::Range;
use wire::stream::{BlockOrder, CellStream, Placed, Tier};
use wire::{Block, INTERVALS, LATTICE_BITS};

/// What the streams go by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeafRules {
    /// Level of the planet's stream cells.
    pub(crate) level: u8,
    pub(crate) radius_m: f64,
    /// Sends a second.
    pub(crate) send_hz: f32,
    /// Sends from one block of a tier to the next, each of [`INTERVALS`].
    pub(crate) intervals: [u8; 3],
    /// Sends from one key of a tier to the next in a crowd: multiples of the intervals.
    crowd_key_intervals: [u8; 3],
    /// Bytes a second of a block, and of each moving body in it.
    block_bytes_per_s: [f32; 3],
    body_bytes_per_s: [f32; 3],
}

impl LeafRules {
    pub(crate) fn new(level: u8, radius_m: f64, send_hz: f32, intervals: [u8; 3]) -> Self {
        let blocks_per_s = intervals.map(|interval| send_hz / f32::from(interval));
        let body = |blocks_per_s: f32| {
            let times = libm::pow(TIMES_PER_DOUBLING, libm::log2(20.0 / f64::from(blocks_per_s))) as f32;
            blocks_per_s * FIRST_BYTES * times
        };
        Self {
            level,
            radius_m,
            send_hz,
            intervals,
            crowd_key_intervals: intervals.map(|interval| {
                let times = (CROWD_KEYS_S * send_hz / f32::from(interval)).ceil().max(1.0);
                interval * times.min(f32::from(u8::MAX / interval)) as u8
            }),
            block_bytes_per_s: blocks_per_s.map(|blocks| blocks * BLOCK_BYTES),
            body_bytes_per_s: blocks_per_s.map(body),
        }
    }
}

/// Bytes of a block besides its bodies, about: its head and the end of the coding.
const BLOCK_BYTES: f32 = 9.0;
/// Bytes that a moving body costs in a block, about, at twenty sends a second; so many times more if it was last told of
/// twice as long ago: then it has turned, stopped, or come from another cell.
const FIRST_BYTES: f32 = 0.55;
const TIMES_PER_DOUBLING: f64 = 1.5;
/// Bytes of a body in a key, about.
pub(crate) const KEY_BYTES: f32 = 6.0;

/// So many bodies are a crowd.
const CROWD: usize = 64;
/// Those who begin with a leaf in a crowd wait so long for each other.
const CROWD_KEYS_S: f32 = 0.5;

/// Which leaf, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spot {
    pub(crate) cell: CellId,
    pub(crate) slot: u32,
    /// Its middle, in metres from the planet's centre at sea level, and how far its corners are from there.
    pub(crate) centre_m: DVec3,
    pub(crate) reach_m: f64,
}

pub(crate) struct Leaf {
    pub(crate) spot: Spot,
    pub(crate) depth: u8,
    /// In it now, in ascending order of their ids.
    pub(crate) bodies: Vec<Placed>,
    /// Eighths of a lattice cell in a metre.
    eighths_per_m: f64,
    tiers: [Option<TierStream>; 3],
    /// Tiers that are sent in this send, or begin.
    is_due: [bool; 3],
    news: [Range<u32>; 3],
    keys: [Range<u32>; 3],
    block: Vec<u8>,
}

struct TierStream {
    stream: CellStream,
}

impl Leaf {
    pub(crate) fn new(cell: CellId, depth: u8, slot: u32, rules: &LeafRules) -> Self {
        let centre_m = cell.center() * rules.radius_m;
        let corners = cell.corners();
        let reach_m =
            corners.iter().map(|corner| (*corner * rules.radius_m).distance(centre_m)).fold(0.0, f64::max);
        let column_m = corners[0].distance(corners[1]) * rules.radius_m
            / f64::from(1_u32 << (u32::from(LATTICE_BITS) - 2 * u32::from(depth)));
        Self {
            spot: Spot { cell, slot, centre_m, reach_m },
            depth,
            bodies: vec![],
            eighths_per_m: 8.0 / column_m,
            tiers: [const { None }; 3],
            is_due: [true; 3],
            news: [const { 0..0 }; 3],
            keys: [const { 0..0 }; 3],
            block: vec![],
        }
    }

    pub(crate) fn clear(&mut self) {
        self.bodies.clear();
        self.keys = [const { 0..0 }; 3];
    }

    /// Moves a tier's stream on if it is due, and gives it up if nobody follows it.
    pub(crate) fn encode(
        &mut self,
        tier: Tier,
        is_followed: bool,
        send: &Send<'_>,
        has_left: &impl Fn(u32) -> bool,
        blocks: &mut Vec<u8>,
    ) {
        let index = tier as usize;
        // Without news too: whoever follows leaves side by side takes all that is between the first and the last.
        self.news[index] = blocks.len() as u32..blocks.len() as u32;
        let interval = send.rules.intervals[index];
        let is_due = (send.number.wrapping_add(spread(self.spot.cell))).is_multiple_of(interval.into());
        if !is_followed {
            self.tiers[index] = None;
        }
        // In a crowd somebody begins with every leaf at every send: so they share the work of several.
        let keys = if self.bodies.len() < CROWD { interval } else { send.rules.crowd_key_intervals[index] };
        let is_turn = send.number.wrapping_add(spread(self.spot.cell)).is_multiple_of(keys.into());
        self.is_due[index] = is_turn || self.tiers[index].is_none();
        let stride = self.stride(tier, &send.rules);
        let Some(TierStream { stream }) = self.tiers[index].as_mut().filter(|_| is_due) else { return };
        self.block.clear();
        if stream.advance(&self.bodies, stride, has_left, &mut self.block) {
            let order = BlockOrder { is_key: false, sequence: stream.sequence() };
            let block = Block { cell: self.spot.cell, tier, interval, order, bytes: &self.block };
            block.append_to(send.rules.level, blocks);
            self.news[index].end = blocks.len() as u32;
        }
    }

    /// Makes the key of a tier; its stream begins if nobody followed it.
    pub(crate) fn encode_key(&mut self, tier: Tier, send: &Send<'_>, blocks: &mut Vec<u8>) {
        let index = tier as usize;
        let stride = self.stride(tier, &send.rules);
        let (cell, depth) = (self.spot.cell, self.depth);
        let TierStream { stream } = self.tiers[index].get_or_insert_with(|| {
            let mut stream = CellStream::sender(cell, depth);
            let mut nobody = vec![];
            stream.advance(&self.bodies, stride, |_| false, &mut nobody);
            TierStream { stream }
        });
        self.block.clear();
        stream.keyframe(&mut self.block);
        let start = blocks.len() as u32;
        let order = BlockOrder { is_key: true, sequence: stream.sequence() };
        let interval = send.rules.intervals[index];
        Block { cell, tier, interval, order, bytes: &self.block }.append_to(send.rules.level, blocks);
        self.keys[index] = start..blocks.len() as u32;
    }

    /// Whether one may begin now: a beginner is told the present, and between two sends of a tier its state is of the
    /// former.
    pub(crate) fn may_begin(&self, tier: Tier) -> bool {
        self.is_due[tier as usize]
    }

    /// What followers of a tier get, in the blocks of the cell.
    pub(crate) fn news(&self, tier: usize) -> &Range<u32> {
        &self.news[tier]
    }

    /// What beginners get, in the keys of the cell.
    pub(crate) fn key(&self, tier: usize) -> &Range<u32> {
        &self.keys[tier]
    }

    /// What following costs by tier, in bytes a second: an estimate.
    pub(crate) fn cost(&self, rules: &LeafRules) -> [f32; 3] {
        let moving = self.bodies.iter().filter(|placed| placed.speed > 0).count() as f32;
        if moving == 0.0 {
            return [0.0; 3];
        }
        [0, 1, 2].map(|tier: usize| rules.block_bytes_per_s[tier] + moving * rules.body_bytes_per_s[tier])
    }

    /// How many eighths of a lattice cell a body at 1 m/s goes between two blocks of a tier.
    fn stride(&self, tier: Tier, rules: &LeafRules) -> u32 {
        let seconds = f64::from(rules.intervals[tier as usize]) / f64::from(rules.send_hz);
        (self.eighths_per_m * seconds).round() as u32
    }
}

/// Spreads the leaves' blocks of slow tiers evenly over the sends.
fn spread(cell: CellId) -> u32 {
    ((cell.raw() >> 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u32
}

/// The interval that is nearest to a wish.
pub(crate) fn nearest_interval(sends: f32) -> u8 {
    let off =
        |interval: &u8| (f32::from(*interval) / sends.max(1.0)).max(sends.max(1.0) / f32::from(*interval));
    let nearest = INTERVALS.into_iter().min_by(|a, b| off(a).total_cmp(&off(b)));
    nearest.expect("there are intervals")
}
