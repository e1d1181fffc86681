//! Fences: what the zone knows of them, and which land they close to whom.
//!
//! Fences are read a *tile* of ground at a time, those around the bodies that are here, by a task that waits for the
//! database while the zone goes on. What was read stays until somebody says that it has changed, and is used until the
//! newer has come. Ground that could not be read yet counts as open; it is asked for when it is hundreds of metres away.
//!
//! Why a fence admits somebody is not known here: each comes with a function that says it.

use crate::handle::{Command, Shared};
use cell::{CellId, cover_cap};
use glam::DVec3;
use motion::ClosedLand;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use store::{Store, Tx};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tracing::warn;
use uuid::Uuid;
use wire::CLOSED_CELLS_MAX;

/// Lots whose middle is nearer to a body than this are closed to it if they are to be: all within 150 m of it, however
/// large they are and wherever in the next [`LOOK_AGAIN_M`] it goes.
const CLOSED_WITHIN_M: f64 = 240.0;
/// A body that has come so far looks again at what is around it.
pub(crate) const LOOK_AGAIN_M: f64 = 40.0;
/// Tiles that come nearer than this are wanted.
const KNOWN_WITHIN_M: f64 = 300.0;
const _: () = assert!(KNOWN_WITHIN_M > CLOSED_WITHIN_M && KNOWN_WITHIN_M > sim::ARRIVAL_SEARCH_M + 40.0);
/// A tile that could not be read is asked for again after this.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Tiles and accounts read in one transaction.
const READ_AT_ONCE_MAX: usize = 64;

/// Someone who walks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Visitor {
    /// Who.
    pub account_id: Uuid,
    /// The groups they are in, each with whether they act for it.
    pub groups: Vec<(Uuid, bool)>,
}

/// Whether somebody may walk in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Admission {
    /// At the moment.
    pub is_admitted: bool,
    /// When that may change by itself, in microseconds since 1970.
    pub until_us: Option<i64>,
}

/// Says whether somebody may walk in at a time in microseconds since 1970.
pub type Admits = Arc<dyn Fn(&Visitor, i64) -> Admission + Send + Sync>;

/// A parcel that does not let everybody in, or its part on one tile.
#[derive(Clone)]
pub struct Fence {
    /// Its id.
    pub parcel: CellId,
    /// Its lots there.
    pub lots: Vec<CellId>,
    /// Whom it lets in.
    pub admits: Admits,
}

/// Reads the fences with lots in a cell.
pub type FencesIn = Arc<dyn Fn(&mut Tx<'_>, CellId) -> Result<Vec<Fence>, store::Error> + Send + Sync>;
/// Reads the groups of an account, each with whether it acts for it.
pub type GroupsOf = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<(Uuid, bool)>, store::Error> + Send + Sync>;

/// Where fences are read.
#[derive(Clone)]
pub struct FenceSource {
    /// Those of a piece of ground.
    pub fences_in: FencesIn,
    /// Who belongs together.
    pub groups_of: GroupsOf,
}

/// What is asked of the reading task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    Tile(CellId),
    Groups(Uuid),
}

/// What it found out.
pub(crate) enum Finding {
    Tile(CellId, Vec<Fence>),
    Groups(Uuid, Vec<(Uuid, bool)>),
    /// The database did not answer.
    Nothing(Question),
}

/// Answers questions until nobody can ask any more.
pub(crate) async fn read(
    source: FenceSource,
    store: Store,
    shared: Arc<Shared>,
    mut questions: UnboundedReceiver<Question>,
) {
    let mut batch = Vec::new();
    while questions.recv_many(&mut batch, READ_AT_ONCE_MAX).await > 0 {
        let asked = std::mem::take(&mut batch);
        let (source, questions) = (source.clone(), asked.clone());
        let findings = store.read(move |tx| {
            let answer = |question: &Question| {
                Ok(match *question {
                    Question::Tile(tile) => Finding::Tile(tile, (source.fences_in)(tx, tile)?),
                    Question::Groups(account) => Finding::Groups(account, (source.groups_of)(tx, account)?),
                })
            };
            questions.iter().map(answer).collect::<Result<Vec<_>, store::Error>>()
        });
        let findings = findings.await.unwrap_or_else(|error| {
            warn!(%error, "fences could not be read, they will be asked for again");
            asked.into_iter().map(Finding::Nothing).collect()
        });
        for finding in findings {
            shared.send_always(Command::Found { finding });
        }
    }
}

#[derive(Default)]
struct Tile {
    /// None before they have been read once.
    fences: Option<Vec<Fence>>,
    is_asked: bool,
    /// Has changed since it was asked for.
    is_stale: bool,
    not_before: Duration,
}

/// The fences around the bodies of a zone.
pub(crate) struct FenceCache {
    tile_level: u8,
    radius_m: f64,
    tiles: HashMap<CellId, Tile>,
    /// As many tiles as were in use when those that are not were last thrown away.
    in_use: usize,
    questions: UnboundedSender<Question>,
}

impl FenceCache {
    pub(crate) fn new(tile_level: u8, radius_m: f64, questions: UnboundedSender<Question>) -> Self {
        Self { tile_level, radius_m, tiles: HashMap::new(), in_use: 0, questions }
    }

    /// The tiles that matter to a body at a place, a unit vector.
    pub(crate) fn tiles_around(&self, place: DVec3) -> Vec<CellId> {
        cover_cap(place, KNOWN_WITHIN_M / self.radius_m, self.tile_level).expect("a few tiles")
    }

    /// Asks for those of the tiles that are not known; whether all are.
    pub(crate) fn want(&mut self, tiles: &[CellId], now: Duration) -> bool {
        let mut are_known = true;
        for tile in tiles {
            let entry = self.tiles.entry(*tile).or_default();
            are_known &= entry.fences.is_some();
            if entry.fences.is_none() && !entry.is_asked && now >= entry.not_before {
                entry.is_asked = true;
                ask(&self.questions, Question::Tile(*tile));
            }
        }
        are_known
    }

    /// Whether all of the tiles have been read.
    pub(crate) fn knows(&self, tiles: &[CellId]) -> bool {
        tiles.iter().all(|tile| self.tiles.get(tile).is_some_and(|entry| entry.fences.is_some()))
    }

    /// Asks again for the tiles with one of these lots, or with a part of this parcel.
    pub(crate) fn parcel_changed(&mut self, parcel: CellId, lots: &[CellId]) {
        let level = self.tile_level;
        let touched: HashSet<_> =
            lots.iter().filter(|lot| lot.level() >= level).map(|lot| lot.parent(level)).collect();
        for (tile, entry) in &mut self.tiles {
            let has_it = || entry.fences.iter().flatten().any(|fence| fence.parcel == parcel);
            if touched.contains(tile) || has_it() {
                entry.ask_again(*tile, &self.questions);
            }
        }
    }

    /// Asks again for everything.
    pub(crate) fn all_changed(&mut self) {
        for (tile, entry) in &mut self.tiles {
            entry.ask_again(*tile, &self.questions);
        }
    }

    pub(crate) fn groups_changed(&self, account_id: Uuid) {
        ask(&self.questions, Question::Groups(account_id));
    }

    /// Takes in what was read; whether that may be news to anybody.
    pub(crate) fn learn(&mut self, tile: CellId, fences: Vec<Fence>) -> bool {
        let Some(entry) = self.tiles.get_mut(&tile) else { return false };
        let is_news = !(fences.is_empty() && entry.fences.as_ref().is_none_or(Vec::is_empty));
        entry.fences = Some(fences);
        entry.is_asked = false;
        if std::mem::take(&mut entry.is_stale) {
            entry.ask_again(tile, &self.questions);
        }
        is_news
    }

    /// A tile could not be read.
    pub(crate) fn fail(&mut self, tile: CellId, now: Duration) {
        let Some(entry) = self.tiles.get_mut(&tile) else { return };
        entry.is_asked = false;
        entry.not_before = now + RETRY_AFTER;
        // What is known of it is too old to rely on, and all there is.
        entry.is_stale |= entry.fences.is_some();
    }

    /// Asks again for those that could not be read when they had changed.
    pub(crate) fn retry(&mut self, now: Duration) {
        for (tile, entry) in &mut self.tiles {
            if entry.is_stale && !entry.is_asked && now >= entry.not_before {
                entry.is_stale = false;
                entry.ask_again(*tile, &self.questions);
            }
        }
    }

    /// What is closed to a visitor near a place, and when that may change by itself; near none: on all of the tiles.
    pub(crate) fn closed_to(
        &self,
        visitor: &Visitor,
        tiles: &[CellId],
        near: Option<DVec3>,
        now_us: i64,
    ) -> (ClosedLand, Option<i64>) {
        let (mut closed, mut until_us) = (ClosedLand::default(), None);
        let known = tiles.iter().filter_map(|tile| self.tiles.get(tile)?.fences.as_ref());
        for fence in known.flatten() {
            let is_near = |lot: &&CellId| {
                near.is_none_or(|place| lot.center().distance(place) * self.radius_m < CLOSED_WITHIN_M)
            };
            let mut lots = fence.lots.iter().filter(is_near).peekable();
            if lots.peek().is_none() {
                continue;
            }
            let admission = (fence.admits)(visitor, now_us);
            until_us = match (until_us, admission.until_us) {
                (Some(one), Some(other)) => Some(i64::min(one, other)),
                (one, other) => one.or(other),
            };
            if !admission.is_admitted {
                for lot in lots {
                    closed.close(*lot, fence.parcel.raw());
                }
            }
        }
        if near.is_some() {
            // Lots of 20 m would be needed for so many.
            let surplus: Vec<_> = closed.lots().iter().skip(CLOSED_CELLS_MAX).map(|(lot, _)| *lot).collect();
            for lot in surplus {
                closed.open(lot);
            }
        }
        (closed, until_us)
    }

    /// Whether so much has gathered that it is worth finding out what is in use.
    pub(crate) fn is_crowded(&self) -> bool {
        self.tiles.len() > 64 + 2 * self.in_use
    }

    /// Throws away what is not in use.
    pub(crate) fn keep(&mut self, in_use: &HashSet<CellId>) {
        self.tiles.retain(|tile, entry| entry.is_asked || in_use.contains(tile));
        self.in_use = self.tiles.len();
    }

    pub(crate) fn tile_count(&self) -> usize {
        self.tiles.len()
    }
}

impl Tile {
    fn ask_again(&mut self, tile: CellId, questions: &UnboundedSender<Question>) {
        if self.is_asked {
            // What is on its way may have been read before the change.
            self.is_stale = true;
        } else {
            self.is_asked = true;
            ask(questions, Question::Tile(tile));
        }
    }
}

fn ask(questions: &UnboundedSender<Question>, question: Question) {
    // A reader that has ended does so with the process.
    let _ = questions.send(question);
}
