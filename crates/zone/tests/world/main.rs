//! Many zones as one world: borders that nobody notices, whatever happens at them.

mod borders;
mod crowd;
mod kept;
mod panics;

use cell::CellId;
use glam::DVec3;
use motion::{Buttons, ClosedLand, Ground, Input, Pace, Surface};
use sim::{Arrival, EntityId};
use std::sync::Arc;
use std::time::Duration;
use zone::{Balance, Clock, Cost, World, WorldConfig};

/// A planet without hills.
#[derive(Clone)]
struct Ball;

impl Ground for Ball {
    fn surface(&self, _: DVec3) -> Surface {
        Surface { elevation_m: 1.0, water_m: None }
    }

    fn radius_m(&self) -> f64 {
        12_443.0
    }
}

/// Cells of 36 m on this ball.
const LEVEL: u8 = 9;

struct StandingClock;

impl Clock for StandingClock {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    fn unix_ms(&self) -> f64 {
        0.0
    }
}

fn config(threads: usize) -> WorldConfig {
    WorldConfig {
        cell_level: LEVEL,
        pace: Pace::default(),
        seed: 7,
        bodies_max: 10_000,
        threads,
        // Borders move where a test says so.
        balance: Balance {
            cells_min: 1,
            cost: Cost::PerBody(Duration::ZERO),
            merge_share: 0.0,
            ..Balance::default()
        },
    }
}

fn world(threads: usize) -> World<Ball> {
    World::new(config(threads), Ball, Arc::new(StandingClock))
}

/// Where the crowd is: the middle of a cube's face, where borders of all sizes meet.
fn middle() -> DVec3 {
    DVec3::new(0.02, 1.0, 0.015).normalize()
}

/// The cell around which zones are cut.
fn middle_cell() -> CellId {
    CellId::from_point(middle()).parent(LEVEL)
}

fn join(world: &mut World<Ball>, place: DVec3) -> EntityId {
    let arrival = Arrival::Back { place: place.normalize(), facing: DVec3::ZERO, otherwise: middle() };
    world.join(arrival, ClosedLand::default()).expect("there is room")
}

/// Small numbers that look like chance.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// People who walk to and fro, each a way of their own, the same in every run.
struct Crowd {
    people: Vec<EntityId>,
    dice: Dice,
    headings: Vec<DVec3>,
    ticks: u32,
}

impl Crowd {
    fn new(world: &mut World<Ball>, count: usize, spread_m: f64) -> Self {
        let mut dice = Dice(99);
        let mut offset = || (dice.below(2_001) as f64 / 1_000.0 - 1.0) * spread_m / Ball.radius_m();
        let places: Vec<_> = (0..count).map(|_| middle() + DVec3::new(offset(), 0.0, offset())).collect();
        let people = places.into_iter().map(|place| join(world, place)).collect();
        Self { people, dice: Dice(5), headings: vec![DVec3::X; count], ticks: 0 }
    }

    /// Everybody gives the input of one tick.
    fn walk(&mut self, world: &mut World<Ball>) {
        self.ticks += 1;
        for (at, entity) in self.people.iter().enumerate() {
            if self.dice.below(40) == 0 {
                let part = |dice: &mut Dice| dice.below(201) as f64 - 100.0;
                self.headings[at] = DVec3::new(part(&mut self.dice), 0.1, part(&mut self.dice));
            }
            let input = Input::new(Buttons::FORWARD, self.headings[at]);
            let _ = world.take_inputs(*entity, self.ticks, &[input]);
        }
    }
}

/// Everybody is somewhere, and once.
fn assert_all_once(world: &World<Ball>, people: &[EntityId]) {
    let census = world.census();
    for entity in people {
        assert_eq!(census.get(entity), Some(&1), "{entity:?} {:?}", world.body(*entity));
    }
    assert_eq!(census.len(), people.len(), "somebody is here that should not be");
}
