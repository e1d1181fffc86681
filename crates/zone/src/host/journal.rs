//! What the host writes down: positions for the next visit, and everything for whoever goes on after a crash.

use super::{Host, Player};
use crate::saved::SavedBody;
use motion::Body;

/// So often everything is written, in seconds; between, only what happened.
const SNAPSHOT_S: u64 = 10;
/// A body that moved less than this since it was saved is not saved again.
const SAVED_TOLERANCE_M: f64 = 0.01;

impl Host {
    /// Hands the positions of bodies that moved to the saver.
    pub(super) fn note_positions(&mut self) {
        let now_us = self.now_us();
        for player in self.players.values_mut() {
            let Some((Body { position, facing, .. }, _)) = self.world.body(player.entity) else { continue };
            let is_saved = player.saved_at.is_some_and(|saved| saved.distance(*position) < SAVED_TOLERANCE_M);
            if !is_saved {
                let saved = SavedBody { position: *position, facing: *facing };
                self.saver.note(player.account_id, saved, now_us);
                player.saved_at = Some(*position);
            }
        }
    }

    /// Writes down what happened in this tick, to be called when all of it has.
    pub(super) fn keep_journal(&mut self) {
        let tick = self.world.tick_count();
        let record = self.world.take_record();
        // Before the first snapshot there is nothing that a record could go on from.
        let has_begun = self.next_snapshot > 0;
        if let Some(writer) = self.writer.as_ref().filter(|_| has_begun) {
            writer.append(tick, record.to_bytes());
        }
        if tick >= self.next_snapshot {
            self.next_snapshot = tick + SNAPSHOT_S * u64::from(self.config.pace.hz());
            self.begin_stretch();
        }
    }

    pub(super) fn begin_stretch(&mut self) {
        let mut snapshot = self.world.snapshot();
        if let Some(writer) = &self.writer {
            snapshot.people = self.players.values().map(Player::to_kept).collect();
            snapshot.people.sort_unstable_by_key(|person| person.entity);
            writer.begin(self.world.tick_count(), snapshot.to_bytes());
        }
    }
}
