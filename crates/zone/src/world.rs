//! All zones of a process as one world.
//!
//! A zone is a contiguous range of cells in ascending order; together they are the whole planet. [`World::tick`] lets all
//! of them move their bodies, on as many threads as there are, and then hands over those that have crossed a border, with
//! the messages of [`sim::handover`]. What comes of it is the same whatever the number of threads and wherever the
//! borders are, because in a tick no body looks at another. What does look across borders (elbow room for who arrives,
//! who hears somebody, who stands near whom) is asked of the world, between ticks.
//!
//! Everything that changes the world goes through here and is noted: [`World::take_record`] gives what happened in a tick
//! for the journal, [`World::snapshot`] all there is. A zone that panics is made again from what was noted.

mod balance;
mod crossing;
mod kept;
mod recovery;
mod replayed;
mod threads;

pub use balance::{Balance, Cost};
pub use crossing::{InProcess, Messenger};
pub use kept::RestoreError;
pub use replayed::{ReplayFault, Replayed, Replaying, replay};
pub(crate) use threads::Threads;

use crate::clock::Clock;
use crate::journal::{Change, TickRecord};
use balance::Load;
use cell::{CellId, cover_cap};
use glam::DVec3;
use motion::{Body, ClosedLand, Ground, Input, Pace};
use sim::handover::{Book, Directory, Entry, Message, ZoneId};
use sim::{
    Arrival, EntityId, Grant, Incident, InputError, Mover, Offence, Spread as _, Zone, ZoneFull, ZoneView,
    body_at, find_place,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Nobody stands nearer than this to one who arrives.
const ELBOW_ROOM_M: f64 = 2.0;

/// What a world is made with.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Level of the cells that streams, interest and borders go by.
    pub cell_level: u8,
    /// Ticks per second.
    pub pace: Pace,
    /// Where chance comes from.
    pub seed: u64,
    /// The most bodies, of all zones together.
    pub bodies_max: usize,
    /// How many threads move bodies and make frames.
    pub threads: usize,
    /// When zones are split and merged.
    pub balance: Balance,
}

/// How a zone does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ZoneInfo {
    /// Which.
    pub id: ZoneId,
    /// Its first cell.
    pub first: CellId,
    /// Its last cell.
    pub last: CellId,
    /// Bodies in it.
    pub bodies: usize,
    /// The share of a tick's time that its own ticks take, 95 of 100 of them at most.
    pub load: f64,
    /// How often it was made again after a panic.
    pub recoveries: u64,
}

/// What has happened since the world began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bodies that went from one zone to another.
    pub handovers: u64,
    /// Zones that were split.
    pub splits: u64,
    /// Zones that were merged into another.
    pub merges: u64,
    /// Zones that were made again after a panic.
    pub recoveries: u64,
    /// Bodies that could not be saved from a zone that panicked.
    pub lost: u64,
}

/// A zone and what the world knows of it.
struct Held<G> {
    id: ZoneId,
    first: CellId,
    last: CellId,
    zone: Zone<G>,
    book: Book<Mover>,
    load: Load,
    keep: recovery::Keep,
}

/// All zones.
pub struct World<G> {
    config: WorldConfig,
    ground: G,
    clock: Arc<dyn Clock>,
    tick: u64,
    last_entity: u32,
    next_seed: u32,
    last_zone: u32,
    /// In ascending order of their cells, without a gap.
    zones: Vec<Held<G>>,
    directory: Directory,
    messenger: Box<dyn Messenger>,
    /// Bodies that have left the world while they were between two zones.
    leaving: BTreeSet<EntityId>,
    threads: Threads,
    changes: Vec<Change>,
    /// What zones that have ended noted in this tick.
    last_words: Vec<(ZoneId, Vec<u8>)>,
    /// Bodies that could not be saved, and where they were.
    lost: Vec<(EntityId, Option<Body>)>,
    is_split_wanted: bool,
    counts: Counts,
    /// Zones that are to panic in their next tick.
    #[cfg(debug_assertions)]
    planted: Vec<ZoneId>,
}

impl<G: Ground + Clone + Send + Sync> World<G> {
    /// An empty world of one zone.
    pub fn new(config: WorldConfig, ground: G, clock: Arc<dyn Clock>) -> Self {
        let mut world = Self::void(config, ground, clock);
        let (first, last) = world.all_cells();
        let whole = world.empty_zone(first, last);
        world.zones.push(whole);
        world
    }

    /// Without even a zone.
    fn void(config: WorldConfig, ground: G, clock: Arc<dyn Clock>) -> Self {
        let threads = Threads::start(config.threads);
        Self {
            config,
            ground,
            clock,
            tick: 0,
            last_entity: 0,
            next_seed: 0,
            last_zone: 0,
            zones: vec![],
            directory: Directory::default(),
            messenger: Box::new(InProcess::default()),
            leaving: BTreeSet::new(),
            threads,
            changes: vec![],
            last_words: vec![],
            lost: vec![],
            is_split_wanted: false,
            counts: Counts::default(),
            #[cfg(debug_assertions)]
            planted: vec![],
        }
    }

    /// Has messages between zones go another way.
    pub fn set_messenger(&mut self, messenger: Box<dyn Messenger>) {
        self.messenger = messenger;
    }

    fn all_cells(&self) -> (CellId, CellId) {
        let level = self.config.cell_level;
        (CellId::from_face(0).range_min().parent(level), CellId::from_face(5).range_max().parent(level))
    }

    fn zone_config(&self) -> sim::ZoneConfig {
        let WorldConfig { cell_level, pace, seed, bodies_max, .. } = self.config;
        sim::ZoneConfig { cell_level, bodies_max, pace, seed }
    }

    fn empty_zone(&mut self, first: CellId, last: CellId) -> Held<G> {
        self.last_zone += 1;
        let id = ZoneId(self.last_zone);
        let zone = Zone::new_at(self.zone_config(), self.ground.clone(), self.tick);
        self.hold(id, first, last, zone, Book::new(id))
    }

    fn hold(&self, id: ZoneId, first: CellId, last: CellId, mut zone: Zone<G>, book: Book<Mover>) -> Held<G> {
        zone.set_recording(true);
        let keep = recovery::Keep::new(&zone);
        Held { id, first, last, zone, book, load: Load::new(self.config.pace), keep }
    }

    /// What it was made with.
    pub fn config(&self) -> &WorldConfig {
        &self.config
    }

    /// The ground.
    pub fn ground(&self) -> &G {
        &self.ground
    }

    /// Ticks since the world began.
    pub fn tick_count(&self) -> u64 {
        self.tick
    }

    /// How many bodies there are, those between two zones included.
    pub fn body_count(&self) -> usize {
        self.directory.len()
    }

    /// What has happened.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// All zones, in the order of their cells.
    pub fn zones(&self) -> Vec<ZoneInfo> {
        let info = |held: &Held<G>| ZoneInfo {
            id: held.id,
            first: held.first,
            last: held.last,
            bodies: held.zone.body_count(),
            load: held.load.p95_share(),
            recoveries: held.keep.recoveries,
        };
        self.zones.iter().map(info).collect()
    }

    /// The zone that has a cell.
    fn index_of_cell(&self, cell: CellId) -> usize {
        self.zones.partition_point(|held| held.first <= cell).saturating_sub(1)
    }

    fn index_of_zone(&self, id: ZoneId) -> Option<usize> {
        self.zones.iter().position(|held| held.id == id)
    }

    fn index_of(&self, entity: EntityId) -> Option<usize> {
        self.index_of_zone(self.directory.zone_of(entity)?)
    }

    fn cell_at(&self, point: DVec3) -> CellId {
        CellId::from_point(point).parent(self.config.cell_level)
    }

    /// Adds a body at rest, outside of all that is closed to it around the places of its arrival.
    pub fn join(&mut self, arrival: Arrival, closed: ClosedLand) -> Result<EntityId, ZoneFull> {
        if self.body_count() >= self.config.bodies_max {
            return Err(ZoneFull);
        }
        let entity = EntityId(self.last_entity.checked_add(1).ok_or(ZoneFull)?);
        let mut next_seed = self.next_seed;
        let is_free = |place| self.is_free(place);
        let people = self.body_count();
        let (place, facing) = find_place(arrival, &closed, &self.ground, &mut next_seed, people, is_free);
        self.next_seed = next_seed;
        self.enter(entity, Mover::new(body_at(place, facing, &self.ground), closed))?;
        Ok(entity)
    }

    /// Adds a body that is known already, under a number that no other has had.
    fn enter(&mut self, entity: EntityId, mover: Mover) -> Result<(), ZoneFull> {
        let at = self.index_of_cell(self.cell_at(mover.body().position));
        let held = &mut self.zones[at];
        held.zone.enter(entity, mover)?;
        self.last_entity = self.last_entity.max(entity.0);
        let entry = Entry::Born(entity);
        held.book.apply(&entry);
        self.directory.claim(entity, 0, held.id);
        self.changes.push(Change::Entry { zone: held.id, entry });
        Ok(())
    }

    fn is_free(&self, place: DVec3) -> bool {
        let point = place * self.ground.radius_m();
        self.zones_near(point, ELBOW_ROOM_M).into_iter().all(|at| self.zones[at].zone.is_free(place))
    }

    /// Which zones have cells within `radius_m` of a point.
    fn zones_near(&self, point: DVec3, radius_m: f64) -> Vec<usize> {
        if self.zones.len() == 1 {
            return vec![0];
        }
        let cells = cover_cap(point, radius_m / self.ground.radius_m(), self.config.cell_level);
        let cells = cells.expect("a neighbourhood is a few cells");
        let mut near: Vec<_> = cells.into_iter().map(|cell| self.index_of_cell(cell)).collect();
        near.dedup();
        near
    }

    /// Takes a body out and gives its last state.
    pub fn leave(&mut self, entity: EntityId) -> Option<Body> {
        let at = self.index_of(entity)?;
        self.directory.forget(entity);
        let held = &mut self.zones[at];
        if let Some(mover) = held.zone.take_out(entity) {
            let entry = Entry::Gone(entity);
            held.book.apply(&entry);
            self.changes.push(Change::Entry { zone: held.id, entry });
            return Some(*mover.body());
        }
        // Between two zones: it cannot be called back, and ends where it arrives.
        let body = *held.book.outgoing().find(|passage| passage.entity == entity)?.state.body();
        self.leaving.insert(entity);
        self.changes.push(Change::Leaving(entity));
        Some(body)
    }

    /// Queues a player's inputs. Those for a body between two zones are lost, as on a bad line.
    pub fn take_inputs(
        &mut self,
        entity: EntityId,
        first_seq: u32,
        inputs: &[Input],
    ) -> Result<(), InputError> {
        let at = self.index_of(entity).ok_or(InputError::NoBody)?;
        let held = &mut self.zones[at];
        if held.book.holds(entity) { held.zone.take_inputs(entity, first_seq, inputs) } else { Ok(()) }
    }

    /// See [`Zone::restart_inputs`].
    pub fn restart_inputs(&mut self, entity: EntityId) -> bool {
        self.index_of(entity).is_some_and(|at| self.zones[at].zone.restart_inputs(entity))
    }

    /// See [`Zone::set_closed`]. False for a body between two zones, too.
    pub fn set_closed(&mut self, entity: EntityId, closed: ClosedLand) -> bool {
        self.index_of(entity).is_some_and(|at| self.zones[at].zone.set_closed(entity, closed))
    }

    /// Where a body may not go.
    pub fn closed(&self, entity: EntityId) -> Option<&ClosedLand> {
        self.zones[self.index_of(entity)?].zone.closed(entity)
    }

    /// See [`Zone::blame`].
    pub fn blame(&mut self, entity: EntityId, offence: Offence) -> bool {
        self.index_of(entity).is_some_and(|at| self.zones[at].zone.blame(entity, offence))
    }

    /// See [`Zone::score`].
    pub fn score(&self, entity: EntityId) -> Option<u32> {
        self.zones[self.index_of(entity)?].zone.score(entity)
    }

    /// See [`Zone::teleport`]. The body changes its zone at the end of the tick.
    pub fn teleport(&mut self, entity: EntityId, grant: Grant) -> bool {
        self.index_of(entity).is_some_and(|at| self.zones[at].zone.teleport(entity, grant))
    }

    /// What all zones noticed since the last call.
    pub fn take_incidents(&mut self) -> Vec<Incident> {
        self.zones.iter_mut().flat_map(|held| held.zone.take_incidents()).collect()
    }

    /// Bodies that could not be saved from a zone that panicked, and where they were if that is known.
    pub fn take_lost(&mut self) -> Vec<(EntityId, Option<Body>)> {
        std::mem::take(&mut self.lost)
    }

    /// A body's state and the number of the last input applied to it.
    pub fn body(&self, entity: EntityId) -> Option<(&Body, u32)> {
        let held = &self.zones[self.index_of(entity)?];
        held.zone.body(entity).or_else(|| {
            let passage = held.book.outgoing().find(|passage| passage.entity == entity)?;
            Some((passage.state.body(), passage.state.applied_seq()))
        })
    }

    /// Every body that a zone has.
    pub fn bodies(&self) -> impl Iterator<Item = (EntityId, &Body)> {
        self.zones.iter().flat_map(|held| held.zone.bodies())
    }

    /// The bodies within `radius_m` of a point, whatever their zones.
    pub fn bodies_within(&self, point: DVec3, radius_m: f64) -> Vec<EntityId> {
        let near = self.zones_near(point, radius_m).into_iter();
        near.flat_map(|at| self.zones[at].zone.bodies_within(point, radius_m)).collect()
    }

    /// Advances the world by one tick.
    pub fn tick(&mut self) {
        self.tick += 1;
        #[cfg(debug_assertions)]
        let planted = std::mem::take(&mut self.planted);
        let clock = &self.clock;
        self.threads.for_each(&mut self.zones, |held| {
            let started = clock.elapsed();
            held.keep.guard(&mut held.zone, |zone| {
                #[cfg(debug_assertions)]
                assert!(!planted.contains(&held.id), "a panic, as somebody wished");
                zone.tick();
            });
            held.load.spent = clock.elapsed().saturating_sub(started);
        });
        self.recover();
        self.hand_over();
        self.note_loads();
        self.balance();
    }

    /// Makes zones ready to be looked at by [`World::views`]; nobody may come or go between.
    pub fn publish(&mut self) {
        self.threads.for_each(&mut self.zones, |held| held.keep.guard(&mut held.zone, Zone::publish));
        if self.zones.iter().any(|held| held.keep.is_broken) {
            self.recover();
            self.zones.iter_mut().for_each(|held| held.zone.publish());
        }
    }

    /// What those who watch see, in the order of cells.
    pub fn views(&self) -> Vec<ZoneView<'_>> {
        self.zones.iter().map(|held| held.zone.view()).collect()
    }

    /// The threads, for other work between ticks.
    pub(crate) fn threads(&self) -> &Threads {
        &self.threads
    }

    /// Notes something that is not of a zone.
    pub(crate) fn note(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Has zones be split sooner, or no longer: the process as a whole has too much to do.
    pub fn want_split(&mut self, is_wanted: bool) {
        self.is_split_wanted = is_wanted;
    }

    /// What has happened since the last call, to be asked after each tick.
    pub fn take_record(&mut self) -> TickRecord {
        let mut logs = std::mem::take(&mut self.last_words);
        for held in &mut self.zones {
            let log = held.keep.take_log(&mut held.zone);
            if !log.is_empty() {
                logs.push((held.id, log));
            }
        }
        TickRecord {
            last_entity: self.last_entity,
            next_seed: self.next_seed,
            changes: std::mem::take(&mut self.changes),
            logs,
        }
    }

    /// A fingerprint of all bodies, the same wherever borders are.
    pub fn bodies_hash(&self) -> u64 {
        self.zones.iter().fold(0, |sum, held| sum.wrapping_add(held.zone.bodies_hash()))
    }

    /// How often each body is in a zone or on its way between two: what must be once.
    pub fn census(&self) -> BTreeMap<EntityId, usize> {
        let mut census = BTreeMap::new();
        for held in &self.zones {
            let has_arrived = |message: &Message<Mover>| {
                let to = self.index_of_zone(message.to());
                to.is_some_and(|at| self.zones[at].book.hear(message).entry.is_none())
            };
            let frozen = held.book.unanswered().filter(|message| !has_arrived(message));
            let frozen = frozen.filter_map(|message| match message {
                Message::Transfer { passage, .. } => Some(passage.entity),
                Message::Ack { .. } => None,
            });
            let frozen = frozen.filter(|entity| !self.leaving.contains(entity));
            for entity in held.zone.bodies().map(|(entity, _)| entity).chain(frozen) {
                *census.entry(entity).or_default() += 1;
            }
        }
        census
    }

    /// Has a zone panic in its next tick: for tests, and only where assertions are on.
    #[cfg(debug_assertions)]
    pub fn plant_panic(&mut self, zone: ZoneId) {
        self.planted.push(zone);
    }
}
