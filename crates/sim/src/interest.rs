//! One watcher: which cells it is told of, in which tier, and what of that goes into its next frame.
//!
//! Every cell nearer than [`INTEREST_ENTER_M`] is in its cover, none farther than [`INTEREST_LEAVE_M`]; in between a cell
//! stays as it was. The cover is looked at again when the watcher has moved [`LOOK_AGAIN_M`], and by that much the looks
//! are stricter than the promise.
//!
//! A watcher in a crowd follows a hundred leaves, and from one send to the next nearly nothing about that changes. So
//! what it is sent is kept as runs: leaves of one cell, side by side and in one tier, whose blocks are side by side too.
//! When a cell is divided, comes or goes, everybody around has to look again; of many, each in its turn, and until then
//! it does without runs.

use crate::budget::Budget;
use crate::frame::Frame;
use crate::governor::Measures;
use crate::leaf::KEY_BYTES;
use crate::streams::{Streams, region};
use crate::tiers::{Candidate, HYSTERESIS, Rules, choose};
use crate::zone::EntityId;
use cell::{CellId, cover_cap};
use glam::DVec3;
use motion::Body;
use std::cell::RefCell;
use std::collections::BTreeSet;
use wire::stream::Tier;
use wire::{FRAME_CELLS_MAX, FrameHead};

/// Cells nearer than this are sent.
pub const INTEREST_ENTER_M: f64 = 160.0;
/// Cells farther than this are not.
pub const INTEREST_LEAVE_M: f64 = 184.0;
/// The most cells a watcher follows: the closest.
const FOLLOWED_MAX: usize = 900;

const LOOK_AGAIN_M: f64 = 8.0;
/// Tiers are chosen again after so long, as others come and go.
const LOOK_AGAIN_S: f32 = 3.0;

/// What all watchers of a send are told by.
#[derive(Clone, Copy)]
pub(crate) struct Sending<'a> {
    pub(crate) terms: &'a Terms,
    pub(crate) streams: &'a Streams,
}

/// What is the same for all of them.
pub(crate) struct Terms {
    pub(crate) tick: u64,
    pub(crate) send: u32,
    /// Ticks from one send to the next.
    pub(crate) send_ticks: u32,
    /// Sends a second.
    pub(crate) send_hz: f32,
    /// Sends within which those look again around whom cells have changed.
    pub(crate) look_sends: u32,
    pub(crate) level: u8,
    pub(crate) radius_m: f64,
    pub(crate) measures: Measures,
    /// The leaves in which somebody has spoken in the last seconds.
    pub(crate) speaking: BTreeSet<CellId>,
}

/// Sends after which a watcher looks again at the latest.
pub(crate) fn look_again_sends(send_hz: f32) -> u32 {
    ((LOOK_AGAIN_S * send_hz) as u32).max(1)
}

/// A leaf that a watcher is told of.
#[derive(Clone, Copy, Debug)]
struct Followed {
    slot: u32,
    /// Counts the leaves that were looked at, with a gap after each cell.
    place: u32,
    /// In which tier it has been told of so far.
    current: Option<Tier>,
    wanted: Tier,
}

/// What is looked at only now and then, about the leaf at the same place of the list.
#[derive(Clone, Copy, Debug)]
struct Background {
    cell: CellId,
    born: u32,
    /// Grows while it waits to begin with the wanted tier, the quicker the more it matters.
    waiting: f32,
    weight: f32,
}

/// Leaves side by side that a watcher is told of in one tier: the first and the last slot.
#[derive(Clone, Copy, Debug)]
struct Run {
    first: u32,
    last: u32,
    tier: Tier,
}

/// One who watches.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    pub(crate) id: EntityId,
    /// The zone its body was in.
    pub(crate) zone: usize,
    /// In ascending order.
    cover: Vec<CellId>,
    regions: Vec<CellId>,
    covered_from: Option<DVec3>,
    /// The send of the last choice of tiers.
    looked: u32,
    /// The last send that it took part in.
    prepared: u32,
    /// In the order of cells.
    followed: Vec<Followed>,
    background: Vec<Background>,
    /// What is followed as it is sent, if they are right.
    runs: Vec<Run>,
    has_runs: bool,
    /// Cells around have changed since it looked: what it follows no longer lies side by side.
    is_stale: bool,
    /// Which of the followed wait to begin with the wanted tier.
    pending: Vec<u32>,
    /// Which begin in this send.
    beginning: Vec<u32>,
    /// Cells given up since the last frame.
    dropped: Vec<CellId>,
    /// It must forget all it knows: frames to it were dropped, or it has just come.
    is_restart: bool,
    budget: Budget,
    companions: Vec<EntityId>,
    /// What the last frame told of its body, and how many were left out since because there was no news.
    told: Option<(Body, u32)>,
    quiet_sends: u32,
    /// Its body and last input in this send.
    pub(crate) own: Option<(Body, u32)>,
    /// Where its companions are in this send, if it looks.
    pub(crate) companion_leaves: Vec<CellId>,
    pub(crate) frame: Option<Frame>,
    /// Bytes of the last frame: the own part, and by tier.
    pub(crate) sent: [u32; 4],
    /// Of these, what began.
    begun: u32,
}

thread_local! {
    /// One for all watchers that a thread works for: what is at hand is warm.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

#[derive(Debug, Default)]
struct Scratch {
    candidates: Vec<Candidate>,
    order: Vec<u64>,
    waiting: Vec<u32>,
    chosen: Vec<Option<Tier>>,
    next: Vec<Followed>,
    next_background: Vec<Background>,
    slices: Vec<(u32, u32)>,
    head: Vec<u8>,
}

impl Watcher {
    /// One who has seen nothing yet.
    pub(crate) fn new(id: EntityId) -> Self {
        Self { id, is_restart: true, ..Self::default() }
    }

    pub(crate) fn contains(&self, cell: CellId) -> bool {
        self.cover.binary_search(&cell).is_ok()
    }

    /// Everything begins again with keys.
    pub(crate) fn restart(&mut self) {
        self.is_restart = true;
        self.dropped.clear();
        self.told = None;
        self.has_runs = false;
        for followed in &mut self.followed {
            followed.current = None;
        }
        self.pending.clear();
        self.pending.extend(0..self.followed.len() as u32);
    }

    /// Blocks of these cells were lost: they begin again. What is not followed is given up once more.
    pub(crate) fn missed(&mut self, cells: &[CellId]) {
        for cell in cells {
            if let Ok(at) = self.background.binary_search_by_key(cell, |known| known.cell) {
                let followed = &mut self.followed[at];
                if followed.current.take() == Some(followed.wanted) {
                    self.pending.push(at as u32);
                }
                self.has_runs = false;
            } else if self.dropped.len() < FRAME_CELLS_MAX && !self.dropped.contains(cell) {
                self.dropped.push(*cell);
            }
        }
    }

    pub(crate) fn set_companions(&mut self, companions: &[EntityId]) {
        self.companions.clear();
        self.companions.extend(companions.iter().take(COMPANIONS_MAX));
        self.looked = 0;
    }

    pub(crate) fn companions(&self) -> &[EntityId] {
        &self.companions
    }

    /// Chooses tiers if it is time to, and what begins in this send.
    pub(crate) fn prepare(&mut self, sending: &Sending<'_>) {
        let Some((own, _)) = self.own else { return };
        self.budget.earn(sending.terms.measures.bytes_per_s, 1.0 / sending.terms.send_hz);
        // What it knew may be long gone.
        let was_away = self.prepared + 1 != sending.terms.send;
        self.prepared = sending.terms.send;
        let has_changed = sending.streams.has_changed(&self.regions, self.looked);
        if has_changed {
            self.has_runs = false;
            // Who is so close is not left standing.
            let is_gone = |followed: &Followed| sending.streams.slot(followed.slot).is_gone;
            let mut near = self.followed.iter().filter(|followed| followed.current == Some(Tier::Near));
            if near.any(is_gone) {
                self.looked = 0;
            }
        }
        self.is_stale = has_changed;
        SCRATCH.with_borrow_mut(|scratch| {
            if self.cover(own.position, sending) || was_away || self.is_look_due(has_changed, sending) {
                self.look(own.position, sending, scratch);
                self.is_stale = false;
            }
            self.begin(sending, &mut scratch.waiting);
        });
    }

    /// Whether the cover has changed.
    fn cover(&mut self, position: DVec3, sending: &Sending<'_>) -> bool {
        if self.covered_from.is_some_and(|from| from.distance_squared(position) < LOOK_AGAIN_M * LOOK_AGAIN_M)
        {
            return false;
        }
        self.covered_from = Some(position);
        let cover = |within_m: f64| {
            cover_cap(position, within_m / sending.terms.radius_m, sending.terms.level)
                .expect("an interest area is some fifty cells")
        };
        let near = cover(INTEREST_ENTER_M + LOOK_AGAIN_M);
        let mut kept = cover(INTEREST_LEAVE_M - LOOK_AGAIN_M);
        kept.retain(|cell| self.cover.binary_search(cell).is_ok() || near.binary_search(cell).is_ok());
        self.cover = kept;
        self.regions.clear();
        self.regions.extend(self.cover.iter().map(|cell| region(*cell)));
        self.regions.dedup();
        true
    }

    fn is_look_due(&self, has_changed: bool, sending: &Sending<'_>) -> bool {
        // Spread over the sends by who it is, among those whose frames are made in this one.
        let turn = sending.terms.send + self.id.0 / sending.terms.send_ticks;
        let is_turn = |sends: u32| turn.is_multiple_of(sends.max(1));
        let patience = look_again_sends(sending.terms.send_hz);
        // One who was sent too much has less chosen for it soon.
        is_turn(if self.budget.is_spent() { patience / 3 } else { patience })
            || self.looked == 0
            || has_changed && is_turn(sending.terms.look_sends)
    }

    /// Chooses what to follow and in which tier.
    fn look(&mut self, position: DVec3, sending: &Sending<'_>, scratch: &mut Scratch) {
        self.looked = sending.terms.send;
        let Scratch { candidates, order, chosen, next, next_background, .. } = scratch;
        candidates.clear();
        next.clear();
        next_background.clear();
        // At sea level, as the leaves' middles.
        let here = position * (sending.terms.radius_m / position.length());
        let enter_m = sending.terms.measures.far_m;
        let (mut at, mut place) = (0, 0);
        let mut old = self.followed.iter().zip(&self.background).peekable();
        for cell in &self.cover {
            place += 1;
            for leaf in sending.streams.leaves(*cell, &mut at) {
                place += 1;
                while old.next_if(|(_, old)| old.cell < leaf.cell).is_some() {}
                let slot = sending.streams.slot(leaf.slot);
                let before = old
                    .next_if(|(_, old)| old.cell == leaf.cell)
                    .filter(|(followed, old)| followed.slot == leaf.slot && old.born == slot.born);
                let current = before.and_then(|(before, _)| before.current);
                let middle_m = leaf.centre_m.distance(here);
                let near_m = (middle_m - leaf.reach_m).max(0.0) as f32;
                let radius_m = if current.is_some() { enter_m * HYSTERESIS } else { enter_m };
                if near_m > radius_m {
                    continue;
                }
                candidates.push(Candidate {
                    near_m,
                    far_m: (middle_m + leaf.reach_m) as f32,
                    bodies: slot.bodies,
                    cost: slot.cost,
                    current,
                    has_companion: self.companion_leaves.binary_search(&leaf.cell).is_ok(),
                    has_speaker: sending.terms.speaking.contains(&leaf.cell),
                });
                next.push(Followed { slot: leaf.slot, place, current, wanted: Tier::Far });
                next_background.push(Background {
                    cell: leaf.cell,
                    born: slot.born,
                    waiting: before.map_or(0.0, |(_, before)| before.waiting),
                    weight: (1 + slot.bodies) as f32 / (10.0 + near_m),
                });
            }
        }
        let rules = Rules {
            near_m: sending.terms.measures.near_m,
            mid_m: sending.terms.measures.mid_m,
            bytes_per_s: sending.terms.measures.bytes_per_s * self.budget.share(),
        };
        choose(candidates, rules, order, chosen);
        for index in order.iter().skip(FOLLOWED_MAX) {
            chosen[*index as u32 as usize] = None;
        }
        let mut tiers = chosen.iter();
        next.retain_mut(|followed| match tiers.next().expect("one for each candidate") {
            Some(tier) => {
                followed.wanted = *tier;
                true
            }
            None => false,
        });
        let mut tiers = chosen.iter();
        next_background.retain(|_| tiers.next().is_some_and(Option::is_some));
        // What is followed no longer.
        let mut kept = next_background.iter().peekable();
        let before =
            self.followed.iter().zip(&self.background).filter(|(before, _)| before.current.is_some());
        for (_, before) in before {
            while kept.next_if(|kept| kept.cell < before.cell).is_some() {}
            let is_kept =
                kept.peek().is_some_and(|kept| kept.cell == before.cell && kept.born == before.born);
            if !is_kept && self.dropped.len() < FRAME_CELLS_MAX {
                self.dropped.push(before.cell);
            }
        }
        self.followed.clone_from(next);
        self.background.clone_from(next_background);
        self.has_runs = false;
        self.pending.clear();
        for (index, followed) in (0..).zip(&self.followed) {
            if let Some(current) = followed.current {
                sending.streams.slot(followed.slot).follow(current, sending.terms.send);
            }
            if followed.current != Some(followed.wanted) {
                self.pending.push(index);
            }
        }
    }

    /// Picks what begins in this send: all that waits, or what matters most of it and fits.
    fn begin(&mut self, sending: &Sending<'_>, order: &mut Vec<u32>) {
        self.beginning.clear();
        if self.pending.is_empty() {
            return;
        }
        order.clear();
        for index in &self.pending {
            let (index, followed) = (*index, &self.followed[*index as usize]);
            let background = &mut self.background[index as usize];
            // Nothing to look at is worse than something a little old.
            background.waiting += background.weight * if followed.current.is_none() { 4.0 } else { 1.0 };
            if sending.streams.slot(followed.slot).may_begin[followed.wanted as usize] {
                order.push(index);
            }
        }
        let cost = |followed: &Followed| 10.0 + sending.streams.slot(followed.slot).bodies as f32 * KEY_BYTES;
        // News will be about what they were.
        let news = (self.sent.iter().sum::<u32>() - self.begun) as f32;
        let mut room = self.budget.for_beginnings(news, 1.0 / sending.terms.send_hz);
        let all: f32 = order.iter().map(|index| cost(&self.followed[*index as usize])).sum();
        if all > room {
            order.sort_unstable_by(|a, b| {
                let waiting = |index: &u32| self.background[*index as usize].waiting;
                waiting(b).total_cmp(&waiting(a)).then(a.cmp(b))
            });
        }
        for index in order.iter() {
            let followed = &mut self.followed[*index as usize];
            room -= cost(followed);
            // Of what it was told in another tier, there is no news any more.
            followed.current = None;
            self.beginning.push(*index);
            self.background[*index as usize].waiting = 0.0;
            sending.streams.slot(followed.slot).want(followed.wanted);
            // The last one may be a little too much: else a great one would wait for ever.
            if room <= 0.0 {
                break;
            }
        }
        if !self.beginning.is_empty() {
            self.has_runs = false;
            self.beginning.sort_unstable();
            self.pending.retain(|index| self.beginning.binary_search(index).is_err());
        }
    }

    /// Makes the frame, unless there is no news.
    pub(crate) fn make(&mut self, sending: &Sending<'_>) {
        SCRATCH.with_borrow_mut(|scratch| self.make_with(sending, scratch));
    }

    fn make_with(&mut self, sending: &Sending<'_>, scratch: &mut Scratch) {
        let Some((own, last_input_seq)) = self.own else { return };
        let streams = sending.streams;
        let mut slices = Slices::new(&mut scratch.slices);
        if !self.has_runs {
            make_runs(&self.followed, self.is_stale, &mut self.runs);
        }
        for run in &self.runs {
            let (first, last) = (streams.news(run.first, run.tier), streams.news(run.last, run.tier));
            slices.push(run.tier, run.tier as usize, &(first.start..last.end));
        }
        for index in &self.beginning {
            let followed = &mut self.followed[*index as usize];
            let slot = streams.slot(followed.slot);
            slices.push(followed.wanted, KEYS, &slot.keys[followed.wanted as usize]);
            slot.follow(followed.wanted, sending.terms.send);
            followed.current = Some(followed.wanted);
        }
        self.has_runs = self.beginning.is_empty() && !self.is_stale;
        let Slices { all, bytes: [near, mid, far], begun, .. } = slices;
        let told = (own, last_input_seq);
        let has_news = !all.is_empty() || !self.dropped.is_empty() || self.is_restart;
        if !has_news && self.told == Some(told) && self.quiet_sends + 1 < sending.terms.send_hz as u32 {
            self.quiet_sends += 1;
            return;
        }
        self.told = Some(told);
        self.quiet_sends = 0;
        let is_restart = std::mem::take(&mut self.is_restart);
        let head = FrameHead {
            tick: sending.terms.tick as u32,
            is_restart,
            level: sending.terms.level,
            last_input_seq,
            own,
        };
        let frame = Frame::new(&head, &self.dropped, &streams.buffer, all, &mut scratch.head);
        self.dropped.clear();
        let bytes = frame.byte_count();
        self.budget.spend(bytes);
        self.begun = begun;
        self.sent = [bytes as u32 - near - mid - far, near, mid, far];
        self.frame = Some(frame);
    }
}

/// With `is_stale` every leaf is a run of its own: one that is gone has no place any more, and between two others there
/// may be new ones.
fn make_runs(followed: &[Followed], is_stale: bool, runs: &mut Vec<Run>) {
    runs.clear();
    let mut before = None;
    for Followed { slot, place, current, .. } in followed {
        let Some(tier) = *current else { continue };
        let is_next = before == place.checked_sub(1) && !is_stale;
        match runs.last_mut().filter(|run| is_next && run.tier == tier) {
            Some(run) => run.last = *slot,
            None => runs.push(Run { first: *slot, last: *slot, tier }),
        }
        before = Some(*place);
    }
}

/// The most companions that are looked after.
pub const COMPANIONS_MAX: usize = 64;

/// What keys are among the kinds of slices: those before are news, by tier.
const KEYS: usize = 3;

/// Ranges of the shared buffer, neighbours joined.
struct Slices<'a> {
    all: &'a mut Vec<(u32, u32)>,
    /// Where the last one of news of each tier, and of keys, is in the list.
    last: [Option<u32>; 4],
    bytes: [u32; 3],
    begun: u32,
}

impl<'a> Slices<'a> {
    fn new(all: &'a mut Vec<(u32, u32)>) -> Self {
        all.clear();
        Self { all, last: [None; 4], bytes: [0; 3], begun: 0 }
    }

    fn push(&mut self, tier: Tier, kind: usize, range: &std::ops::Range<u32>) {
        if range.is_empty() {
            return;
        }
        let bytes = range.end - range.start;
        self.bytes[tier as usize] += bytes;
        if kind == KEYS {
            self.begun += bytes;
        }
        if let Some(last) = self.last[kind] {
            let last = &mut self.all[last as usize];
            if last.1 == range.start {
                last.1 = range.end;
                return;
            }
        }
        self.last[kind] = Some(self.all.len() as u32);
        self.all.push((range.start, range.end));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_side_by_side_in_one_tier_are_one_run_until_cells_change() {
        let followed = |slot, place, current| Followed { slot, place, current, wanted: Tier::Near };
        let near = Some(Tier::Near);
        let all = [
            followed(9, 2, near),
            followed(4, 3, near),
            followed(5, 4, Some(Tier::Mid)),
            followed(6, 5, None),
            followed(7, 6, Some(Tier::Mid)),
            // Of another cell: there is a gap.
            followed(8, 8, Some(Tier::Mid)),
        ];
        let runs = |is_stale| {
            let mut runs = vec![];
            make_runs(&all, is_stale, &mut runs);
            runs.iter().map(|run| (run.first, run.last)).collect::<Vec<_>>()
        };
        assert_eq!(runs(false), [(9, 4), (5, 5), (7, 7), (8, 8)]);
        assert_eq!(runs(true), [(9, 9), (4, 4), (5, 5), (7, 7), (8, 8)]);
    }
}
