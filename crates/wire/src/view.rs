//! What a client knows of the world around it, from the frames it was sent.
//!
//! Frames may come in parts, twice, late or never. A cell never goes back: a block that is not of a later tick than the
//! cell's newest is left aside, and so is everything older than the newest restart.

use crate::block::Block;
use crate::frame::Frame;
use crate::kind::MISSED_MAX;
use crate::place::{LATTICE_BITS, LatticePlace, facing_from_u8};
use crate::stream::{CellStream, HEIGHT_STEPS_PER_M, Placement, Record, Stance, StreamError, Tier};
use cell::{CellId, FaceIj};
use glam::DVec3;
use motion::Ground;
use std::collections::BTreeMap;

/// How long a body that walked out of a cell is remembered where it was last seen: the cell that it walked into may be
/// told of less often.
pub const WANDER_TICKS: u32 = 45;

/// The cells a client watches and the bodies in them.
#[derive(Clone, Debug, Default)]
pub struct View {
    cells: BTreeMap<CellId, Watched>,
    wanderers: BTreeMap<u32, Told>,
    newest_tick: u32,
    restart_tick: u32,
    updates: [u64; 3],
    bytes: [u64; 4],
}

#[derive(Clone, Debug)]
struct Watched {
    stream: CellStream,
    tier: Tier,
    interval: u8,
    /// Of the newest block that was applied.
    updated_tick: u32,
    /// Of the newest block that came.
    heard_tick: u32,
    /// When it was last asked for.
    asked_tick: Option<u32>,
    corner: Corner,
}

/// Where a cell's lattice lies in that of the planet's stream cell around it.
#[derive(Clone, Copy, Debug)]
struct Corner {
    cell: CellId,
    i: u16,
    j: u16,
}

impl Corner {
    fn of(cell: CellId, depth: u8) -> Self {
        let FaceIj { i, j, .. } = cell.face_ij();
        let inside = |index: u32| ((index % (1 << (2 * depth))) as u16) << (LATTICE_BITS - 2 * depth);
        Self { cell: cell.parent(cell.level() - 2 * depth), i: inside(i), j: inside(j) }
    }

    fn place(self, placement: &Placement) -> LatticePlace {
        LatticePlace { cell: self.cell, i: self.i | placement.i, j: self.j | placement.j }
    }
}

/// What was last told of a body: in a cell, or before it walked out of one into another of which nothing newer is known.
#[derive(Clone, Copy, Debug)]
struct Told {
    placement: Placement,
    /// When it was so.
    tick: u32,
    tier: Tier,
    interval: u8,
    corner: Corner,
}

/// A body somewhere in the view.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Whose.
    pub entity_id: u32,
    /// Where, and in which cell.
    pub place: LatticePlace,
    /// Direction from the planet's centre, a unit vector.
    pub direction: DVec3,
    /// Unit vector along the ground.
    pub facing: DVec3,
    /// Mode.
    pub stance: Stance,
    /// Above the place of rest, in metres.
    pub height_m: f64,
    /// How often it is told of.
    pub tier: Tier,
    /// The tick of the newest block of its cell: it was there then. Where nothing changes there are no blocks.
    pub updated_tick: u32,
    /// Sends from one block of its cell to the next.
    pub interval_sends: u8,
}

impl Seen {
    /// Where its feet are, in metres from the planet's centre.
    pub fn position(&self, ground: &impl Ground) -> DVec3 {
        self.direction * (ground.radius_m() + rest_height_m(self.direction, ground) + self.height_m)
    }
}

/// Height above sea level at which a body rests at `direction`: on the ground, or afloat in sea, lake or river.
pub fn rest_height_m(direction: DVec3, ground: &impl Ground) -> f64 {
    ground.surface(direction).rest_m()
}

impl View {
    /// Takes in a frame, or a part of one. Gives the number of cells that are unknown because blocks are missing: ask
    /// for them with [`View::take_missed`]. Until they come again, their bodies are as they were.
    pub fn apply(&mut self, frame: &Frame<'_>) -> Result<usize, StreamError> {
        let tick = frame.head.tick;
        if tick < self.restart_tick {
            return Ok(self.waiting_count());
        }
        if frame.head.is_restart {
            self.restart_tick = tick;
            // What came since then, on a quicker way, is whole.
            self.cells.retain(|_, watched| watched.heard_tick >= tick);
            self.wanderers.clear();
        }
        self.newest_tick = self.newest_tick.max(tick);
        for cell in &frame.dropped {
            if self.cells.get(cell).is_some_and(|watched| watched.heard_tick < tick) {
                self.cells.remove(cell);
            }
        }
        for block in &frame.blocks {
            self.take(block, frame.head.level, tick)?;
        }
        let newest = self.newest_tick;
        self.wanderers.retain(|_, wanderer| newest - wanderer.tick <= WANDER_TICKS);
        Ok(self.waiting_count())
    }

    /// Counts a whole message, the reader's own part and the blocks, as so many bytes of each tier.
    pub fn count_bytes(&mut self, frame: &Frame<'_>, message_bytes: usize) {
        let mut rest = message_bytes as u64;
        for block in &frame.blocks {
            let bytes = block.byte_count() as u64;
            self.bytes[1 + block.tier as usize] += bytes;
            rest = rest.saturating_sub(bytes);
        }
        self.bytes[0] += rest;
    }

    fn take(&mut self, block: &Block<'_>, level: u8, tick: u32) -> Result<(), StreamError> {
        let depth = block.depth(level);
        let watched = self.cells.entry(block.cell).or_insert_with(|| Watched {
            stream: CellStream::new(block.cell, depth),
            tier: block.tier,
            interval: block.interval,
            updated_tick: 0,
            heard_tick: 0,
            asked_tick: None,
            corner: Corner::of(block.cell, depth),
        });
        if watched.heard_tick >= tick && watched.heard_tick > 0 {
            return Ok(());
        }
        watched.heard_tick = tick;
        if block.order.is_key {
            watched.tier = block.tier;
        } else if watched.tier != block.tier {
            // The key that changed the tier is missing.
            watched.stream.lose();
        }
        let Watched { stream, corner, tier, updated_tick, .. } = watched;
        let (corner, tier, interval, before) = (*corner, *tier, block.interval, *updated_tick);
        let wanderers = &mut self.wanderers;
        let applied = stream.apply(block.order, block.bytes, |record, has_left| {
            if has_left {
                wanderers.remove(&record.placement.entity_id);
            } else {
                let wanderer = Told { placement: record.placement, tick: before, tier, interval, corner };
                wanderers.insert(record.placement.entity_id, wanderer);
            }
        });
        match applied {
            Ok(()) => {
                watched.interval = block.interval;
                watched.updated_tick = tick;
                watched.asked_tick = None;
                let records = watched.stream.records();
                self.updates[tier as usize] += records.len() as u64;
                if !self.wanderers.is_empty() {
                    for record in records {
                        self.wanderers.remove(&record.placement.entity_id);
                    }
                }
                Ok(())
            }
            Err(StreamError::Gap) => Ok(()),
            Err(StreamError::Malformed) => Err(StreamError::Malformed),
        }
    }

    fn waiting_count(&self) -> usize {
        self.cells.values().filter(|watched| !watched.stream.is_known()).count()
    }

    /// The cells that wait for a key and were not given here in the last `retry_ticks`, to be sent as `Missed`.
    pub fn take_missed(&mut self, retry_ticks: u32) -> Vec<CellId> {
        let now = self.newest_tick;
        let is_due = |watched: &Watched| {
            !watched.stream.is_known() && watched.asked_tick.is_none_or(|asked| now - asked >= retry_ticks)
        };
        let due = self.cells.iter_mut().filter(|(_, watched)| is_due(watched)).take(MISSED_MAX);
        due.map(|(cell, watched)| {
            watched.asked_tick = Some(now);
            *cell
        })
        .collect()
    }

    /// Every body in the watched cells, the reader's own included, in ascending order of entity id; each once, as it was
    /// last told.
    pub fn bodies(&self) -> impl Iterator<Item = Seen> {
        self.newest().into_iter().map(|told| told.seen())
    }

    /// How many bodies [`View::bodies`] gives.
    pub fn body_count(&self) -> usize {
        self.newest().len()
    }

    fn newest(&self) -> Vec<Told> {
        let told = self.cells.values().flat_map(|watched| {
            let Watched { tier, interval, corner, updated_tick: tick, .. } = *watched;
            let told =
                move |record: &Record| Told { placement: record.placement, tick, tier, interval, corner };
            watched.stream.records().iter().map(told)
        });
        let mut told: Vec<_> = told.collect();
        told.extend(self.wanderers.values());
        // A stable sort: of two of one tick the one in a cell, which came first.
        told.sort_by_key(|told| (told.placement.entity_id, u32::MAX - told.tick));
        told.dedup_by_key(|told| told.placement.entity_id);
        told
    }

    /// Bodies told of in blocks so far, by tier.
    pub fn updates(&self) -> [u64; 3] {
        self.updates
    }

    /// Bytes counted by [`View::count_bytes`]: the reader's own part, then by tier.
    pub fn bytes(&self) -> [u64; 4] {
        self.bytes
    }

    /// How many cells are watched.
    pub fn cell_count(&self) -> usize {
        self.cells.len()
    }
}

impl Told {
    fn seen(&self) -> Seen {
        let placement = self.placement;
        let place = self.corner.place(&placement);
        let direction = place.direction();
        Seen {
            entity_id: placement.entity_id,
            place,
            direction,
            facing: facing_from_u8(place.cell, direction, placement.facing),
            stance: placement.stance,
            height_m: f64::from(placement.height) / HEIGHT_STEPS_PER_M,
            tier: self.tier,
            updated_tick: self.tick,
            interval_sends: self.interval,
        }
    }
}
