//! The handle by which the rest of the process speaks to a running zone.

use crate::clock::Clock;
use crate::fences::{self, FenceSource, Finding};
use crate::host::{Host, Joining, Origin, world_config};
use crate::journal::{self, Writer};
use crate::lease::LeaseError;
use crate::limits::{INBOX_MAX, MOVEMENT_STRETCHES_MAX};
use crate::saved::Saver;
use crate::session::{Fault, Session};
use crate::tenancy::{self, Rented};
use crate::world::{Balance, ZoneInfo};
use cell::{CellId, LatLng};
use glam::DVec3;
use motion::Pace;
use planet::Planet;
use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::error;
use uuid::Uuid;
use wire::{ClientMessage, LotChanged, RESUME_TOKEN_BYTES};

/// What one node may decide about its zone.
#[derive(Clone, Debug)]
pub struct ZoneConfig {
    /// The most bodies, connected or waiting for their player. One more is refused with [`JoinError::Full`].
    pub bodies_max: usize,
    /// How often changed positions are saved.
    pub save_interval: Duration,
    /// Ticks per second.
    pub pace: Pace,
    /// Frames per second for each client; the ticks are a multiple of them.
    pub send_hz: u32,
    /// Threads that move bodies and make frames.
    pub threads: usize,
    /// When zones are split and merged.
    pub balance: Balance,
}

impl Default for ZoneConfig {
    fn default() -> Self {
        Self {
            bodies_max: 10_000,
            save_interval: Duration::from_secs(5),
            pace: Pace::default(),
            send_hz: 10,
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            balance: Balance::default(),
        }
    }
}

impl ZoneConfig {
    /// A client is sent a frame every so many ticks.
    pub(crate) fn send_ticks(&self) -> u32 {
        (self.pace.hz() / self.send_hz.max(1)).max(1)
    }
}

/// Where the journal is kept, and how long.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The folder; made if it is missing.
    pub folder: PathBuf,
    /// So much of the past is kept for staff.
    pub past: Duration,
}

/// Why the world could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// The journal is in use, or cannot be written.
    #[error(transparent)]
    Journal(#[from] journal::Error),
}

/// What the zone needs from outside.
pub struct Deps {
    /// The ground.
    pub planet: Arc<Planet>,
    /// Where positions are saved; migrated.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where fences are read; none: all land is open.
    pub fences: Option<FenceSource>,
}

/// Someone who wants to be in the zone.
#[derive(Clone, Debug)]
pub struct JoinRequest {
    /// Who; one account has one body.
    pub account_id: Uuid,
    /// The name others see.
    pub display_name: String,
    /// 0xRRGGBB.
    pub color: u32,
    /// From a former `Welcome`: goes on in the same body and place if that still waits.
    pub resume_token: Option<[u8; RESUME_TOKEN_BYTES]>,
    /// Where to arrive instead of the last place; ignored on resume.
    pub arrive_at: Option<LatLng>,
}

/// Why nobody joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// As many bodies as the configuration allows.
    #[error("the zone is full")]
    Full,
    /// The zone has ended or is about to.
    #[error("the zone is shutting down")]
    ShuttingDown,
    /// The saved position could not be read.
    #[error("saved positions cannot be read: {0}")]
    Store(String),
}

/// How the zone is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Ticks since the start.
    pub tick: u64,
    /// Connected players.
    pub connected: usize,
    /// Bodies, those waiting for their player included.
    pub bodies: usize,
    /// Ticks left out because the zone was behind.
    pub skipped_ticks: u64,
    /// Frames dropped for slow readers.
    pub dropped_frames: u64,
    /// The share of its time in which the tick thread works, over the last second or so; above 1 it falls behind.
    pub load: f64,
    /// Bodies that went from one zone to another.
    pub handovers: u64,
    /// Zones that were made again after a panic.
    pub recoveries: u64,
    /// The time of a tick, as a multiple of what it should be: 1 to 2.
    pub stretch: f64,
}

/// A while in which things spoke against how somebody moved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MovementStretch {
    /// Who.
    pub account_id: Uuid,
    /// What, and when in ticks.
    pub stretch: sim::Stretch,
    /// When it was last added to, in microseconds since 1970.
    pub last_at_us: i64,
}

impl MovementStretch {
    pub(crate) fn keep(kept: &mut VecDeque<Self>, new: Self) {
        let same = |it: &&mut Self| {
            it.stretch.entity == new.stretch.entity && it.stretch.first_tick == new.stretch.first_tick
        };
        if let Some(known) = kept.iter_mut().find(same) {
            *known = new;
            return;
        }
        if kept.len() >= MOVEMENT_STRETCHES_MAX {
            kept.pop_back();
        }
        kept.push_front(new);
    }
}

/// A running zone. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
    pub(crate) saver: Arc<Saver>,
    pub(crate) saving: Arc<JoinHandle<()>>,
    pub(crate) fences: Option<FenceSource>,
    pub(crate) store: Store,
    pub(crate) pace: Pace,
    /// None where nobody else can have the world.
    pub(crate) tenancy: Option<Arc<Rented>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(pub(crate) u64);

/// What the tick thread is asked to do.
pub(crate) enum Command {
    Join(Joining),
    Found {
        finding: Finding,
    },
    ParcelChanged {
        parcel: CellId,
        lots: Vec<CellId>,
    },
    GroupsChanged {
        account_id: Uuid,
    },
    FencesLost,
    Message {
        session: SessionId,
        message: ClientMessage,
    },
    Fault {
        session: SessionId,
        fault: Fault,
    },
    Lost {
        session: SessionId,
    },
    AnnounceLot {
        message: LotChanged,
        at: DVec3,
    },
    TellEvent {
        message: wire::Event,
        to: EventFor,
    },
    Rename {
        account_id: Uuid,
        display_name: String,
        color: u32,
    },
    #[cfg(debug_assertions)]
    PlantPanic,
    Shutdown {
        done: oneshot::Sender<()>,
    },
}

/// Who hears of an event.
#[derive(Clone, PartialEq, Debug)]
pub enum EventFor {
    /// Everyone whose interest contains this place.
    Near(DVec3),
    /// These accounts, wherever they are.
    Accounts(Vec<Uuid>),
}

/// What handle, sessions and the tick thread share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    /// Commands for the next tick; none once the thread has ended.
    inbox: Mutex<Option<Vec<Command>>>,
    positions: Mutex<HashMap<Uuid, DVec3>>,
    pub(crate) stats: Mutex<Stats>,
    pub(crate) zones: Mutex<Vec<ZoneInfo>>,
    movement: Mutex<VecDeque<MovementStretch>>,
}

/// The inbox is full.
#[derive(Debug)]
pub(crate) struct InboxFull;

impl Shared {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            inbox: Mutex::new(Some(vec![])),
            positions: Mutex::default(),
            stats: Mutex::default(),
            zones: Mutex::default(),
            movement: Mutex::default(),
        }
    }

    fn inbox(&self) -> MutexGuard<'_, Option<Vec<Command>>> {
        // Pushing and taking leave it whole, so a panic elsewhere does no harm.
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn positions(&self) -> MutexGuard<'_, HashMap<Uuid, DVec3>> {
        // At worst a panic elsewhere has left out some: the next publication is whole.
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn movement(&self) -> MutexGuard<'_, VecDeque<MovementStretch>> {
        self.movement.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For what comes from players. A zone that has ended takes everything and does nothing.
    pub(crate) fn send(&self, command: Command) -> Result<(), InboxFull> {
        let mut inbox = self.inbox();
        if inbox.as_ref().is_some_and(|inbox| inbox.len() >= INBOX_MAX) {
            return Err(InboxFull);
        }
        if let Some(inbox) = inbox.as_mut() {
            inbox.push(command);
        }
        Ok(())
    }

    /// For what happens once in a session or comes from our own process, and must not be lost.
    pub(crate) fn send_always(&self, command: Command) {
        if let Some(inbox) = self.inbox().as_mut() {
            inbox.push(command);
        }
    }

    pub(crate) fn take_commands(&self) -> Vec<Command> {
        self.inbox().as_mut().map(std::mem::take).unwrap_or_default()
    }
}

/// Closes the inbox when the tick thread ends, by return or by panic, so that nobody waits for an answer.
struct ClosesInbox(Arc<Shared>);

impl Drop for ClosesInbox {
    fn drop(&mut self) {
        *self.0.inbox() = None;
        if std::thread::panicking() {
            error!("the zone thread has panicked: nobody can play until the process is started again");
        }
    }
}

/// Starts the world on a thread of its own, with nothing kept but positions. Needs a running tokio runtime, on which
/// they are saved.
pub fn start(config: ZoneConfig, deps: Deps) -> Handle {
    let (host, handle) =
        assemble(config, deps, Origin::default(), |saver| tokio::spawn(async move { saver.run().await }));
    run_on_thread(host, &handle);
    handle
}

fn run_on_thread(host: Host, handle: &Handle) {
    let closes_inbox = ClosesInbox(Arc::clone(&handle.shared));
    let run = move || {
        let _closes_inbox = closes_inbox;
        run(host);
    };
    std::thread::Builder::new().name("zone".into()).spawn(run).expect("the system can start a thread");
}

/// Takes the lease on the planet, finds the world as the process before this one left it, however it ended, and starts
/// it on a thread of its own. Needs a running tokio runtime.
pub async fn open(config: ZoneConfig, deps: Deps, keeping: Keeping) -> Result<Handle, OpenError> {
    let (store, clock) = (deps.store.clone(), Arc::clone(&deps.clock));
    let rented = tenancy::rent(&store, &clock, &keeping).await?;
    let planet = Arc::clone(&deps.planet);
    let world_config = world_config(&config, &planet);
    let (found, folder) =
        tenancy::find_world(rented.folder, world_config, planet, Arc::clone(&clock)).await?;
    let origin = Origin {
        world: found,
        writer: Some(Writer::start(Box::new(folder))),
        tenancy: Some(Arc::clone(&rented.tenancy)),
    };
    let (host, mut handle) =
        assemble(config, deps, origin, |saver| tokio::spawn(async move { saver.run().await }));
    let renewing = tokio::spawn(tenancy::keep(Arc::clone(&rented.tenancy), store, clock));
    handle.tenancy = Some(Arc::new(Rented { tenancy: rented.tenancy, renewing }));
    run_on_thread(host, &handle);
    Ok(handle)
}

/// The parts of a zone, which nobody ticks yet.
pub(crate) fn assemble(
    config: ZoneConfig,
    deps: Deps,
    origin: Origin,
    save: impl FnOnce(Arc<Saver>) -> JoinHandle<()>,
) -> (Host, Handle) {
    let pace = config.pace;
    let shared = Arc::new(Shared::new(Arc::clone(&deps.clock)));
    let store = deps.store.clone();
    let saver = Arc::new(Saver::new(store.clone()));
    let fences = deps.fences.clone();
    let questions = fences.clone().map(|source| {
        let (questions, asked) = mpsc::unbounded_channel();
        // Ends with the host, who alone can ask.
        tokio::spawn(fences::read(source, store.clone(), Arc::clone(&shared), asked));
        questions
    });
    let host = Host::new(config, deps, Arc::clone(&shared), Arc::clone(&saver), questions, origin);
    let saving = Arc::new(save(Arc::clone(&saver)));
    (host, Handle { shared, saver, saving, fences, store, pace, tenancy: None })
}

/// Ticks that are made up for at once; when the zone is farther behind it leaves them out, so that being late never
/// makes it later.
const CATCH_UP_TICKS: u32 = 3;

/// How often it is asked whether the lease is ours again.
const UNSURE_FOR: Duration = Duration::from_millis(20);

fn run(mut host: Host) {
    let clock = Arc::clone(host.clock());
    let mut due = clock.elapsed();
    loop {
        let now = clock.elapsed();
        if now < due {
            std::thread::sleep(due.saturating_sub(now));
            continue;
        }
        if !host.may_tick() {
            // Time stands still for everybody, and is not made up for.
            std::thread::sleep(UNSURE_FOR);
            host.excuse_haste();
            due = clock.elapsed();
            continue;
        }
        let period = host.period();
        let behind = now.saturating_sub(due).as_nanos() / period.as_nanos();
        if behind > u128::from(CATCH_UP_TICKS) {
            let skipped = u32::try_from(behind).unwrap_or(u32::MAX) - CATCH_UP_TICKS;
            host.skip(skipped.into());
            due += period * skipped;
        }
        due += period;
        if !host.tick() {
            return;
        }
    }
}

impl Handle {
    /// Brings a player into the zone.
    pub async fn connect(&self, request: JoinRequest) -> Result<Session, JoinError> {
        let saved = self.saver.load(request.account_id).await;
        let saved = saved.map_err(|error| JoinError::Store(error.to_string()))?;
        let groups = self.groups_of(request.account_id).await;
        let groups = groups.map_err(|error| JoinError::Store(error.to_string()))?;
        let (answer, answered) = oneshot::channel();
        if !self.is_alive() {
            return Err(JoinError::ShuttingDown);
        }
        let joining = Joining { request, saved, groups, answer };
        self.shared.send(Command::Join(joining)).map_err(|_| JoinError::Full)?;
        answered.await.unwrap_or(Err(JoinError::ShuttingDown))
    }

    async fn groups_of(&self, account_id: Uuid) -> Result<Vec<(Uuid, bool)>, store::Error> {
        let Some(source) = &self.fences else { return Ok(vec![]) };
        let groups_of = Arc::clone(&source.groups_of);
        self.store.read(move |tx| groups_of(tx, account_id)).await
    }

    /// Who may enter a parcel has changed, or which lots it has, of which all that it has now or had are given. What
    /// that means for those near is found out within some ticks.
    pub fn fence_changed(&self, parcel: CellId, lots: Vec<CellId>) {
        self.shared.send_always(Command::ParcelChanged { parcel, lots });
    }

    /// An account has come into a group, left one, or has another role in it.
    pub fn groups_changed(&self, account_id: Uuid) {
        self.shared.send_always(Command::GroupsChanged { account_id });
    }

    /// Changes were missed: everything is asked for again.
    pub fn fences_lost(&self) {
        self.shared.send_always(Command::FencesLost);
    }

    /// Where an account's body is, at most a tenth of a second ago; none without a body.
    pub fn position_of(&self, account_id: Uuid) -> Option<DVec3> {
        self.shared.positions().get(&account_id).copied()
    }

    /// Everybody who has a body, and where it is, at most a tenth of a second ago; in the order of accounts.
    pub fn people(&self) -> Vec<(Uuid, DVec3)> {
        let mut people: Vec<_> = self.shared.positions().iter().map(|(id, at)| (*id, *at)).collect();
        people.sort_unstable_by_key(|it| it.0);
        people
    }

    /// Tells everyone whose interest contains the place `at` about a lot.
    pub fn announce_lot(&self, message: LotChanged, at: DVec3) {
        self.shared.send_always(Command::AnnounceLot { message, at });
    }

    /// Tells those who are connected of something that happened. Who reads slowly is left out: events can be read
    /// again elsewhere.
    pub fn tell_event(&self, message: wire::Event, to: EventFor) {
        // A zone with so many commands waiting has more urgent things to tell.
        let _ = self.shared.send(Command::TellEvent { message, to });
    }

    /// Gives a body a new name and color (0xRRGGBB), and tells those who see it.
    pub fn rename(&self, account_id: Uuid, display_name: String, color: u32) {
        self.shared.send_always(Command::Rename { account_id, display_name, color });
    }

    /// How the zone is doing, at most a tenth of a second ago.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The zones that the world is cut into, at most a tenth of a second ago; in the order of their cells.
    pub fn zones(&self) -> Vec<ZoneInfo> {
        self.shared.zones.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How fast the world goes.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// When things spoke against how an account moved, the newest first: what staff look at, and replay from the
    /// journal.
    pub fn movement(&self, account_id: Uuid) -> Vec<MovementStretch> {
        self.shared.movement().iter().filter(|it| it.account_id == account_id).copied().collect()
    }

    /// Has the zone with the most bodies panic in its next tick: for tests, and only where assertions are on.
    #[cfg(debug_assertions)]
    pub fn plant_panic(&self) {
        self.shared.send_always(Command::PlantPanic);
    }

    /// Whether the tick thread runs. Once false it stays false: the process should report itself dead.
    pub fn is_alive(&self) -> bool {
        self.shared.inbox().is_some()
    }

    /// Says Bye to everyone, ends the thread and saves every position.
    pub async fn shutdown(&self) {
        let (done, finished) = oneshot::channel();
        self.shared.send_always(Command::Shutdown { done });
        // An error means the thread has already ended.
        let _ = finished.await;
        if let Err(error) = self.saver.flush().await {
            error!(%error, "the last positions could not be saved");
        }
        self.saving.abort();
        if let Some(rented) = &self.tenancy {
            rented.renewing.abort();
            rented.let_go(&self.store, &self.shared.clock).await;
        }
    }
}
