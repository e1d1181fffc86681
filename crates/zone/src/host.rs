//! The zone as its thread sees it: one tick after the other.
//!
//! A tick takes the commands that came since the last one, moves the bodies, hands out the frames that are due, and
//! looks after those who are slow, lost or to be saved. It waits for nothing and nobody.

use crate::fences::{FenceCache, Question};
use crate::handle::{Command, Deps, EventFor, JoinError, JoinRequest, SessionId, Shared, Stats, ZoneConfig};
use crate::limits::{FORGOTTEN_PER_TICK_MAX, VOICE_M};
use crate::outbox::{Outbox, outbox};
use crate::post::{Batch, Post};
use crate::saved::{SavedBody, Saver};
use crate::session::{Fault, Session};
use crate::slow_reader::SlowReader;
use crate::{Clock, LINK_DEAD_S};
use bytes::Bytes;
use glam::DVec3;
use motion::{Body, Ground, Pace, Surface};
use planet::Planet;
use sim::{Arrival, Audience, AudienceConfig, Delivery, EntityId, InputError, Zone};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use uuid::Uuid;

use self::fences::{Around, FenceKeeper};
use wire::{
    Bye, ClientMessage, InputBatch, LotChanged, PROTOCOL_HASH, PROTOCOL_VERSION, People, Person, PlanetSpec,
    Pong, RESUME_TOKEN_BYTES, Refused, Said, ServerMessage, Welcome,
};

mod fences;
pub(crate) use fences::Joining;

/// A client is sent a frame every so many ticks.
const SEND_TICKS: u32 = 3;
/// Threads that send frames, when there are any to send.
const SEND_THREADS: usize = 2;
/// Level of the streams' cells on a planet of the default size.
const CELL_LEVEL: u8 = 14;
/// Level of the pieces of ground by which fences are read on a planet of the default size: 570 m wide.
const FENCE_TILE_LEVEL: u8 = 11;
/// A body that moved less than this since it was saved is not saved again.
const SAVED_TOLERANCE_M: f64 = 0.01;

/// The planet as the ground of crate `motion`.
pub(crate) struct PlanetGround(pub(crate) Arc<Planet>);

impl Ground for PlanetGround {
    fn surface(&self, dir: DVec3) -> Surface {
        let planet::Ground { elevation_m, water_m } = self.0.ground(dir);
        Surface { elevation_m, water_m }
    }

    fn radius_m(&self) -> f64 {
        self.0.radius_m()
    }
}

/// Someone with a body in the zone.
struct Player {
    account_id: Uuid,
    entity: EntityId,
    display_name: String,
    color: u32,
    resume_token: [u8; RESUME_TOKEN_BYTES],
    link: Link,
    /// Where the body was when it was last handed to the saver.
    saved_at: Option<DVec3>,
    /// The fences that matter to it.
    around: Around,
}

enum Link {
    Connected { session: SessionId, outbox: Outbox, slow: SlowReader },
    Lost { since: Duration },
}

impl Player {
    fn outbox(&self) -> Option<&Outbox> {
        match &self.link {
            Link::Connected { outbox, .. } => Some(outbox),
            Link::Lost { .. } => None,
        }
    }

    fn to_person(&self) -> Person {
        Person {
            entity_id: self.entity.0,
            account_id: self.account_id.to_string(),
            display_name: self.display_name.clone(),
            color: self.color,
        }
    }
}

/// The zone, its players and what it tells the rest of the process.
pub(crate) struct Host {
    config: ZoneConfig,
    planet: Arc<Planet>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    saver: Arc<Saver>,
    zone: Zone<PlanetGround>,
    audience: Audience,
    players: HashMap<Uuid, Player>,
    accounts: HashMap<EntityId, Uuid>,
    sessions: HashMap<SessionId, Uuid>,
    last_session: u64,
    next_save: Duration,
    dropped_frames: u64,
    /// A moving average, over about a second.
    load: f64,
    skipped_ticks: u64,
    /// None where there are no fences.
    fences: Option<FenceKeeper>,
    ended: Vec<oneshot::Sender<()>>,
    post: Post,
    meters: Meters,
}

/// Kept handles: a look-up by name per tick would cost more than the counting.
struct Meters {
    tick: metrics::Histogram,
    bodies: metrics::Gauge,
    connected: metrics::Gauge,
    frame_bytes: metrics::Counter,
    dropped_frames: metrics::Counter,
    left_out_events: metrics::Counter,
    skipped_ticks: metrics::Counter,
    fence_tiles: metrics::Gauge,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            tick: metrics::histogram!("terrane_zone_tick_seconds"),
            bodies: metrics::gauge!("terrane_zone_bodies"),
            connected: metrics::gauge!("terrane_zone_connected"),
            frame_bytes: metrics::counter!("terrane_zone_frame_bytes_total"),
            dropped_frames: metrics::counter!("terrane_zone_dropped_frames_total"),
            left_out_events: metrics::counter!("terrane_zone_left_out_events_total"),
            skipped_ticks: metrics::counter!("terrane_zone_skipped_ticks_total"),
            fence_tiles: metrics::gauge!("terrane_zone_fence_tiles"),
        }
    }
}

impl Host {
    /// Without `questions` there are no fences.
    pub(crate) fn new(
        config: ZoneConfig,
        deps: Deps,
        shared: Arc<Shared>,
        saver: Arc<Saver>,
        questions: Option<UnboundedSender<Question>>,
    ) -> Self {
        let Deps { planet, clock, .. } = deps;
        let sim_config = sim::ZoneConfig {
            cell_level: planet.grid_level(CELL_LEVEL),
            bodies_max: config.bodies_max,
            pace: Pace::default(),
            seed: planet.spec().seed,
        };
        let fences = questions.map(|questions| {
            let tile_level = planet.grid_level(FENCE_TILE_LEVEL);
            FenceKeeper::new(FenceCache::new(tile_level, planet.radius_m(), questions))
        });
        let next_save = clock.elapsed() + config.save_interval;
        Self {
            config,
            zone: Zone::new(sim_config, PlanetGround(Arc::clone(&planet))),
            audience: Audience::new(AudienceConfig {
                cell_level: sim_config.cell_level,
                radius_m: planet.radius_m(),
                send_ticks: SEND_TICKS,
            }),
            planet,
            clock,
            shared,
            saver,
            players: HashMap::new(),
            accounts: HashMap::new(),
            sessions: HashMap::new(),
            last_session: 0,
            next_save,
            dropped_frames: 0,
            load: 0.0,
            skipped_ticks: 0,
            fences,
            ended: vec![],
            post: Post::start(SEND_THREADS),
            meters: Meters::default(),
        }
    }

    /// One tick. False after the last.
    pub(crate) fn tick(&mut self) -> bool {
        let started = self.clock.elapsed();
        for command in self.shared.take_commands() {
            self.obey(command);
        }
        self.keep_fences();
        self.zone.tick();
        self.send_frames(started);
        self.forget_the_lost(started);
        if started >= self.next_save {
            self.next_save = started + self.config.save_interval;
            self.note_positions();
            self.saver.wake();
        }
        if self.zone.tick_count().is_multiple_of(SEND_TICKS.into()) {
            self.publish();
        }
        let busy_s = self.clock.elapsed().saturating_sub(started).as_secs_f64();
        self.meters.tick.record(busy_s);
        let share = busy_s * f64::from(Pace::default().hz());
        self.load += (share - self.load) / f64::from(Pace::default().hz());
        if self.ended.is_empty() {
            return true;
        }
        self.end();
        false
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Notes that ticks were left out.
    pub(crate) fn skip(&mut self, ticks: u64) {
        self.skipped_ticks += ticks;
        self.meters.skipped_ticks.increment(ticks);
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Join(joining) => self.begin_join(joining),
            Command::Found { finding } => self.learn(finding),
            Command::ParcelChanged { parcel, lots } => self.parcel_changed(parcel, &lots),
            Command::GroupsChanged { account_id } => self.groups_changed(account_id),
            Command::FencesLost => self.all_fences_changed(),
            Command::Message { session, message } => {
                if let Some(account_id) = self.sessions.get(&session).copied() {
                    self.take_message(account_id, message);
                }
            }
            Command::Fault { session, fault } => self.tell_fault(session, fault),
            Command::Lost { session } => {
                if let Some(account_id) = self.sessions.get(&session).copied() {
                    self.disconnect(account_id, None);
                }
            }
            Command::AnnounceLot { message, at } => self.announce_lot(message, at),
            Command::TellEvent { message, to } => self.tell_event(message, to),
            Command::Rename { account_id, display_name, color } => {
                self.rename(account_id, display_name, color);
            }
            Command::Shutdown { done } => self.ended.push(done),
        }
    }

    fn join(
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
        let around = Around::new(account_id, groups);
        let entity = match kept {
            Some(entity) => entity,
            None => self.arrive(&request, saved, &around)?,
        };
        let welcome = self.welcome(entity, kept.is_some());
        let resume_token = welcome_token(&welcome);
        let (outbox, reader) = outbox();
        outbox.push_urgent(encode(&ServerMessage::Welcome(welcome))).expect("a new queue has room");
        self.last_session += 1;
        let session = SessionId(self.last_session);
        self.sessions.insert(session, account_id);
        self.accounts.insert(entity, account_id);
        let saved_at = self.players.get(&account_id).and_then(|player| player.saved_at);
        let link = Link::Connected { session, outbox, slow: SlowReader::default() };
        let JoinRequest { display_name, color, .. } = request;
        let player = Player { account_id, entity, display_name, color, resume_token, link, saved_at, around };
        self.players.insert(account_id, player);
        self.zone.restart_inputs(entity);
        self.audience.watch(entity);
        if let Some((body, _)) = self.zone.body(entity) {
            // At once and not with the next publication: who was welcomed may claim what is near.
            self.shared.positions().insert(account_id, body.position);
        }
        self.tell_all_fences(account_id);
        Ok(Session::new(session, Arc::clone(&self.shared), reader))
    }

    fn arrive(
        &mut self,
        request: &JoinRequest,
        saved: Option<SavedBody>,
        around: &Around,
    ) -> Result<EntityId, JoinError> {
        let arrival = self.arrival(request, saved);
        let closed = self.closed_around(&arrival, around.visitor());
        self.zone.join(arrival, closed).map_err(|_| JoinError::Full)
    }

    fn arrival(&self, request: &JoinRequest, saved: Option<SavedBody>) -> Arrival {
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

    fn welcome(&self, entity: EntityId, resumed: bool) -> Welcome {
        let (body, last_input_seq) = self.zone.body(entity).expect("it was just found or made");
        let spec = self.planet.spec();
        Welcome {
            protocol_version: PROTOCOL_VERSION,
            protocol_hash: PROTOCOL_HASH,
            entity_id: entity.0,
            resume_token: rand::random::<[u8; RESUME_TOKEN_BYTES]>().to_vec(),
            resumed,
            tick_hz: Pace::default().hz(),
            send_hz: Pace::default().hz() / SEND_TICKS,
            tick: self.zone.tick_count(),
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

    fn take_message(&mut self, account_id: Uuid, message: ClientMessage) {
        match message {
            ClientMessage::Input(batch) => self.take_inputs(account_id, &batch),
            ClientMessage::Say(say) => self.say(account_id, say.text),
            ClientMessage::WhoIs(asked) => self.tell_who_is(account_id, &asked.entity_ids),
            ClientMessage::Ping(ping) => {
                let pong = Pong {
                    client_time_ms: ping.client_time_ms,
                    server_time_ms: self.clock.unix_ms(),
                    tick: self.zone.tick_count(),
                };
                self.tell_now(account_id, &ServerMessage::Pong(pong));
            }
            ClientMessage::Leave => {
                self.disconnect(account_id, Some(bye("left", "good bye", false)));
                self.remove(account_id);
                self.saver.wake();
            }
            ClientMessage::Hello(_) => unreachable!("a session refuses a second hello"),
        }
    }

    fn take_inputs(&mut self, account_id: Uuid, batch: &InputBatch) {
        let Some(player) = self.players.get(&account_id) else { return };
        if let Err(error) = self.zone.take_inputs(player.entity, batch.first_seq, &batch.inputs) {
            let code = match error {
                InputError::QueueFull => "too_fast",
                InputError::TooFarAhead { .. } | InputError::NoBody => "bad_sequence",
            };
            let refused = Refused { code: code.into(), detail: error.to_string() };
            self.tell(account_id, &ServerMessage::Refused(refused));
        }
    }

    fn say(&mut self, account_id: Uuid, text: String) {
        let Some(player) = self.players.get(&account_id) else { return };
        let Some(body) = self.zone.body(player.entity).map(|(body, _)| *body) else { return };
        let said = ServerMessage::Said(Said {
            entity_id: player.entity.0,
            display_name: player.display_name.clone(),
            text,
            server_time_ms: self.clock.unix_ms(),
        });
        let hearers: Vec<_> = self.zone.bodies_within(body.position, VOICE_M).collect();
        self.tell_all(&hearers, &said);
    }

    fn tell_who_is(&mut self, account_id: Uuid, entity_ids: &[u32]) {
        let Some(asker) = self.players.get(&account_id).map(|player| player.entity) else { return };
        let people = entity_ids
            .iter()
            .map(|id| EntityId(*id))
            .filter(|id| *id == asker || self.sees(asker, *id))
            .filter_map(|id| self.accounts.get(&id).and_then(|account_id| self.players.get(account_id)))
            .map(Player::to_person)
            .collect();
        self.tell(account_id, &ServerMessage::People(People { people }));
    }

    fn sees(&self, watcher: EntityId, id: EntityId) -> bool {
        self.zone.body(id).is_some_and(|(body, _)| self.audience.sees(watcher, body.position))
    }

    fn announce_lot(&mut self, message: LotChanged, at: DVec3) {
        let near: Vec<_> = self.audience.watchers_of(at).collect();
        self.tell_all(&near, &ServerMessage::LotChanged(message));
    }

    fn tell_event(&mut self, message: wire::Event, to: EventFor) {
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

    fn rename(&mut self, account_id: Uuid, display_name: String, color: u32) {
        let Some(player) = self.players.get_mut(&account_id) else { return };
        player.display_name = display_name;
        player.color = color;
        let people = People { people: vec![player.to_person()] };
        let Some((body, _)) = self.zone.body(player.entity) else { return };
        let near: Vec<_> = self.audience.watchers_of(body.position).collect();
        self.tell_all(&near, &ServerMessage::People(people));
    }

    fn tell_fault(&mut self, session: SessionId, fault: Fault) {
        let Some(account_id) = self.sessions.get(&session).copied() else { return };
        if fault.is_fatal {
            self.disconnect(account_id, Some(bye(fault.code, &fault.detail, false)));
        } else {
            let refused = Refused { code: fault.code.into(), detail: fault.detail };
            self.tell(account_id, &ServerMessage::Refused(refused));
        }
    }

    /// Tells without waiting for the next frame.
    fn tell_now(&mut self, account_id: Uuid, message: &ServerMessage<'_>) {
        let outbox = self.players.get(&account_id).and_then(Player::outbox);
        if outbox.is_some_and(|outbox| outbox.push_urgent(encode(message)).is_err()) {
            self.disconnect(account_id, Some(too_slow()));
        }
    }

    fn tell(&mut self, account_id: Uuid, message: &ServerMessage<'_>) {
        self.tell_bytes(account_id, encode(message));
    }

    fn tell_all(&mut self, entities: &[EntityId], message: &ServerMessage<'_>) {
        let bytes = encode(message);
        for entity in entities {
            if let Some(account_id) = self.accounts.get(entity).copied() {
                self.tell_bytes(account_id, bytes.clone());
            }
        }
    }

    fn tell_bytes(&mut self, account_id: Uuid, bytes: Bytes) {
        let outbox = self.players.get(&account_id).and_then(Player::outbox);
        if outbox.is_some_and(|outbox| outbox.push_control(bytes).is_err()) {
            self.disconnect(account_id, Some(too_slow()));
        }
    }

    fn send_frames(&mut self, now: Duration) {
        let Self { zone, audience, players, accounts, meters, dropped_frames, post, .. } = self;
        let mut too_slow_ones = vec![];
        let mut batch = Batch::default();
        zone.publish();
        audience.send(zone.tick_count(), &[zone.view()], |entity, frame| {
            let player = accounts.get(&entity).and_then(|account_id| players.get_mut(account_id));
            let Some(Player { account_id, link: Link::Connected { outbox, slow, .. }, .. }) = player else {
                return Delivery::Dropped;
            };
            let bytes = frame.byte_count() as u64;
            if outbox.push_frame(frame, &mut batch).is_ok() {
                meters.frame_bytes.increment(bytes);
                return Delivery::Sent;
            }
            *dropped_frames += 1;
            meters.dropped_frames.increment(1);
            if slow.note_drop(now) {
                too_slow_ones.push(*account_id);
            }
            Delivery::Dropped
        });
        batch.post(post);
        for account_id in too_slow_ones {
            self.disconnect(account_id, Some(too_slow()));
        }
    }

    /// Ends a player's connection, if there is one; the body waits.
    fn disconnect(&mut self, account_id: Uuid, bye: Option<Bye>) {
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
    fn remove(&mut self, account_id: Uuid) {
        let Some(player) = self.players.remove(&account_id) else { return };
        self.accounts.remove(&player.entity);
        self.audience.unwatch(player.entity);
        if let Some(body) = self.zone.leave(player.entity) {
            let Body { position, facing, .. } = body;
            self.saver.note(account_id, SavedBody { position, facing }, self.now_us());
        }
    }

    fn forget_the_lost(&mut self, now: Duration) {
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

    fn now_us(&self) -> i64 {
        (self.clock.unix_ms() * 1e3) as i64
    }

    /// Hands the positions of bodies that moved to the saver.
    fn note_positions(&mut self) {
        let now_us = self.now_us();
        for player in self.players.values_mut() {
            let Some((Body { position, facing, .. }, _)) = self.zone.body(player.entity) else { continue };
            let is_saved = player.saved_at.is_some_and(|saved| saved.distance(*position) < SAVED_TOLERANCE_M);
            if !is_saved {
                let saved = SavedBody { position: *position, facing: *facing };
                self.saver.note(player.account_id, saved, now_us);
                player.saved_at = Some(*position);
            }
        }
    }

    /// Tells the rest of the process how things are.
    fn publish(&mut self) {
        let mut positions = self.shared.positions();
        positions.clear();
        for (entity, body) in self.zone.bodies() {
            if let Some(account_id) = self.accounts.get(&entity) {
                positions.insert(*account_id, body.position);
            }
        }
        drop(positions);
        let stats = Stats {
            tick: self.zone.tick_count(),
            connected: self.sessions.len(),
            bodies: self.zone.body_count(),
            skipped_ticks: self.skipped_ticks,
            dropped_frames: self.dropped_frames,
            load: self.load,
        };
        self.meters.bodies.set(stats.bodies as f64);
        self.meters.connected.set(stats.connected as f64);
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner) = stats;
    }

    fn end(&mut self) {
        let accounts: Vec<_> = self.players.keys().copied().collect();
        for account_id in accounts {
            self.disconnect(account_id, Some(bye("shutting_down", "the server is shutting down", true)));
            self.remove(account_id);
        }
        self.publish();
        for done in self.ended.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = done.send(());
        }
    }
}

fn welcome_token(welcome: &Welcome) -> [u8; RESUME_TOKEN_BYTES] {
    welcome.resume_token.as_slice().try_into().expect("it was made with this length")
}

fn encode(message: &ServerMessage<'_>) -> Bytes {
    Bytes::from(message.encode())
}

fn bye(code: &str, detail: &str, may_reconnect: bool) -> Bye {
    Bye { code: code.into(), detail: detail.into(), may_reconnect }
}

fn too_slow() -> Bye {
    bye("too_slow", "messages were not read in time", true)
}
