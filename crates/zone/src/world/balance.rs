//! Borders that move with the load: a zone that takes too much of a tick is split where its load halves, two neighbours
//! that take little become one.

use super::World;
use crate::journal::Change;
use cell::CellId;
use motion::{Ground, Pace};
use sim::EntityId;
use sim::handover::ZoneId;
use std::time::Duration;

/// When zones are split and merged.
#[derive(Clone, Debug)]
pub struct Balance {
    /// The fewest zones, as soon as there are bodies to divide.
    pub zones_min: usize,
    /// The most zones.
    pub zones_max: usize,
    /// Split above this share of a tick's time.
    pub split_share: f64,
    /// And above this one when the process as a whole has too much to do.
    pub wanted_split_share: f64,
    /// Two neighbours are merged if together they take less than this.
    pub merge_share: f64,
    /// The fewest cells of a zone.
    pub cells_min: u64,
    /// Over so many seconds.
    pub window_s: u32,
    /// What a zone's tick costs.
    pub cost: Cost,
}

/// What counts as a zone's load.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// The time it takes.
    Measured,
    /// So much for each body: where the same must happen again.
    PerBody(Duration),
}

impl Default for Balance {
    fn default() -> Self {
        Self {
            zones_min: 1,
            zones_max: 64,
            split_share: 0.6,
            wanted_split_share: 0.3,
            merge_share: 0.15,
            cells_min: 16,
            window_s: 5,
            cost: Cost::Measured,
        }
    }
}

/// What the last ticks of a zone took.
pub(super) struct Load {
    /// The tick that was just made.
    pub(super) spent: Duration,
    tick_s: f64,
    ring: Vec<f32>,
    next: usize,
    p95_share: f64,
}

impl Load {
    pub(super) fn new(pace: Pace) -> Self {
        let tick_s = 1.0 / f64::from(pace.hz());
        Self { spent: Duration::ZERO, tick_s, ring: vec![], next: 0, p95_share: 0.0 }
    }

    fn note(&mut self, share: f64, window: usize) {
        let share = share as f32;
        if self.ring.len() < window {
            self.ring.push(share);
        } else {
            self.ring[self.next % window] = share;
        }
        self.next = (self.next + 1) % window;
    }

    fn reckon(&mut self) {
        let mut shares = self.ring.clone();
        shares.sort_unstable_by(f32::total_cmp);
        self.p95_share = shares.get(shares.len() * 95 / 100).copied().unwrap_or(0.0).into();
    }

    pub(super) fn p95_share(&self) -> f64 {
        self.p95_share
    }

    /// None before a whole window has passed.
    fn known(&self, window: usize) -> Option<f64> {
        (self.ring.len() >= window).then_some(self.p95_share)
    }
}

impl<G: Ground + Clone + Send + Sync> World<G> {
    fn window(&self) -> usize {
        (self.config.balance.window_s * self.config.pace.hz()).max(1) as usize
    }

    pub(super) fn note_loads(&mut self) {
        let window = self.window();
        let reckons = self.tick.is_multiple_of(self.config.pace.hz().into());
        for held in &mut self.zones {
            let spent = match self.config.balance.cost {
                Cost::Measured => held.load.spent,
                Cost::PerBody(each) => each * u32::try_from(held.zone.body_count()).unwrap_or(u32::MAX),
            };
            let share = spent.as_secs_f64() / held.load.tick_s;
            held.load.note(share, window);
            if reckons {
                held.load.reckon();
            }
        }
    }

    /// Once a second, one border at most.
    pub(super) fn balance(&mut self) {
        if !self.tick.is_multiple_of(self.config.pace.hz().into()) {
            return;
        }
        let window = self.window();
        let Balance { zones_min, zones_max, split_share, wanted_split_share, merge_share, .. } =
            self.config.balance;
        let split_share = if self.is_split_wanted { wanted_split_share } else { split_share };
        if self.zones.len() < zones_min {
            let fullest = (0..self.zones.len()).max_by_key(|at| self.zones[*at].zone.body_count());
            if let Some(cell) = fullest.and_then(|at| self.halving_cell(at)) {
                self.split(cell);
            }
            return;
        }
        let heavy = (0..self.zones.len())
            .filter_map(|at| self.zones[at].load.known(window).map(|share| (at, share)))
            .filter(|(_, share)| *share > split_share)
            .max_by(|one, other| one.1.total_cmp(&other.1));
        if let Some((at, _)) = heavy
            && self.zones.len() < zones_max
            && let Some(cell) = self.halving_cell(at)
            && self.split(cell).is_some()
        {
            return;
        }
        if self.zones.len() <= zones_min {
            return;
        }
        let light = |pair: &[super::Held<G>]| {
            let [one, other] = [&pair[0], &pair[1]].map(|held| held.load.known(window));
            one.zip(other).is_some_and(|(one, other)| one + other < merge_share)
        };
        if let Some(at) = self.zones.windows(2).position(light) {
            self.merge(self.zones[at].id);
        }
    }

    /// The cell at which a zone's bodies halve; none if no border helps.
    fn halving_cell(&self, at: usize) -> Option<CellId> {
        let held = &self.zones[at];
        let mut cells: Vec<CellId> =
            held.zone.bodies().map(|(_, body)| self.cell_at(body.position)).collect();
        cells.sort_unstable();
        let half = cells.len() / 2;
        let middle = *cells.get(half)?;
        // The border is before or after the cell in the middle, wherever that is fairer.
        let before = cells.partition_point(|cell| *cell < middle);
        let after = cells.partition_point(|cell| *cell <= middle);
        let (count, border) = if half - before <= after - half || middle == held.last {
            (before, middle)
        } else {
            (after, middle.next()?)
        };
        (count > 0 && count < cells.len()).then_some(border)
    }

    /// How many cells there are from one to the other, both included.
    fn cells_between(&self, first: CellId, last: CellId) -> u64 {
        let step = 1 << (2 * (30 - u32::from(self.config.cell_level)) + 1);
        (last.raw() - first.raw()) / step + 1
    }

    /// Whether nothing is on its way to or from a zone.
    fn is_quiet(&self, at: usize) -> bool {
        let id = self.zones[at].id;
        self.zones[at].book.is_quiet()
            && self.messenger.is_empty()
            && self.zones.iter().all(|held| held.book.outgoing().all(|passage| passage.to != id))
    }

    /// Has the cells of a zone from one on become a zone of their own. None if they cannot.
    pub fn split(&mut self, cell: CellId) -> Option<ZoneId> {
        let at = self.index_of_cell(cell);
        let (first, last) = (self.zones[at].first, self.zones[at].last);
        let below = cell.prev().filter(|below| *below >= first)?;
        let cells_min = self.config.balance.cells_min;
        if self.cells_between(first, below) < cells_min
            || self.cells_between(cell, last) < cells_min
            || !self.is_quiet(at)
        {
            return None;
        }
        let mut new = self.empty_zone(cell, last);
        let held = &mut self.zones[at];
        held.last = below;
        let is_above = |body: &motion::Body| CellId::from_point(body.position) >= cell.range_min();
        let mut entities: Vec<EntityId> =
            held.zone.bodies().filter(|(_, body)| is_above(body)).map(|(entity, _)| entity).collect();
        entities.sort_unstable();
        new.book = held.book.split_off(new.id, &entities);
        for entity in entities {
            let mover = held.zone.take_out(entity).expect("it was just seen there");
            new.zone.enter(entity, mover).expect("there was room for it in the whole");
        }
        for (entity, epoch) in new.book.residents() {
            self.directory.claim(entity, epoch, new.id);
        }
        held.load = Load::new(self.config.pace);
        let id = new.id;
        let entities = new.book.residents().map(|(entity, _)| entity).collect();
        self.changes.push(Change::Split { zone: held.id, new: id, at: cell, tick: self.tick, entities });
        self.zones.insert(at + 1, new);
        self.counts.splits += 1;
        Some(id)
    }

    /// Has a zone take over the one above it. Whether it could.
    pub fn merge(&mut self, into: ZoneId) -> bool {
        let Some(at) = self.index_of_zone(into).filter(|at| at + 1 < self.zones.len()) else { return false };
        if !self.is_quiet(at) || !self.is_quiet(at + 1) {
            return false;
        }
        let mut above = self.zones.remove(at + 1);
        let held = &mut self.zones[at];
        let mut entities: Vec<EntityId> = above.zone.bodies().map(|(entity, _)| entity).collect();
        entities.sort_unstable();
        for entity in entities {
            let mover = above.zone.take_out(entity).expect("it was just seen there");
            held.zone.enter(entity, mover).expect("there is room for all");
        }
        held.last = above.last;
        held.book.absorb(above.book);
        held.load = Load::new(self.config.pace);
        for (entity, epoch) in held.book.residents() {
            self.directory.claim(entity, epoch, held.id);
        }
        self.last_words.push((above.id, above.keep.take_log(&mut above.zone)));
        self.changes.push(Change::Merge { into: held.id, from: above.id });
        self.counts.merges += 1;
        true
    }
}
