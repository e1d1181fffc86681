//! How somebody goes out of the world, and how the world ends.

use super::{Host, Link, Player, bye, encode};
use crate::LINK_DEAD_S;
use crate::journal::Change;
use crate::limits::FORGOTTEN_PER_TICK_MAX;
use crate::saved::SavedBody;
use motion::Body;
use std::time::Duration;
use uuid::Uuid;
use wire::{Bye, ServerMessage};

impl Host {
    /// Ends a player's connection, if there is one; the body waits.
    pub(super) fn disconnect(&mut self, account_id: Uuid, bye: Option<Bye>) {
        let Some(player) = self.players.get_mut(&account_id) else { return };
        let lost = Link::Lost { since: self.clock.elapsed() };
        if let Link::Connected { session, outbox, .. } = &player.link {
            self.sessions.remove(session);
            outbox.close(bye.map(|bye| encode(&ServerMessage::Bye(bye))));
            player.link = lost;
            self.audience.unwatch(player.entity);
        }
    }

    /// Takes a player's body out of the zone and notes where it was.
    pub(super) fn remove(&mut self, account_id: Uuid) {
        let Some(player) = self.players.get(&account_id) else { return };
        let body = self.world.leave(player.entity);
        self.forget(account_id, body);
    }

    /// Somebody has no body any more; notes where it was.
    fn forget(&mut self, account_id: Uuid, body: Option<Body>) {
        let Some(player) = self.players.remove(&account_id) else { return };
        self.accounts.remove(&player.entity);
        self.audience.unwatch(player.entity);
        self.companions.set(player.entity, &[]);
        self.world.note(Change::Left(player.entity));
        if let Some(Body { position, facing, .. }) = body {
            self.saver.note(account_id, SavedBody { position, facing }, self.now_us());
        }
    }

    pub(super) fn forget_the_lost(&mut self, now: Duration) {
        let patience = Duration::from_secs(LINK_DEAD_S);
        let is_gone = |player: &Player| match player.link {
            Link::Lost { since } => now.saturating_sub(since) >= patience,
            Link::Connected { .. } => false,
        };
        let gone = self.players.values().filter(|player| is_gone(player)).map(|player| player.account_id);
        let gone: Vec<_> = gone.take(FORGOTTEN_PER_TICK_MAX).collect();
        if gone.is_empty() {
            return;
        }
        for account_id in gone {
            self.remove(account_id);
        }
        self.saver.wake();
    }

    pub(super) fn end(&mut self) {
        let accounts: Vec<_> = self.players.keys().copied().collect();
        for account_id in accounts {
            self.disconnect(account_id, Some(bye("shutting_down", "the server is shutting down", true)));
            self.remove(account_id);
        }
        self.publish();
        // The journal ends with an empty world: whoever starts next finds nobody in it.
        self.keep_journal();
        self.begin_stretch();
        self.writer = None;
        for done in self.ended.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }

    /// Bodies that a zone could not save from its panic: their players come back where they were last saved.
    pub(super) fn give_up_the_lost(&mut self) {
        for (entity, body) in self.world.take_lost() {
            let Some(account_id) = self.accounts.get(&entity).copied() else { continue };
            self.disconnect(account_id, Some(bye("zone_failed", "your zone has failed, come again", true)));
            self.forget(account_id, body);
        }
    }

    /// Whether somebody else has the world now.
    pub(super) fn is_ousted(&self) -> bool {
        self.tenancy.as_ref().is_some_and(|tenancy| tenancy.is_lost())
            || self.writer.as_ref().is_some_and(|writer| writer.health() == crate::journal::Health::Fenced)
    }

    /// Ends without writing anything: what is true is with whoever has the world now.
    pub(super) fn give_up(&mut self) {
        tracing::error!("another process has this world; this one ends");
        self.writer = None;
        let accounts: Vec<_> = self.players.keys().copied().collect();
        for account_id in accounts {
            self.disconnect(account_id, Some(bye("shutting_down", "the server is shutting down", true)));
        }
        self.players.clear();
        self.ended.drain(..).for_each(|done| {
            let _ = done.send(());
        });
    }
}
