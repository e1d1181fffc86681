//! The handle by which the rest of the process speaks to a running zone.

use crate::clock::Clock;
use crate::limits::INBOX_MAX;
use crate::session::{Fault, Session};
use cell::LatLng;
use glam::DVec3;
use planet::Planet;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::Store;
use tokio::sync::oneshot;
use uuid::Uuid;
use wire::{ClientMessage, LotChanged, RESUME_TOKEN_BYTES};

/// What one node may decide about its zone.
#[derive(Clone, Debug)]
pub struct ZoneConfig {
    /// The most bodies, connected or waiting for their player. One more is refused with [`JoinError::Full`].
    pub bodies_max: usize,
    /// How often changed positions are saved.
    pub save_interval: Duration,
}

impl Default for ZoneConfig {
    fn default() -> Self {
        Self { bodies_max: 8_000, save_interval: Duration::from_secs(5) }
    }
}

/// What the zone needs from outside.
pub struct Deps {
    /// The ground.
    pub planet: Arc<Planet>,
    /// Where positions are saved; migrated.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
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
}

/// A running zone. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SessionId(pub u64);

pub(crate) enum Command {
    Join { request: JoinRequest, answer: oneshot::Sender<Result<Session, JoinError>> },
    Message { session: SessionId, message: ClientMessage },
    Fault { session: SessionId, fault: Fault },
    Lost { session: SessionId },
    AnnounceLot { message: LotChanged, at: DVec3 },
    Rename { account_id: Uuid, display_name: String, color: u32 },
    Shutdown { done: oneshot::Sender<()> },
}

/// What handle, sessions and the tick thread share.
pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) inbox: Mutex<Vec<Command>>,
    pub(crate) is_alive: AtomicBool,
    pub(crate) positions: Mutex<HashMap<Uuid, DVec3>>,
    pub(crate) stats: Mutex<Stats>,
}

/// The inbox is full.
#[derive(Debug)]
pub(crate) struct InboxFull;

impl Shared {
    pub(crate) fn send(&self, command: Command) -> Result<(), InboxFull> {
        let mut inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        if inbox.len() >= INBOX_MAX {
            return Err(InboxFull);
        }
        inbox.push(command);
        Ok(())
    }

    /// For what happens at most once per session or comes from our own process, and must not be lost.
    pub(crate) fn send_always(&self, command: Command) {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).push(command);
    }
}

/// Starts a zone on a thread of its own. Needs a running tokio runtime, on which positions are saved.
pub fn start(config: ZoneConfig, deps: Deps) -> Handle {
    let shared = Arc::new(Shared {
        clock: deps.clock,
        inbox: Mutex::default(),
        is_alive: AtomicBool::new(true),
        positions: Mutex::default(),
        stats: Mutex::default(),
    });
    let _ = (config, deps.planet, deps.store);
    Handle { shared }
}

impl Handle {
    /// Brings a player into the zone.
    pub async fn connect(&self, request: JoinRequest) -> Result<Session, JoinError> {
        if !self.is_alive() {
            return Err(JoinError::ShuttingDown);
        }
        let (answer, answered) = oneshot::channel();
        self.shared.send(Command::Join { request, answer }).map_err(|_| JoinError::Full)?;
        answered.await.unwrap_or(Err(JoinError::ShuttingDown))
    }

    /// Where an account's body is, at most a tenth of a second ago; none without a body.
    pub fn position_of(&self, account_id: Uuid) -> Option<DVec3> {
        self.shared.positions.lock().unwrap_or_else(PoisonError::into_inner).get(&account_id).copied()
    }

    /// Tells everyone whose interest contains the place `at` about a lot.
    pub fn announce_lot(&self, message: LotChanged, at: DVec3) {
        self.shared.send_always(Command::AnnounceLot { message, at });
    }

    /// Gives a body a new name and color, and tells those who see it.
    pub fn rename(&self, account_id: Uuid, display_name: String, color: u32) {
        self.shared.send_always(Command::Rename { account_id, display_name, color });
    }

    /// How the zone is doing, at most a tenth of a second ago.
    pub fn stats(&self) -> Stats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the tick thread runs. Once false it stays false: the process should report itself dead.
    pub fn is_alive(&self) -> bool {
        self.shared.is_alive.load(Ordering::Acquire)
    }

    /// Says Bye to everyone, saves every position and ends the thread.
    pub async fn shutdown(&self) {
        let (done, finished) = oneshot::channel();
        self.shared.send_always(Command::Shutdown { done });
        // An error means the thread has already ended.
        let _ = finished.await;
    }
}
