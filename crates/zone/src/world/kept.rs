//! The world in the journal and back.

use super::{Held, World, WorldConfig};
use crate::clock::Clock;
use crate::journal::{Change, Person, Stretch, TickRecord, WorldSnapshot, ZoneSnapshot};
use cell::CellId;
use motion::Ground;
use sim::handover::{Book, Entry, ZoneId};
use sim::{EntityId, Mover, Spread as _, Zone};
use std::collections::BTreeMap;
use std::sync::Arc;
use tracing::error;

/// Why a world could not be had back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are no snapshot of this version.
    #[error("the snapshot is of another version or damaged")]
    Malformed,
    /// A zone in it is not whole.
    #[error("zone {0} of the snapshot: {1}")]
    Zone(u32, sim::RestoreError),
    /// It has no zone, or they do not cover the planet.
    #[error("the zones of the snapshot are not a planet")]
    Gaps,
}

impl<G: Ground + Clone + Send + Sync> World<G> {
    /// All there is; zones that panic are made from here from now on. People are the host's to add.
    pub fn snapshot(&mut self) -> WorldSnapshot {
        // What was noted up to here is in the snapshot: nobody needs it twice, and the record of the tick still has it.
        let mut states: Vec<(&mut Held<G>, Vec<u8>)> =
            self.zones.iter_mut().map(|held| (held, vec![])).collect();
        self.threads.for_each(&mut states, |(held, state)| *state = held.zone.snapshot());
        let zones = states.into_iter().map(|(held, state)| {
            held.keep.begin_at(state.clone());
            ZoneSnapshot {
                id: held.id,
                first: held.first,
                last: held.last,
                book: held.book.to_parts(),
                state,
            }
        });
        WorldSnapshot {
            zones: zones.collect(),
            last_entity: self.last_entity,
            next_seed: self.next_seed,
            last_zone: self.last_zone,
            leaving: self.leaving.iter().copied().collect(),
            people: vec![],
        }
    }

    /// The world as it was at the end of a stretch, and who was in it.
    ///
    /// If some of its log cannot be replayed, the world is as it was before that.
    pub fn restore(
        config: WorldConfig,
        ground: G,
        clock: Arc<dyn Clock>,
        stretch: &Stretch,
    ) -> Result<(Self, Vec<Person>), RestoreError> {
        let (mut world, mut people) = Self::begin(config, ground, clock, stretch)?;
        for (at, (tick, record)) in stretch.records.iter().enumerate() {
            let outcome = TickRecord::try_from_bytes(record)
                .map_err(|error| error.to_string())
                .and_then(|record| world.redo(*tick, &record, &mut people));
            if let Err(error) = outcome {
                error!(
                    tick,
                    error, "the journal cannot be followed any further: the world is as it was before"
                );
                // Some of its zones may have followed it already.
                let before = Stretch { records: stretch.records[..at].to_vec(), ..stretch.clone() };
                let World { config, ground, clock, .. } = world;
                return Self::restore(config, ground, clock, &before);
            }
            world.tick = *tick;
        }
        for held in &mut world.zones {
            // What a replayed zone notes of itself is known.
            held.zone.take_log();
        }
        for at in 0..world.zones.len() {
            for (entity, epoch) in world.zones[at].book.residents().collect::<Vec<_>>() {
                world.directory.claim(entity, epoch, world.zones[at].id);
            }
            // Those on their way are still their sources'.
            let outgoing = world.zones[at].book.outgoing().map(|it| (it.entity, it.epoch.saturating_sub(1)));
            let staying = outgoing.filter(|(entity, _)| !world.leaving.contains(entity));
            for (entity, epoch) in staying.collect::<Vec<_>>() {
                world.directory.claim(entity, epoch, world.zones[at].id);
            }
        }
        (0..world.zones.len()).for_each(|at| world.reconcile(at));
        world.changes.clear();
        let mut world = world.of_this_config();
        let people = people.into_values().filter(|it| world.index_of(it.entity).is_some()).collect();
        // From here on, and not from before the restart.
        world.snapshot();
        Ok((world, people))
    }

    /// The world of a stretch's snapshot, and who was in it.
    pub(super) fn begin(
        config: WorldConfig,
        ground: G,
        clock: Arc<dyn Clock>,
        stretch: &Stretch,
    ) -> Result<(Self, BTreeMap<EntityId, Person>), RestoreError> {
        let kept = WorldSnapshot::try_from_bytes(&stretch.snapshot).map_err(|_| RestoreError::Malformed)?;
        let mut world = Self::void(config, ground, clock);
        world.tick = stretch.tick;
        world.last_entity = kept.last_entity;
        world.next_seed = kept.next_seed;
        world.last_zone = kept.last_zone;
        world.leaving = kept.leaving.into_iter().collect();
        for it in kept.zones {
            let zone = Zone::restore(&it.state, world.ground.clone())
                .map_err(|error| RestoreError::Zone(it.id.0, error))?;
            let held = world.hold(it.id, it.first, it.last, zone, Book::from_parts(it.book));
            world.zones.push(held);
        }
        world.check_cover()?;
        let people = kept.people.into_iter().map(|person| (person.entity, person)).collect();
        Ok((world, people))
    }

    fn check_cover(&self) -> Result<(), RestoreError> {
        let (first, last) = self.all_cells();
        let ends = self.zones.first().zip(self.zones.last());
        let is_whole = ends.is_some_and(|(low, high)| low.first == first && high.last == last)
            && self.zones.windows(2).all(|pair| pair[0].last.next() == Some(pair[1].first));
        // Cells of another size are no mistake: bodies are put into new zones below.
        let is_other_level = self.zones.iter().any(|held| held.first.level() != first.level());
        if is_whole || (is_other_level && !self.zones.is_empty()) { Ok(()) } else { Err(RestoreError::Gaps) }
    }

    /// Does again what one tick did. Gives how many hashes of states were compared; all were equal.
    pub(super) fn redo(
        &mut self,
        tick: u64,
        record: &TickRecord,
        people: &mut BTreeMap<EntityId, Person>,
    ) -> Result<u64, String> {
        self.last_entity = record.last_entity;
        self.next_seed = record.next_seed;
        // First where zones are, then what they did, then who was whose.
        let mut ended = vec![];
        for change in &record.changes {
            match change {
                Change::Split { zone, new, at, tick, .. } => self.redo_split(*zone, *new, *at, *tick)?,
                Change::Merge { into, from } => ended.push(self.redo_merge(*into, *from)?),
                Change::Person(person) => {
                    people.insert(person.entity, *person);
                }
                Change::Left(entity) => {
                    people.remove(entity);
                }
                Change::Leaving(entity) => {
                    self.leaving.insert(*entity);
                }
                Change::Entry { entry, .. } => {
                    if let Entry::Gone(entity) = entry {
                        self.leaving.remove(entity);
                    }
                }
            }
        }
        let mut hashes = 0;
        for (zone, log) in &record.logs {
            let mut all = self.zones.iter_mut().chain(&mut ended);
            let held = all.find(|held| held.id == *zone).ok_or_else(|| unknown(*zone))?;
            let replayed = held.zone.replay(log);
            hashes += replayed.map_err(|error| format!("zone {}: {error}", zone.0))?.hashes;
        }
        for change in &record.changes {
            self.redo_book(change, &mut ended)?;
        }
        if self.tick + 1 == tick { Ok(hashes) } else { Err("a tick is missing".into()) }
    }

    fn redo_split(&mut self, zone: ZoneId, new: ZoneId, cell: CellId, tick: u64) -> Result<(), String> {
        let at = self.index_of_zone(zone).ok_or_else(|| unknown(zone))?;
        let below = cell.prev().ok_or("a border below all cells")?;
        let last = std::mem::replace(&mut self.zones[at].last, below);
        self.last_zone = self.last_zone.max(new.0);
        let empty = Zone::new_at(*self.zones[at].zone.config(), self.ground.clone(), tick);
        let held = self.hold(new, cell, last, empty, Book::new(new));
        self.zones.insert(at + 1, held);
        Ok(())
    }

    fn redo_merge(&mut self, into: ZoneId, from: ZoneId) -> Result<Held<G>, String> {
        let above = self.index_of_zone(from).ok_or_else(|| unknown(from))?;
        let ended = self.zones.remove(above);
        let at = self.index_of_zone(into).ok_or_else(|| unknown(into))?;
        self.zones[at].last = ended.last;
        Ok(ended)
    }

    fn redo_book(&mut self, change: &Change, ended: &mut [Held<G>]) -> Result<(), String> {
        let mut take = |id: ZoneId| {
            let mut all = self.zones.iter_mut().chain(&mut *ended);
            let held = all.find(|held| held.id == id).ok_or_else(|| unknown(id))?;
            Ok::<_, String>(std::mem::replace(&mut held.book, Book::new(id)))
        };
        let books = match change {
            Change::Entry { zone, entry } => {
                let mut book = take(*zone)?;
                book.apply(entry);
                vec![book]
            }
            Change::Split { zone, new, entities, .. } => {
                let mut book = take(*zone)?;
                let above = book.split_off(*new, entities);
                vec![book, above]
            }
            Change::Merge { into, from } => {
                let (mut book, above) = (take(*into)?, take(*from)?);
                book.absorb(above);
                vec![book]
            }
            Change::Person(_) | Change::Left(_) | Change::Leaving(_) => vec![],
        };
        for book in books {
            let mut all = self.zones.iter_mut().chain(&mut *ended);
            let held = all.find(|held| held.id == book.zone()).ok_or_else(|| unknown(book.zone()))?;
            held.book = book;
        }
        Ok(())
    }

    /// The same bodies in a world of this configuration, if it was another's: other cells, another pace.
    fn of_this_config(self) -> Self {
        let wanted = self.zone_config();
        let is_same = |held: &Held<G>| {
            let config = held.zone.config();
            config.cell_level == wanted.cell_level
                && config.pace == wanted.pace
                && config.seed == wanted.seed
                && config.bodies_max == wanted.bodies_max
                && held.first.level() == wanted.cell_level
        };
        if self.zones.iter().all(is_same) {
            return self;
        }
        let mut world = Self::new(self.config.clone(), self.ground.clone(), Arc::clone(&self.clock));
        (world.tick, world.last_entity, world.next_seed) = (self.tick, self.last_entity, self.next_seed);
        (world.lost, world.counts) = (self.lost, self.counts);
        let (first, last) = world.all_cells();
        world.zones = vec![];
        let whole = world.empty_zone(first, last);
        world.zones.push(whole);
        let here =
            self.zones.iter().flat_map(|held| held.zone.bodies().map(|(entity, body)| (entity, *body)));
        let between = self.zones.iter().flat_map(|held| held.book.outgoing());
        let between = between.map(|passage| (passage.entity, *passage.state.body()));
        for (entity, body) in here.chain(between) {
            if world.directory.zone_of(entity).is_some() || self.leaving.contains(&entity) {
                continue;
            }
            let closed = self.zones.iter().find_map(|held| held.zone.closed(entity)).cloned();
            if world.enter(entity, Mover::new(body, closed.unwrap_or_default())).is_err() {
                world.lost.push((entity, Some(body)));
            }
        }
        world.changes.clear();
        world
    }
}

fn unknown(zone: ZoneId) -> String {
    format!("there is no zone {}", zone.0)
}
