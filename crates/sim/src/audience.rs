//! Who watches what: interest, the cells' streams, and the frames made of them.
//!
//! Streams belong to cells and not to zones: the runs of all zones together are the world's, and where a border between
//! two of them lies changes nothing.

use crate::interest::Interest;
use crate::streams::Streams;
use crate::view::ZoneView;
use crate::zone::EntityId;
use bytes::Bytes;
use cell::CellId;
use glam::DVec3;
use std::collections::BTreeMap;
use wire::{FrameHead, Kind};

/// What an audience is made with.
#[derive(Clone, Copy, Debug)]
pub struct AudienceConfig {
    /// Level of the cells that streams and interest go by; that of the zones.
    pub cell_level: u8,
    /// The planet's radius.
    pub radius_m: f64,
    /// A watcher is sent a frame every so many ticks; watchers are spread evenly over them, so that no tick is the busy
    /// one.
    pub send_ticks: u32,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is on its way, after all frames before it.
    Sent,
    /// It was dropped: the watcher's next frame starts again from keyframes.
    Dropped,
}

/// One frame on its way: the bytes of the message are those of the head and then of the parts, one after the other.
#[derive(Clone, Debug)]
pub struct Frame {
    /// The watcher's own part.
    pub head: Bytes,
    /// What is shared with all who watch the same.
    pub parts: Vec<Bytes>,
}

impl Frame {
    /// How many bytes the message has.
    pub fn byte_count(&self) -> usize {
        self.head.len() + self.parts.iter().map(Bytes::len).sum::<usize>()
    }

    /// The message in one piece: for tests, and for transports that cannot send from several.
    pub fn to_bytes(&self) -> Bytes {
        if self.parts.is_empty() {
            return self.head.clone();
        }
        let mut message = Vec::with_capacity(self.byte_count());
        message.extend_from_slice(&self.head);
        self.parts.iter().for_each(|part| message.extend_from_slice(part));
        message.into()
    }
}

/// Those who watch.
pub struct Audience {
    config: AudienceConfig,
    watchers: BTreeMap<EntityId, Interest>,
    phases: Vec<Streams>,
}

impl Audience {
    /// Nobody watches yet.
    pub fn new(config: AudienceConfig) -> Self {
        assert!(config.cell_level <= wire::CELL_LEVEL_MAX, "the stream's lattice must fit above the leaves");
        assert!(config.send_ticks > 0, "frames are sent every tick at most");
        let phases = (0..config.send_ticks).map(|_| Streams::default()).collect();
        Self { config, watchers: BTreeMap::new(), phases }
    }

    /// Begins to make frames of a body's surroundings; one who watches already starts again.
    pub fn watch(&mut self, id: EntityId) {
        self.watchers.insert(id, Interest::new());
    }

    /// Ends the frames: of one who no longer looks, or whose body is leaving.
    pub fn unwatch(&mut self, id: EntityId) {
        self.watchers.remove(&id);
    }

    /// Blocks of these cells were lost on the way to a watcher: its next frame begins them anew.
    pub fn missed(&mut self, watcher: EntityId, cells: &[CellId]) {
        if let Some(interest) = self.watchers.get_mut(&watcher) {
            for watched in interest.cells.iter_mut().filter(|watched| cells.contains(&watched.cell)) {
                watched.is_new = true;
            }
        }
    }

    /// How many watch.
    pub fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    /// Those whose interest contains a point.
    pub fn watchers_of(&self, point: DVec3) -> impl Iterator<Item = EntityId> {
        let cell = CellId::from_point(point).parent(self.config.cell_level);
        self.watchers.iter().filter(move |(_, interest)| interest.contains(cell)).map(|(id, _)| *id)
    }

    /// Whether `watcher` is sent the cell that a body at `point` is in.
    pub fn sees(&self, watcher: EntityId, point: DVec3) -> bool {
        let cell = CellId::from_point(point).parent(self.config.cell_level);
        self.watchers.get(&watcher).is_some_and(|interest| interest.contains(cell))
    }

    /// Gives the frames that are due after `tick` to `deliver`. `zones` are all zones, in ascending order of their
    /// cells, each published after that tick.
    pub fn send(
        &mut self,
        tick: u64,
        zones: &[ZoneView<'_>],
        mut deliver: impl FnMut(EntityId, Frame) -> Delivery,
    ) {
        let send_ticks = u64::from(self.config.send_ticks);
        let phase = tick % send_ticks;
        let is_turn = |id: &EntityId| u64::from(id.0) % send_ticks == phase;
        if !self.watchers.keys().any(is_turn) {
            return;
        }
        let streams = &mut self.phases[phase as usize];
        streams.encode(tick / send_ticks, zones.iter().flat_map(ZoneView::runs));
        for (id, interest) in self.watchers.iter_mut().filter(|(id, _)| is_turn(id)) {
            let Some((own, last_input_seq)) = zones.iter().find_map(|zone| zone.body(*id)) else { continue };
            interest.look(own.position, self.config.radius_m, self.config.cell_level);
            let is_restart = std::mem::take(&mut interest.is_restart);
            let level = self.config.cell_level;
            let head = FrameHead { tick: tick as u32, is_restart, level, last_input_seq, own: *own };
            if deliver(*id, frame(head, interest, streams)) == Delivery::Dropped {
                interest.restart();
            }
        }
    }
}

fn frame(head: FrameHead, interest: &mut Interest, streams: &mut Streams) -> Frame {
    let mut frame = Vec::with_capacity(512);
    frame.push(Kind::Frame as u8);
    head.append_to(&interest.dropped, &mut frame);
    interest.dropped.clear();
    let cells = interest.cells.iter_mut().map(|watched| (watched.cell, std::mem::take(&mut watched.is_new)));
    streams.copy(cells, &mut frame);
    Frame { head: frame.into(), parts: vec![] }
}
