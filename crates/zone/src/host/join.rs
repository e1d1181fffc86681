//! How somebody comes into the world.

use super::{Around, Host, Link, Player, bye, encode};
use crate::handle::{JoinError, JoinRequest, SessionId};
use crate::journal::{Change, Person as KeptPerson};
use crate::outbox::outbox;
use crate::saved::SavedBody;
use crate::session::Session;
use crate::slow_reader::SlowReader;
use glam::DVec3;
use sim::{Arrival, EntityId};
use std::sync::Arc;
use uuid::Uuid;
use wire::{PROTOCOL_HASH, PROTOCOL_VERSION, PlanetSpec, RESUME_TOKEN_BYTES, ServerMessage, Welcome};

/// A token is as long as a key, so its plain hash tells nothing.
pub(super) fn hash_of(token: &[u8]) -> [u8; 32] {
    *blake3::hash(token).as_bytes()
}

impl Host {
    pub(super) fn join(
        &mut self,
        request: JoinRequest,
        saved: Option<SavedBody>,
        groups: Vec<(Uuid, bool)>,
    ) -> Result<Session, JoinError> {
        if !self.ended.is_empty() {
            return Err(JoinError::ShuttingDown);
        }
        let account_id = request.account_id;
        self.disconnect(account_id, Some(bye("replaced", "you have connected from elsewhere", false)));
        if !self.goes_on(&request) {
            self.remove(account_id);
        }
        let kept = self.players.get(&account_id).map(|player| player.entity);
        let was_nameless = self.players.get(&account_id).is_some_and(|player| player.display_name.is_empty());
        let around = Around::new(account_id, groups);
        let entity = match kept {
            Some(entity) => entity,
            None => self.arrive(&request, saved, &around)?,
        };
        let welcome = self.welcome(entity, kept.is_some());
        let token_hash = hash_of(&welcome.resume_token);
        let (outbox, reader) = outbox();
        outbox.push_urgent(encode(&ServerMessage::Welcome(welcome))).expect("a new queue has room");
        self.last_session += 1;
        let session = SessionId(self.last_session);
        self.sessions.insert(session, account_id);
        self.accounts.insert(entity, account_id);
        let saved_at = self.players.get(&account_id).and_then(|player| player.saved_at);
        let link = Link::Connected { session, outbox, slow: SlowReader::default() };
        let JoinRequest { display_name, color, .. } = request;
        let player = Player {
            account_id,
            entity,
            display_name,
            color,
            token_hash,
            link,
            saved_at,
            around,
            refused: None,
        };
        self.world.note(Change::Person(player.to_kept()));
        self.players.insert(account_id, player);
        self.note_groups(account_id);
        self.world.restart_inputs(entity);
        self.audience.watch(entity);
        if let Some((body, _)) = self.world.body(entity) {
            // At once and not with the next publication: who was welcomed may claim what is near.
            self.shared.positions().insert(account_id, body.position);
        }
        self.tell_all_fences(account_id);
        if was_nameless {
            self.tell_name(account_id);
        }
        Ok(Session::new(session, Arc::clone(&self.shared), reader))
    }

    pub(super) fn arrive(
        &mut self,
        request: &JoinRequest,
        saved: Option<SavedBody>,
        around: &Around,
    ) -> Result<EntityId, JoinError> {
        let arrival = self.arrival(request, saved);
        let closed = self.closed_around(&arrival, around.visitor());
        self.world.join(arrival, closed).map_err(|_| JoinError::Full)
    }

    pub(super) fn arrival(&self, request: &JoinRequest, saved: Option<SavedBody>) -> Arrival {
        let pleasant = self.planet.arrival();
        let saved = self.saver.recent(request.account_id).or(saved);
        if let Some(place) = request.arrive_at {
            Arrival::At { place: place.to_point(), otherwise: pleasant.ground }
        } else if let Some(place) = saved.and_then(|saved| saved.position.try_normalize()) {
            let facing = saved.map_or(DVec3::ZERO, |saved| saved.facing);
            Arrival::Back { place, facing, otherwise: pleasant.ground }
        } else {
            Arrival::Newcomer { around: pleasant.ground, facing: pleasant.facing }
        }
    }

    pub(super) fn welcome(&self, entity: EntityId, resumed: bool) -> Welcome {
        let (body, last_input_seq) = self.world.body(entity).expect("it was just found or made");
        let spec = self.planet.spec();
        Welcome {
            protocol_version: PROTOCOL_VERSION,
            protocol_hash: PROTOCOL_HASH,
            entity_id: entity.0,
            resume_token: rand::random::<[u8; RESUME_TOKEN_BYTES]>().to_vec(),
            resumed,
            tick_hz: self.config.pace.hz(),
            send_hz: self.config.pace.hz() / self.config.send_ticks(),
            tick: self.world.tick_count(),
            last_input_seq,
            planet: Some(PlanetSpec {
                seed: spec.seed,
                shift: spec.shift.into(),
                generator_version: planet::GENERATOR_VERSION,
            }),
            server_time_ms: self.clock.unix_ms(),
            body: Some(body.into()),
        }
    }

    /// Somebody whose body was here when the process before this one ended.
    pub(super) fn expect_back(&mut self, person: KeptPerson) {
        let KeptPerson { entity, account_id, token_hash } = person;
        let (display_name, color) = (String::new(), 0);
        let link = Link::Lost { since: self.clock.elapsed() };
        let around = Around::new(account_id, vec![]);
        let player = Player {
            account_id,
            entity,
            display_name,
            color,
            token_hash,
            link,
            saved_at: None,
            around,
            refused: None,
        };
        if let Some(other) = self.players.insert(account_id, player) {
            // Nobody has two bodies.
            self.world.leave(other.entity);
            self.accounts.remove(&other.entity);
        }
        self.accounts.insert(entity, account_id);
    }
}
