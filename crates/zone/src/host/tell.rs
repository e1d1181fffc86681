//! What the host tells: to one, to those near, to all who are meant.

use super::{Host, Player, bye, encode, too_slow};
use crate::handle::{EventFor, SessionId};
use crate::limits::VOICE_M;
use crate::session::Fault;
use bytes::Bytes;
use glam::DVec3;
use sim::{EntityId, Offence};
use uuid::Uuid;
use wire::{LotChanged, People, Refused, Said, ServerMessage};

impl Host {
    pub(super) fn say(&mut self, account_id: Uuid, text: String) {
        let Some(player) = self.players.get(&account_id) else { return };
        let Some(body) = self.world.body(player.entity).map(|(body, _)| *body) else { return };
        let said = ServerMessage::Said(Said {
            entity_id: player.entity.0,
            display_name: player.display_name.clone(),
            text,
            server_time_ms: self.clock.unix_ms(),
        });
        self.audience.note_speaking(player.entity, self.world.tick_count());
        let hearers = self.world.bodies_within(body.position, VOICE_M);
        self.tell_all(&hearers, &said);
    }

    pub(super) fn tell_who_is(&mut self, account_id: Uuid, entity_ids: &[u32]) {
        let Some(asker) = self.players.get(&account_id).map(|player| player.entity) else { return };
        let people = entity_ids
            .iter()
            .map(|id| EntityId(*id))
            .filter(|id| *id == asker || self.sees(asker, *id))
            .filter_map(|id| self.accounts.get(&id).and_then(|account_id| self.players.get(account_id)))
            .filter(|player| !player.display_name.is_empty())
            .map(Player::to_person)
            .collect();
        self.tell(account_id, &ServerMessage::People(People { people }));
    }

    pub(super) fn sees(&self, watcher: EntityId, id: EntityId) -> bool {
        self.world.body(id).is_some_and(|(body, _)| self.audience.sees(watcher, body.position))
    }

    pub(super) fn announce_lot(&mut self, message: LotChanged, at: DVec3) {
        let near: Vec<_> = self.audience.watchers_of(at).collect();
        self.tell_all(&near, &ServerMessage::LotChanged(message));
    }

    pub(super) fn tell_event(&mut self, message: wire::Event, to: EventFor) {
        let accounts = match to {
            EventFor::Accounts(accounts) => accounts,
            EventFor::Near(at) => self
                .audience
                .watchers_of(at)
                .filter_map(|entity| self.accounts.get(&entity).copied())
                .collect(),
        };
        let bytes = encode(&ServerMessage::Event(message));
        for account_id in accounts {
            let outbox = self.players.get(&account_id).and_then(Player::outbox);
            if outbox.is_some_and(|outbox| !outbox.push_event(bytes.clone())) {
                self.meters.left_out_events.increment(1);
            }
        }
    }

    pub(super) fn rename(&mut self, account_id: Uuid, display_name: String, color: u32) {
        let Some(player) = self.players.get_mut(&account_id) else { return };
        player.display_name = display_name;
        player.color = color;
        self.tell_name(account_id);
    }

    /// Tells those who see somebody what they are called.
    pub(super) fn tell_name(&mut self, account_id: Uuid) {
        let Some(player) = self.players.get(&account_id) else { return };
        let people = People { people: vec![player.to_person()] };
        let Some((body, _)) = self.world.body(player.entity) else { return };
        let near: Vec<_> = self.audience.watchers_of(body.position).collect();
        self.tell_all(&near, &ServerMessage::People(people));
    }

    pub(super) fn tell_fault(&mut self, session: SessionId, fault: Fault) {
        let Some(account_id) = self.sessions.get(&session).copied() else { return };
        let offence = match fault.code {
            "flooding" => Some(Offence::Flood),
            "bad_message" => Some(Offence::BrokenMessage),
            _ => None,
        };
        if let (Some(offence), Some(player)) = (offence, self.players.get(&account_id)) {
            self.world.blame(player.entity, offence);
        }
        if fault.is_fatal {
            self.disconnect(account_id, Some(bye(fault.code, &fault.detail, false)));
        } else {
            let refused = Refused { code: fault.code.into(), detail: fault.detail };
            self.tell(account_id, &ServerMessage::Refused(refused));
        }
    }

    /// Tells without waiting for the next frame.
    pub(super) fn tell_now(&mut self, account_id: Uuid, message: &ServerMessage<'_>) {
        let outbox = self.players.get(&account_id).and_then(Player::outbox);
        if outbox.is_some_and(|outbox| outbox.push_urgent(encode(message)).is_err()) {
            self.disconnect(account_id, Some(too_slow()));
        }
    }

    pub(super) fn tell(&mut self, account_id: Uuid, message: &ServerMessage<'_>) {
        self.tell_bytes(account_id, encode(message));
    }

    pub(super) fn tell_all(&mut self, entities: &[EntityId], message: &ServerMessage<'_>) {
        let bytes = encode(message);
        for entity in entities {
            if let Some(account_id) = self.accounts.get(entity).copied() {
                self.tell_bytes(account_id, bytes.clone());
            }
        }
    }

    pub(super) fn tell_bytes(&mut self, account_id: Uuid, bytes: Bytes) {
        let outbox = self.players.get(&account_id).and_then(Player::outbox);
        if outbox.is_some_and(|outbox| outbox.push_control(bytes).is_err()) {
            self.disconnect(account_id, Some(too_slow()));
        }
    }
}
