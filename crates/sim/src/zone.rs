//! The zone: who is in it and what a tick does. It knows nothing of those who watch.

use crate::bodies::{AUDIT_EVERY, Bodies, TickRules, Words};
use crate::control::InputError;
use crate::honesty::{Grant, INCIDENTS_MAX, Incident, Offence};
use crate::log::{HASH_TICKS, Record, Recorder};
use crate::mover::Mover;
use crate::placement::placement;
use crate::random::{Purpose, draw, mix};
use crate::spawn::{Arrival, ELBOW_ROOM_M, body_at, find_place};
use crate::view::ZoneView;
use cell::{CellId, cover_cap};
use glam::DVec3;
use motion::{Body, ClosedLand, Ground, Input, Pace};
use std::borrow::Cow;
use wire::rest_height_m;
use wire::stream::Placed;

/// A body's number. Never used twice in the life of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(pub u32);

/// What a zone is made with.
#[derive(Clone, Copy, Debug)]
pub struct ZoneConfig {
    /// Level of the cells that streams and interest go by.
    pub cell_level: u8,
    /// The most bodies.
    pub bodies_max: usize,
    /// Ticks per second: an input is one step of it.
    pub pace: Pace,
    /// Where the zone's chance comes from.
    pub seed: u64,
}

/// There are as many bodies as allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the zone is full")]
pub struct ZoneFull;

/// Bodies on a ground.
pub struct Zone<G> {
    pub(crate) config: ZoneConfig,
    ground: G,
    pub(crate) tick: u64,
    /// The greatest id there was.
    pub(crate) last_entity: u32,
    pub(crate) next_seed: u32,
    pub(crate) bodies: Bodies,
    /// Of the last [`Zone::publish`], in the order of bodies.
    placements: Vec<Placed>,
    pub(crate) incidents: Vec<Incident>,
    /// Records since the zone began, whether or not they were kept.
    pub(crate) noted: u64,
    recorder: Option<Recorder>,
}

impl<G: Ground> Zone<G> {
    /// An empty zone.
    pub fn new(config: ZoneConfig, ground: G) -> Self {
        Self::new_at(config, ground, 0)
    }

    /// An empty zone that begins after this many ticks.
    pub fn new_at(config: ZoneConfig, ground: G, tick: u64) -> Self {
        assert!(config.cell_level <= wire::CELL_LEVEL_MAX, "the stream's lattice must fit above the leaves");
        Self {
            config,
            ground,
            tick,
            last_entity: 0,
            next_seed: 0,
            bodies: Bodies::default(),
            placements: vec![],
            incidents: vec![],
            noted: 0,
            recorder: None,
        }
    }

    /// What it was made with.
    pub fn config(&self) -> &ZoneConfig {
        &self.config
    }

    /// The ground.
    pub fn ground(&self) -> &G {
        &self.ground
    }

    /// Ticks since the start.
    pub fn tick_count(&self) -> u64 {
        self.tick
    }

    /// How many bodies there are.
    pub fn body_count(&self) -> usize {
        self.bodies.len()
    }

    /// Adds a body at rest, outside of all that is closed to it around the places of its arrival: for a zone that is all
    /// there is. Where there are several, find the place by [`find_place`] and let the body [`enter`](Self::enter).
    pub fn join(&mut self, arrival: Arrival, closed: ClosedLand) -> Result<EntityId, ZoneFull> {
        let id = EntityId(self.last_entity.checked_add(1).ok_or(ZoneFull)?);
        if self.bodies.len() >= self.config.bodies_max {
            return Err(ZoneFull);
        }
        let mut next_seed = self.next_seed;
        let people = self.bodies.len();
        let (place, facing) =
            find_place(arrival, &closed, &self.ground, &mut next_seed, people, |place| self.is_free(place));
        if next_seed != self.next_seed {
            self.set_next_seed(next_seed);
        }
        self.enter(id, Mover::new(body_at(place, facing, &self.ground), closed))?;
        Ok(id)
    }

    pub(crate) fn set_next_seed(&mut self, seed: u32) {
        self.note(|| Record::NextSeed(seed));
        self.next_seed = seed;
    }

    /// Whether nobody stands too near to a place, a unit vector, for another to begin there.
    pub fn is_free(&self, place: DVec3) -> bool {
        let up_m = self.ground.radius_m() + rest_height_m(place, &self.ground);
        self.bodies_within(place * up_m, ELBOW_ROOM_M).next().is_none()
    }

    /// Adds a body, newly made or from another zone. Its id is the caller's to choose, above 0 and never one that is here.
    ///
    /// # Panics
    /// If the id is here, or 0.
    pub fn enter(&mut self, id: EntityId, mover: Mover) -> Result<(), ZoneFull> {
        assert!(id.0 > 0 && self.bodies.index(id).is_none(), "body {} is here or nobody", id.0);
        if self.bodies.len() >= self.config.bodies_max {
            return Err(ZoneFull);
        }
        self.note(|| Record::Enter { id, mover: Cow::Borrowed(&mover) });
        self.last_entity = self.last_entity.max(id.0);
        self.bodies.add(id, mover, self.config.cell_level);
        Ok(())
    }

    /// Takes a body out with all there is to know of it.
    pub fn take_out(&mut self, id: EntityId) -> Option<Mover> {
        let mover = self.bodies.remove(id)?;
        self.note(|| Record::TakeOut { id });
        Some(mover)
    }

    /// Takes a body out and gives its last state.
    pub fn leave(&mut self, id: EntityId) -> Option<Body> {
        self.take_out(id).map(|mover| mover.body)
    }

    /// Says where a body may not go from the next tick on. Nobody is moved by that: who stands in closed land may go on
    /// in it and leave, as the rules of [`ClosedLand`] say. False if there is no such body.
    pub fn set_closed(&mut self, id: EntityId, closed: ClosedLand) -> bool {
        let Some(slot) = self.bodies.index(id) else { return false };
        self.note(|| Record::SetClosed { id, closed: Cow::Borrowed(&closed) });
        self.bodies.set_closed(slot, closed);
        true
    }

    /// Where a body may not go.
    pub fn closed(&self, id: EntityId) -> Option<&ClosedLand> {
        self.bodies.index(id).map(|slot| &self.bodies.closed[slot])
    }

    /// Queues a player's inputs, the first numbered `first_seq`. Numbers far ahead speak against the player. Whether too
    /// many at once do is for the caller to say, who knows whether time went on as it should: [`Zone::blame`].
    pub fn take_inputs(&mut self, id: EntityId, first_seq: u32, inputs: &[Input]) -> Result<(), InputError> {
        let slot = self.bodies.index(id).ok_or(InputError::NoBody)?;
        self.note(|| Record::Inputs { id, first_seq, inputs: Cow::Borrowed(inputs) });
        let taken = self.bodies.controls[slot].take(first_seq, inputs, self.config.pace);
        if let Err(InputError::TooFarAhead { .. }) = taken {
            self.count_offence(id, slot, Offence::SequenceJump);
        }
        taken
    }

    /// A player begins anew: inputs that wait are forgotten, and the next is numbered after the last one applied. False if
    /// there is no such body.
    pub fn restart_inputs(&mut self, id: EntityId) -> bool {
        let Some(slot) = self.bodies.index(id) else { return false };
        self.note(|| Record::RestartInputs { id });
        self.bodies.controls[slot].restart();
        true
    }

    /// Holds something against a player that the zone cannot see itself. False if there is no such body.
    pub fn blame(&mut self, id: EntityId, offence: Offence) -> bool {
        let Some(slot) = self.bodies.index(id) else { return false };
        self.note(|| Record::Blame { id, offence });
        self.count_offence(id, slot, offence);
        true
    }

    fn count_offence(&mut self, id: EntityId, slot: usize, offence: Offence) {
        let (bodies, ground) = (&mut self.bodies, &self.ground);
        let place = bodies.states[slot].position;
        let must_go_back = bodies.honesty[slot].blame(offence);
        let score = bodies.honesty[slot].score;
        let set_back_to = if must_go_back { bodies.honesty[slot].set_back() } else { None };
        if let Some(anchor) = set_back_to {
            let body = body_at(anchor / anchor.length(), bodies.states[slot].facing, ground);
            bodies.put(slot, body, self.config.cell_level);
            bodies.controls[slot].restart();
        }
        if self.incidents.len() < INCIDENTS_MAX {
            self.incidents.push(Incident { tick: self.tick, entity: id, offence, score, place, set_back_to });
        }
    }

    /// What was noticed since the last call, at most [`INCIDENTS_MAX`].
    pub fn take_incidents(&mut self) -> Vec<Incident> {
        std::mem::take(&mut self.incidents)
    }

    /// How much speaks against a player; 0 is nothing.
    pub fn score(&self, id: EntityId) -> Option<u32> {
        self.bodies.index(id).map(|slot| self.bodies.honesty[slot].score)
    }

    /// Puts a body elsewhere at once, at rest, and forgets its inputs that wait: the only way there is to be moved
    /// otherwise than by the rules of crate `motion`. The place may be another zone's. False if there is no such body.
    pub fn teleport(&mut self, id: EntityId, grant: Grant) -> bool {
        let Some(slot) = self.bodies.index(id) else { return false };
        self.note(|| Record::Teleport { id, grant });
        let body = body_at(grant.place, grant.facing, &self.ground);
        self.bodies.put(slot, body, self.config.cell_level);
        self.bodies.controls[slot].restart();
        self.bodies.honesty[slot].anchor = Some(body.position);
        true
    }

    /// A body's state and the number of the last input applied to it.
    pub fn body(&self, id: EntityId) -> Option<(&Body, u32)> {
        let slot = self.bodies.index(id)?;
        Some((&self.bodies.states[slot], self.bodies.controls[slot].applied_seq()))
    }

    /// Every body, in no order to rely on.
    pub fn bodies(&self) -> impl Iterator<Item = (EntityId, &Body)> {
        self.bodies.slots().map(|slot| (self.bodies.ids[slot], &self.bodies.states[slot]))
    }

    /// The bodies within `radius_m` of a point.
    pub fn bodies_within(&self, point: DVec3, radius_m: f64) -> impl Iterator<Item = EntityId> {
        let cells = cover_cap(point, radius_m / self.ground.radius_m(), self.config.cell_level);
        let cells = cells.expect("a neighbourhood is a few cells");
        let sorted = cells.into_iter().flat_map(|cell| self.bodies.in_cell(cell));
        sorted
            .chain(self.bodies.unsorted())
            .filter(move |slot| {
                self.bodies.states[*slot].position.distance_squared(point) <= radius_m * radius_m
            })
            .map(|slot| self.bodies.ids[slot])
    }

    /// The bodies that were in cells before `first` or after `last` when the last tick was done, in the order of ids.
    pub fn outside(&self, first: CellId, last: CellId) -> Vec<EntityId> {
        self.bodies.outside(first, last)
    }

    /// Advances every body by one tick.
    pub fn tick(&mut self) {
        self.note(|| Record::Tick);
        self.tick += 1;
        let ZoneConfig { cell_level, pace, seed, .. } = self.config;
        // By chance, so that nobody can know when.
        let audited = (draw(seed, Purpose::Audit, 0, self.tick) % u64::from(AUDIT_EVERY)) as u32;
        let rules = TickRules { cell_level, ground: &self.ground, pace, tick: self.tick, audited };
        for id in self.bodies.tick(&rules) {
            let slot = self.bodies.index(id).expect("it was just moved");
            self.count_offence(id, slot, Offence::ImpossibleMove);
        }
        if self.tick.is_multiple_of(HASH_TICKS) {
            // Costs as much as some of the movement: only for those who read it.
            let hash = if self.recorder.is_some() { self.state_hash() } else { 0 };
            self.note(|| Record::Hash(hash));
        }
    }

    /// Says where every body is, in the words of the streams: to be called when everything of this tick is done, and
    /// before [`Zone::view`].
    pub fn publish(&mut self) {
        // Bodies that joined since the tick are not in order yet.
        self.bodies.sort();
        self.placements.clear();
        let placements = self.bodies.ordered().map(|slot| placement(&self.bodies, slot, &self.ground));
        self.placements.extend(placements);
    }

    /// What others may know of the zone, as of the last [`Zone::publish`]. Nobody may have joined or left since.
    pub fn view(&self) -> ZoneView<'_> {
        ZoneView::new(&self.bodies, &self.placements)
    }

    /// Keeps a log of all that is done to the zone from now on, or no longer.
    pub fn set_recording(&mut self, is_on: bool) {
        self.recorder = is_on.then(|| Recorder::starting_at(self.noted));
    }

    /// The log since the last call, to be taken after each tick: logs one after the other are a log. Empty while nothing
    /// is recorded.
    pub fn take_log(&mut self) -> Vec<u8> {
        self.recorder.as_mut().map(Recorder::take).unwrap_or_default()
    }

    pub(crate) fn note<'a>(&mut self, record: impl FnOnce() -> Record<'a>) {
        self.noted += 1;
        if let Some(recorder) = &mut self.recorder {
            recorder.note(self.tick, &record());
        }
    }

    /// A fingerprint of everything that decides what happens next: equal after equal calls.
    pub fn state_hash(&self) -> u64 {
        let mut hash = Words(self.tick);
        hash.add(self.config.pace.hz().into());
        hash.add(self.config.seed);
        hash.add(self.last_entity.into());
        hash.add(self.next_seed.into());
        hash.add(self.bodies_hash());
        mix(hash.0)
    }

    /// A fingerprint of the bodies alone. Added up (wrapping) over zones it is that of the world, however it is cut.
    pub fn bodies_hash(&self) -> u64 {
        self.bodies.slots().fold(0, |sum, slot| sum.wrapping_add(self.bodies.hash(slot)))
    }
}
