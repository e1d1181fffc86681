//! A stretch of the journal made again, to be verified and looked at.

use super::{Balance, RestoreError, World, WorldConfig};
use crate::clock::SystemClock;
use crate::host::PlanetGround;
use crate::journal::{Stretch, TickRecord};
use motion::{Body, Pace};
use planet::Planet;
use sim::EntityId;
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a replay went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Ticks made again.
    pub ticks: u64,
    /// Hashes of zones compared; all were equal.
    pub hashes: u64,
    /// Zones at the end.
    pub zones: usize,
    /// Bodies at the end.
    pub bodies: usize,
}

/// A replay that ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayFault {
    /// There is not even a beginning.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// From this tick on the world is not what it was, or the journal is damaged.
    #[error("in tick {tick}: {cause}")]
    Tick {
        /// Which.
        tick: u64,
        /// What was wrong.
        cause: String,
        /// How far it went.
        replayed: Replayed,
    },
}

/// The world after a tick of a replay.
pub struct Replaying<'a> {
    world: &'a World<PlanetGround>,
    /// How far it went.
    pub replayed: Replayed,
}

impl Replaying<'_> {
    /// Ticks since the world began.
    pub fn tick(&self) -> u64 {
        self.world.tick
    }

    /// A body, the number of the last input applied to it, and how much speaks against its player.
    pub fn body(&self, entity: u32) -> Option<(Body, u32, u32)> {
        let entity = EntityId(entity);
        self.world.zones.iter().find_map(|held| {
            let (body, applied) = held.zone.body(entity)?;
            Some((*body, applied, held.zone.score(entity).unwrap_or(0)))
        })
    }
}

/// Makes a stretch again on its planet and compares the hashes in it. `look` sees the world at the start and after each
/// tick, and may end it.
pub fn replay(
    planet: &Arc<Planet>,
    stretch: &Stretch,
    mut look: impl FnMut(&Replaying<'_>) -> ControlFlow<()>,
) -> Result<Replayed, ReplayFault> {
    // What zones are made with is in the snapshot; this is for zones that it does not know.
    let config = WorldConfig {
        cell_level: planet.grid_level(crate::host::CELL_LEVEL),
        pace: Pace::default(),
        seed: planet.spec().seed,
        bodies_max: usize::MAX,
        threads: 1,
        balance: Balance::default(),
    };
    let ground = PlanetGround(Arc::clone(planet));
    let (mut world, mut people) = World::begin(config, ground, Arc::new(SystemClock::default()), stretch)?;
    let mut replayed = Replayed::default();
    let measure = |world: &World<PlanetGround>, replayed: &mut Replayed| {
        replayed.zones = world.zones.len();
        replayed.bodies = world.zones.iter().map(|held| held.zone.body_count()).sum();
    };
    measure(&world, &mut replayed);
    if look(&Replaying { world: &world, replayed }).is_break() {
        return Ok(replayed);
    }
    for (tick, record) in &stretch.records {
        let outcome = TickRecord::try_from_bytes(record)
            .map_err(|error| error.to_string())
            .and_then(|record| world.redo(*tick, &record, &mut people));
        let hashes = outcome.map_err(|cause| ReplayFault::Tick { tick: *tick, cause, replayed })?;
        world.tick = *tick;
        for held in &mut world.zones {
            // What a replayed zone notes of itself is known.
            held.zone.take_log();
        }
        replayed.ticks += 1;
        replayed.hashes += hashes;
        measure(&world, &mut replayed);
        if look(&Replaying { world: &world, replayed }).is_break() {
            break;
        }
    }
    Ok(replayed)
}
