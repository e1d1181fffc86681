//! How the world does, for the rest of the process, for metrics and for staff.

use super::Host;
use crate::handle::{MovementStretch, Stats};
use std::sync::PoisonError;
use std::time::Duration;

/// So long after time went slower than it should, more inputs than time do not speak against anybody.
const EXCUSED_FOR: Duration = Duration::from_secs(5);

/// Kept handles: a look-up by name per tick would cost more than the counting.
pub(super) struct Meters {
    tick: metrics::Histogram,
    tick_longest: metrics::Gauge,
    bodies: metrics::Gauge,
    connected: metrics::Gauge,
    zones: metrics::Gauge,
    stretch: metrics::Gauge,
    handovers: metrics::Counter,
    splits: metrics::Counter,
    merges: metrics::Counter,
    recoveries: metrics::Counter,
    pub(super) frames: metrics::Counter,
    pub(super) frame_bytes: metrics::Counter,
    pub(super) dropped_frames: metrics::Counter,
    pub(super) left_out_events: metrics::Counter,
    skipped_ticks: metrics::Counter,
    set_backs: metrics::Counter,
    pub(super) fence_tiles: metrics::Gauge,
    longest: Duration,
    longest_before: Duration,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            tick: metrics::histogram!("terrane_zone_tick_seconds"),
            tick_longest: metrics::gauge!("terrane_zone_tick_longest_seconds"),
            bodies: metrics::gauge!("terrane_zone_bodies"),
            connected: metrics::gauge!("terrane_zone_connected"),
            zones: metrics::gauge!("terrane_zones"),
            stretch: metrics::gauge!("terrane_zone_dilation"),
            handovers: metrics::counter!("terrane_zone_handovers_total"),
            splits: metrics::counter!("terrane_zone_splits_total"),
            merges: metrics::counter!("terrane_zone_merges_total"),
            recoveries: metrics::counter!("terrane_zone_recoveries_total"),
            frames: metrics::counter!("terrane_zone_frames_total"),
            frame_bytes: metrics::counter!("terrane_zone_frame_bytes_total"),
            dropped_frames: metrics::counter!("terrane_zone_dropped_frames_total"),
            left_out_events: metrics::counter!("terrane_zone_left_out_events_total"),
            skipped_ticks: metrics::counter!("terrane_zone_skipped_ticks_total"),
            set_backs: metrics::counter!("terrane_zone_set_backs_total"),
            fence_tiles: metrics::gauge!("terrane_zone_fence_tiles"),
            longest: Duration::ZERO,
            longest_before: Duration::ZERO,
        }
    }
}

impl Host {
    /// Notes that ticks were left out.
    pub(crate) fn skip(&mut self, ticks: u64) {
        self.skipped_ticks += ticks;
        self.meters.skipped_ticks.increment(ticks);
        self.excuse_haste();
    }

    /// Notes that less time passed here than elsewhere. Who sends as many inputs as there is time sends too many then,
    /// and until those that wait are worked off.
    pub(crate) fn excuse_haste(&mut self) {
        self.excused_until = self.clock.elapsed() + EXCUSED_FOR;
    }

    /// Notes how long a tick took.
    pub(super) fn note_busy(&mut self, busy: Duration) {
        self.meters.tick.record(busy.as_secs_f64());
        self.meters.longest = self.meters.longest.max(busy);
        let hz = self.config.pace.hz();
        let share = busy.as_secs_f64() * f64::from(hz);
        self.load += (share - self.load) / f64::from(hz);
        if self.world.tick_count().is_multiple_of(hz.into()) {
            let longest = std::mem::take(&mut self.meters.longest);
            let before = std::mem::replace(&mut self.meters.longest_before, longest);
            self.meters.tick_longest.set(longest.max(before).as_secs_f64());
        }
        self.keep_pace(share);
    }

    /// Tells the rest of the process how things are.
    pub(super) fn publish(&mut self) {
        let mut positions = self.shared.positions();
        positions.clear();
        for (entity, body) in self.world.bodies() {
            if let Some(account_id) = self.accounts.get(&entity) {
                positions.insert(*account_id, body.position);
            }
        }
        drop(positions);
        let counts = self.world.counts();
        let stats = Stats {
            tick: self.world.tick_count(),
            connected: self.sessions.len(),
            bodies: self.world.body_count(),
            skipped_ticks: self.skipped_ticks,
            dropped_frames: self.dropped_frames,
            load: self.load,
            handovers: counts.handovers,
            recoveries: counts.recoveries,
            stretch: self.pacing.stretch(),
        };
        let zones = self.world.zones();
        self.meters.bodies.set(stats.bodies as f64);
        self.meters.connected.set(stats.connected as f64);
        self.meters.zones.set(zones.len() as f64);
        self.meters.stretch.set(stats.stretch);
        self.meters.handovers.absolute(counts.handovers);
        self.meters.splits.absolute(counts.splits);
        self.meters.merges.absolute(counts.merges);
        self.meters.recoveries.absolute(counts.recoveries);
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
        *self.shared.zones.lock().unwrap_or_else(PoisonError::into_inner) = zones;
    }

    /// Keeps what speaks against players, for staff.
    pub(super) fn note_incidents(&mut self) {
        let incidents = self.world.take_incidents();
        if incidents.is_empty() {
            return;
        }
        for incident in &incidents {
            metrics::counter!("terrane_zone_offences_total", "offence" => incident.offence.name())
                .increment(1);
            self.meters.set_backs.increment(u64::from(incident.set_back_to.is_some()));
            self.stretches.note(incident);
        }
        let last_at_us = self.now_us();
        let mut movement = self.shared.movement();
        for incident in &incidents {
            let Some(account_id) = self.accounts.get(&incident.entity) else { continue };
            let newest = self.stretches.iter().find(|stretch| stretch.entity == incident.entity);
            if let Some(stretch) = newest.filter(|stretch| stretch.is_suspicious()) {
                let new = MovementStretch { account_id: *account_id, stretch: *stretch, last_at_us };
                MovementStretch::keep(&mut movement, new);
            }
        }
    }
}
