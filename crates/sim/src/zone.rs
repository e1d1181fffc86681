//! The zone: who is in it and what a tick does. It knows nothing of those who watch.

use crate::bodies::Bodies;
use crate::control::InputError;
use crate::spawn::{self, Arrival, ELBOW_ROOM_M};
use crate::view::ZoneView;
use cell::cover_cap;
use glam::DVec3;
use motion::{Body, ClosedLand, Ground, Input, Mode, Pace};
use wire::stream::{HEIGHT_STEPS_PER_M, Placement, Stance};
use wire::{LatticePlace, facing_to_u8, rest_height_m};

/// Heights are kept in what the stream can say.
const HEIGHT_STEPS_MAX: f64 = (1 << 24) as f64;

/// A body's number. Never used twice in the life of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

/// There are as many bodies as allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the zone is full")]
pub struct ZoneFull;

/// Bodies on a ground.
pub struct Zone<G> {
    config: ZoneConfig,
    ground: G,
    tick: u64,
    last_entity: u32,
    next_seed: u32,
    bodies: Bodies,
    /// Of the last [`Zone::publish`], in the order of bodies.
    placements: Vec<Placement>,
}

impl<G: Ground> Zone<G> {
    /// An empty zone.
    pub fn new(config: ZoneConfig, ground: G) -> Self {
        assert!(config.cell_level <= wire::CELL_LEVEL_MAX, "the stream's lattice must fit above the leaves");
        Self {
            config,
            ground,
            tick: 0,
            last_entity: 0,
            next_seed: 0,
            bodies: Bodies::default(),
            placements: vec![],
        }
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

    /// Adds a body at rest, outside of all that is closed to it around the places of its arrival.
    pub fn join(&mut self, arrival: Arrival, closed: ClosedLand) -> Result<EntityId, ZoneFull> {
        if self.bodies.len() >= self.config.bodies_max {
            return Err(ZoneFull);
        }
        let (place, facing) = match arrival {
            Arrival::Newcomer { around, facing } => (self.newcomers_place(around, &closed), facing),
            Arrival::At { place, otherwise } => (self.place_near(place, otherwise, &closed), DVec3::ZERO),
            Arrival::Back { place, facing, otherwise } => {
                let is_open = closed.parcel_at(place).is_none();
                (if is_open { place } else { self.place_near(place, otherwise, &closed) }, facing)
            }
        };
        let mut body = Body::standing_at(place, &self.ground);
        body.face(facing);
        self.last_entity = self.last_entity.checked_add(1).ok_or(ZoneFull)?;
        let id = EntityId(self.last_entity);
        self.bodies.add(id, body, closed, self.config.cell_level);
        Ok(id)
    }

    fn place_near(&mut self, place: DVec3, otherwise: DVec3, closed: &ClosedLand) -> DVec3 {
        let near = spawn::near(place, &self.ground, |place| self.is_free(place, closed));
        near.unwrap_or_else(|| self.newcomers_place(otherwise, closed))
    }

    fn newcomers_place(&mut self, around: DVec3, closed: &ClosedLand) -> DVec3 {
        let is_free = |place| self.is_free(place, closed);
        let (seed, place) = spawn::among_newcomers(around, self.next_seed, &self.ground, is_free);
        // Once there are more seeds than people, the first ones are likely free again.
        let turn = 16 + 2 * self.bodies.len() as u32;
        self.next_seed = if seed >= turn { 0 } else { seed + 1 };
        place
    }

    fn is_free(&self, place: DVec3, closed: &ClosedLand) -> bool {
        if closed.parcel_at(place).is_some() {
            return false;
        }
        let up_m = self.ground.radius_m() + rest_height_m(place, &self.ground);
        self.bodies_within(place * up_m, ELBOW_ROOM_M).next().is_none()
    }

    /// Says where a body may not go from the next tick on. Nobody is moved by that: who stands in closed land may go on
    /// in it and leave, as the rules of [`ClosedLand`] say.
    pub fn set_closed(&mut self, id: EntityId, closed: ClosedLand) {
        if let Some(index) = self.bodies.index(id) {
            self.bodies.closed[index] = closed;
        }
    }

    /// Where a body may not go.
    pub fn closed(&self, id: EntityId) -> Option<&ClosedLand> {
        self.bodies.index(id).map(|index| &self.bodies.closed[index])
    }

    /// Takes a body out and gives its last state.
    pub fn leave(&mut self, id: EntityId) -> Option<Body> {
        self.bodies.remove(id)
    }

    /// Queues a player's inputs, the first numbered `first_seq`.
    pub fn take_inputs(&mut self, id: EntityId, first_seq: u32, inputs: &[Input]) -> Result<(), InputError> {
        let index = self.bodies.index(id).ok_or(InputError::NoBody)?;
        self.bodies.controls[index].take(first_seq, inputs)
    }

    /// A body's state and the number of the last input applied to it.
    pub fn body(&self, id: EntityId) -> Option<(&Body, u32)> {
        let index = self.bodies.index(id)?;
        Some((&self.bodies.states[index], self.bodies.controls[index].applied_seq()))
    }

    /// Every body, in no order to rely on.
    pub fn bodies(&self) -> impl Iterator<Item = (EntityId, &Body)> {
        self.bodies.ids.iter().copied().zip(&self.bodies.states)
    }

    /// The bodies within `radius_m` of a point.
    pub fn bodies_within(&self, point: DVec3, radius_m: f64) -> impl Iterator<Item = EntityId> {
        let cells = cover_cap(point, radius_m / self.ground.radius_m(), self.config.cell_level);
        let cells = cells.expect("a neighbourhood is a few cells");
        let sorted = cells.into_iter().flat_map(|cell| self.bodies.in_cell(cell));
        sorted
            .chain(self.bodies.unsorted())
            .filter(move |index| {
                self.bodies.states[*index].position.distance_squared(point) <= radius_m * radius_m
            })
            .map(|index| self.bodies.ids[index])
    }

    /// A player begins anew: inputs that wait are forgotten, and the next is numbered after the last one applied.
    pub fn restart_inputs(&mut self, id: EntityId) {
        if let Some(index) = self.bodies.index(id) {
            self.bodies.controls[index].restart();
        }
    }

    /// Advances every body by one tick.
    pub fn tick(&mut self) {
        self.tick += 1;
        self.bodies.tick(self.config.cell_level, &self.ground, self.config.pace);
    }

    /// Says where every body is, in the words of the streams: to be called when everything of this tick is done, and
    /// before [`Zone::view`].
    pub fn publish(&mut self) {
        // Bodies that joined since the tick are not in order yet.
        self.bodies.sort();
        self.placements.clear();
        let placements = (0..self.bodies.len()).map(|index| placement(&self.bodies, index, &self.ground));
        self.placements.extend(placements);
    }

    /// What others may know of the zone, as of the last [`Zone::publish`]. Nobody may have joined or left since.
    pub fn view(&self) -> ZoneView<'_> {
        ZoneView::new(&self.bodies, &self.placements)
    }

    /// A fingerprint of everything that decides what happens next: equal after equal calls.
    pub fn state_hash(&self) -> u64 {
        let mut order: Vec<usize> = (0..self.bodies.len()).collect();
        order.sort_unstable_by_key(|index| self.bodies.ids[*index]);
        let mut hash = Fnv::default();
        hash.add(self.tick);
        hash.add(self.last_entity.into());
        hash.add(self.next_seed.into());
        for index in order {
            hash.add(self.bodies.ids[index].0.into());
            let body = &self.bodies.states[index];
            let vectors = [body.position, body.velocity, body.facing];
            vectors.iter().flat_map(DVec3::to_array).for_each(|number| hash.add(number.to_bits()));
            hash.add(body.mode as u64);
            self.bodies.controls[index].words().for_each(|word| hash.add(word));
            for (lot, parcel) in self.bodies.closed[index].lots() {
                hash.add(lot.raw());
                hash.add(*parcel);
            }
        }
        hash.0
    }
}

/// FNV-1a over whole words.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x0000_0100_0000_01b3);
    }
}

/// A body as its cell's stream says it.
fn placement(bodies: &Bodies, index: usize, ground: &impl Ground) -> Placement {
    let body = &bodies.states[index];
    let cell = bodies.cells[index];
    let place = LatticePlace::of_leaf(bodies.leaves[index], cell.level());
    let above_sea_m = body.position.length() - ground.radius_m();
    // Looks at the ground, so only where it has to.
    let above_rest = || {
        let above_m = above_sea_m - rest_height_m(place.direction(), ground);
        (above_m * HEIGHT_STEPS_PER_M).round().clamp(-HEIGHT_STEPS_MAX, HEIGHT_STEPS_MAX) as i32
    };
    let (stance, height) = match body.mode {
        Mode::Grounded => (Stance::Grounded, 0),
        Mode::Airborne => (Stance::Airborne, above_rest()),
        Mode::Swimming => match above_rest() {
            0 => (Stance::Swimming, 0),
            height => (Stance::Diving, height),
        },
    };
    let facing = facing_to_u8(cell, body.up(), body.facing);
    Placement { entity_id: bodies.ids[index].0, i: place.i, j: place.j, facing, stance, height }
}
