//! The world as its thread sees it: one tick after the other.
//!
//! A tick takes the commands that came since the last one, lets all zones move their bodies, hands out the frames that
//! are due, and looks after those who are slow, lost or to be saved. It waits for nothing and nobody.

mod fences;
mod join;
mod journal;
mod leave;
mod pacing;
mod send;
mod tell;
mod watch_over;

pub(crate) use fences::Joining;

use self::fences::{Around, FenceKeeper};
use self::pacing::Pacing;
use self::send::Companions;
use self::watch_over::Meters;
use crate::Clock;
use crate::fences::{FenceCache, Question};
use crate::handle::{Command, Deps, SessionId, Shared, ZoneConfig};
use crate::journal::{Person as KeptPerson, Writer};
use crate::outbox::Outbox;
use crate::post::Post;
use crate::saved::Saver;
use crate::slow_reader::SlowReader;
use crate::tenancy::Tenancy;
use crate::world::{World, WorldConfig};
use bytes::Bytes;
use glam::DVec3;
use motion::{Ground, Surface};
use planet::Planet;
use sim::{Audience, AudienceConfig, EntityId, InputError, Offence, Stretches};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use uuid::Uuid;
use wire::{Bye, ClientMessage, InputBatch, Person, Pong, Refused, ServerMessage};

/// Threads that send frames, when there are any to send.
const SEND_THREADS: usize = 2;
/// Level of the streams' cells on a planet of the default size.
pub(crate) const CELL_LEVEL: u8 = 14;
/// Level of the pieces of ground by which fences are read on a planet of the default size: 570 m wide.
const FENCE_TILE_LEVEL: u8 = 11;

/// The planet as the ground of crate `motion`.
#[derive(Clone)]
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

/// Someone with a body in the world.
struct Player {
    account_id: Uuid,
    entity: EntityId,
    /// Empty for one who was here before the process and has not come back yet.
    display_name: String,
    color: u32,
    /// Of the token by which they come back.
    token_hash: [u8; 32],
    link: Link,
    /// Where the body was when it was last handed to the saver.
    saved_at: Option<DVec3>,
    /// The fences that matter to it.
    around: Around,
    /// Why inputs were refused when it was last told so, and in which tick.
    refused: Option<(&'static str, u64)>,
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

    /// For the journal.
    fn to_kept(&self) -> KeptPerson {
        KeptPerson { entity: self.entity, account_id: self.account_id, token_hash: self.token_hash }
    }
}

/// What a host begins with besides its configuration.
#[derive(Default)]
pub(crate) struct Origin {
    /// The world of the process before this one, and who was in it.
    pub(crate) world: Option<(World<PlanetGround>, Vec<KeptPerson>)>,
    /// Where what happens is written.
    pub(crate) writer: Option<Writer>,
    /// The right to simulate at all; without one nobody else can.
    pub(crate) tenancy: Option<Arc<Tenancy>>,
}

/// The world, its players and what it tells the rest of the process.
pub(crate) struct Host {
    config: ZoneConfig,
    planet: Arc<Planet>,
    clock: Arc<dyn Clock>,
    shared: Arc<Shared>,
    saver: Arc<Saver>,
    world: World<PlanetGround>,
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
    /// Until then, more inputs than time are the server's fault.
    excused_until: Duration,
    pacing: Pacing,
    companions: Companions,
    /// None where there are no fences.
    fences: Option<FenceKeeper>,
    writer: Option<Writer>,
    /// The tick after which the next snapshot is made.
    next_snapshot: u64,
    tenancy: Option<Arc<Tenancy>>,
    stretches: Stretches,
    ended: Vec<oneshot::Sender<()>>,
    post: Post,
    meters: Meters,
}

/// The world of a configuration, on this planet.
pub(crate) fn world_config(config: &ZoneConfig, planet: &Planet) -> WorldConfig {
    WorldConfig {
        cell_level: planet.grid_level(CELL_LEVEL),
        pace: config.pace,
        seed: planet.spec().seed,
        bodies_max: config.bodies_max,
        threads: config.threads,
        balance: config.balance.clone(),
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
        origin: Origin,
    ) -> Self {
        let Deps { planet, clock, .. } = deps;
        let fences = questions.map(|questions| {
            let tile_level = planet.grid_level(FENCE_TILE_LEVEL);
            FenceKeeper::new(FenceCache::new(tile_level, planet.radius_m(), questions))
        });
        let world_config = world_config(&config, &planet);
        let audience = Audience::new(AudienceConfig {
            cell_level: world_config.cell_level,
            radius_m: planet.radius_m(),
            tick_hz: config.pace.hz(),
            send_ticks: config.send_ticks(),
        });
        let Origin { world, writer, tenancy } = origin;
        let (world, people) = world.unwrap_or_else(|| {
            let ground = PlanetGround(Arc::clone(&planet));
            (World::new(world_config, ground, Arc::clone(&clock)), vec![])
        });
        let now = clock.elapsed();
        let mut host = Self {
            next_save: now + config.save_interval,
            pacing: Pacing::new(config.pace, now),
            stretches: Stretches::new(config.pace.hz()),
            config,
            world,
            audience,
            planet,
            clock,
            shared,
            saver,
            players: HashMap::new(),
            accounts: HashMap::new(),
            sessions: HashMap::new(),
            last_session: 0,
            dropped_frames: 0,
            load: 0.0,
            skipped_ticks: 0,
            excused_until: Duration::ZERO,
            companions: Companions::default(),
            fences,
            writer,
            next_snapshot: 0,
            tenancy,
            ended: vec![],
            post: Post::start(SEND_THREADS),
            meters: Meters::default(),
        };
        for person in people {
            host.expect_back(person);
        }
        host
    }

    /// One tick. False after the last.
    pub(crate) fn tick(&mut self) -> bool {
        let started = self.clock.elapsed();
        for command in self.shared.take_commands() {
            self.obey(command);
        }
        self.keep_fences();
        self.keep_companions();
        self.world.tick();
        self.give_up_the_lost();
        self.send_frames(started);
        self.forget_the_lost(started);
        if started >= self.next_save {
            self.next_save = started + self.config.save_interval;
            self.note_positions();
            self.saver.wake();
        }
        self.note_incidents();
        self.keep_journal();
        if self.world.tick_count().is_multiple_of(PUBLISH_TICKS) {
            self.publish();
        }
        let busy = self.clock.elapsed().saturating_sub(started);
        self.note_busy(busy);
        if self.is_ousted() {
            self.give_up();
            return false;
        }
        if self.ended.is_empty() {
            return true;
        }
        self.end();
        false
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
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
            #[cfg(debug_assertions)]
            Command::PlantPanic => {
                let zones = self.world.zones();
                if let Some(fullest) = zones.iter().max_by_key(|zone| zone.bodies) {
                    self.world.plant_panic(fullest.id);
                }
            }
            Command::Shutdown { done } => self.ended.push(done),
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
                    tick: self.world.tick_count(),
                };
                self.tell_now(account_id, &ServerMessage::Pong(pong));
            }
            ClientMessage::Missed(missed) => {
                let cells: Vec<_> =
                    missed.cells.iter().filter_map(|raw| cell::CellId::try_from_raw(*raw)).collect();
                if let Some(player) = self.players.get(&account_id) {
                    self.audience.missed(player.entity, &cells);
                }
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
        let Some(player) = self.players.get_mut(&account_id) else { return };
        if let Err(error) = self.world.take_inputs(player.entity, batch.first_seq, &batch.inputs) {
            if error == InputError::QueueFull && self.clock.elapsed() >= self.excused_until {
                self.world.blame(player.entity, Offence::TooFast);
            }
            let code = match error {
                InputError::QueueFull => "too_fast",
                InputError::TooFarAhead { .. } | InputError::NoBody => "bad_sequence",
            };
            // Once a second: where the server is behind, answering everybody would leave it farther behind.
            let (now, second) = (self.world.tick_count(), u64::from(self.config.pace.hz()));
            if player.refused.is_some_and(|(before, at)| before == code && now - at < second) {
                return;
            }
            player.refused = Some((code, now));
            let refused = Refused { code: code.into(), detail: error.to_string() };
            self.tell(account_id, &ServerMessage::Refused(refused));
        }
    }

    fn now_us(&self) -> i64 {
        (self.clock.unix_ms() * 1e3) as i64
    }
}

/// The rest of the process is told how things are every so many ticks.
const PUBLISH_TICKS: u64 = 3;

fn encode(message: &ServerMessage<'_>) -> Bytes {
    Bytes::from(message.encode())
}

fn bye(code: &str, detail: &str, may_reconnect: bool) -> Bye {
    Bye { code: code.into(), detail: detail.into(), may_reconnect }
}

fn too_slow() -> Bye {
    bye("too_slow", "messages were not read in time", true)
}
