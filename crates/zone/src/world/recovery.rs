//! A zone that panicked is made again from its last snapshot and what was noted since.
//!
//! First with all that was noted, the tick that failed included: a panic may not come twice. If it does, without what came
//! in that tick. If that fails too, the bodies begin anew where they stand. Only those that no zone can move are given
//! up: their players come back where they were last saved.

use super::{Held, World};
use motion::{Body, ClosedLand, Ground};
use sim::{EntityId, Mover, Zone};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::{error, warn};

/// What a zone is made of again.
pub(super) struct Keep {
    snapshot: Vec<u8>,
    /// Since then, up to the last tick whose record was taken.
    log: Vec<u8>,
    /// Noted by a zone that broke in this tick, for the record.
    salvaged: Vec<u8>,
    pub(super) is_broken: bool,
    pub(super) recoveries: u64,
}

impl Keep {
    pub(super) fn new<G: Ground>(zone: &Zone<G>) -> Self {
        Self { snapshot: zone.snapshot(), log: vec![], salvaged: vec![], is_broken: false, recoveries: 0 }
    }

    /// Does something with a zone that may panic.
    pub(super) fn guard<G>(&mut self, zone: &mut Zone<G>, work: impl FnOnce(&mut Zone<G>)) {
        // What a panic leaves behind is thrown away, save for the log, which was written before.
        if catch_unwind(AssertUnwindSafe(|| work(zone))).is_err() {
            self.is_broken = true;
        }
    }

    /// What the zone noted since the last call.
    pub(super) fn take_log<G: Ground>(&mut self, zone: &mut Zone<G>) -> Vec<u8> {
        let mut log = std::mem::take(&mut self.salvaged);
        log.extend(zone.take_log());
        self.log.extend_from_slice(&log);
        log
    }

    /// From now on the zone is made from here.
    pub(super) fn begin_at(&mut self, snapshot: Vec<u8>) {
        self.snapshot = snapshot;
        self.log.clear();
    }
}

impl<G: Ground + Clone + Send + Sync> World<G> {
    /// Makes all broken zones again.
    pub(super) fn recover(&mut self) {
        for at in 0..self.zones.len() {
            if self.zones[at].keep.is_broken {
                self.recover_zone(at);
            }
        }
    }

    fn recover_zone(&mut self, at: usize) {
        let (tick, ground, config) = (self.tick, self.ground.clone(), self.zone_config());
        let held = &mut self.zones[at];
        error!(
            zone = held.id.0,
            tick,
            bodies = held.zone.body_count(),
            "a zone has panicked; it is made again"
        );
        held.keep.is_broken = false;
        held.keep.recoveries += 1;
        self.counts.recoveries += 1;
        let noted = catch_unwind(AssertUnwindSafe(|| held.zone.take_log())).unwrap_or_default();
        let made = made_again(held, &ground, &noted, tick)
            .map(|zone| (zone, noted))
            .or_else(|| made_again(held, &ground, &[], tick).map(|zone| (zone, vec![])));
        if let Some((zone, noted)) = made {
            held.zone = zone;
            held.keep.salvaged.extend(noted);
        } else {
            warn!(zone = held.id.0, "its log does not bring it back: bodies begin anew where they stand");
            held.zone = begun_anew(held, &ground, config, tick);
            held.zone.set_recording(true);
            held.keep.begin_at(held.zone.snapshot());
        }
        self.reconcile(at);
    }

    /// Who the book says is here is here, and nobody else.
    pub(super) fn reconcile(&mut self, at: usize) {
        let held = &mut self.zones[at];
        let strangers: Vec<EntityId> =
            held.zone.bodies().map(|(entity, _)| entity).filter(|entity| !held.book.holds(*entity)).collect();
        for entity in strangers {
            held.zone.take_out(entity);
        }
        let missing: Vec<EntityId> = held
            .book
            .residents()
            .map(|(entity, _)| entity)
            .filter(|entity| held.zone.body(*entity).is_none())
            .collect();
        for entity in missing {
            let entry = sim::handover::Entry::Gone(entity);
            held.book.apply(&entry);
            self.changes.push(crate::journal::Change::Entry { zone: held.id, entry });
            self.directory.forget(entity);
            self.lost.push((entity, None));
            self.counts.lost += 1;
        }
    }
}

/// The zone as it is after `tick`, from its snapshot and all that was noted; none if that does not work.
fn made_again<G: Ground + Clone>(held: &Held<G>, ground: &G, noted: &[u8], tick: u64) -> Option<Zone<G>> {
    let keep = &held.keep;
    let make = || {
        let mut zone = Zone::restore(&keep.snapshot, ground.clone()).ok()?;
        zone.replay(&keep.log).ok()?;
        zone.replay(&keep.salvaged).ok()?;
        zone.replay(noted).ok()?;
        // What is noted from here on comes after all that.
        zone.set_recording(true);
        if zone.tick_count() < tick {
            zone.tick();
        }
        zone.publish();
        (zone.tick_count() == tick).then_some(zone)
    };
    catch_unwind(AssertUnwindSafe(make)).ok().flatten()
}

/// A new zone with all bodies that can still be read and moved, at rest.
fn begun_anew<G: Ground + Clone>(held: &Held<G>, ground: &G, config: sim::ZoneConfig, tick: u64) -> Zone<G> {
    let mut zone = Zone::new_at(config, ground.clone(), tick);
    for (entity, _) in held.book.residents() {
        let moved = || {
            let body: Body = *held.zone.body(entity)?.0;
            let place = body.position.try_normalize()?;
            let body = sim::body_at(place, body.facing, ground);
            let mover = Mover::new(body, ClosedLand::default());
            // Moved once where nobody is harmed.
            let mut trial = Zone::new_at(config, ground.clone(), tick);
            trial.enter(entity, mover.clone()).ok()?;
            trial.tick();
            trial.publish();
            Some(mover)
        };
        if let Ok(Some(mover)) = catch_unwind(AssertUnwindSafe(moved)) {
            let _ = zone.enter(entity, mover);
        }
    }
    zone
}
