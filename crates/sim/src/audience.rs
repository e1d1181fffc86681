//! Who watches what: the cells' streams, and the frames made of them.
//!
//! Streams belong to cells and not to zones: the runs of all zones together are the world's, and where a border between
//! two of them lies changes nothing. Watchers are sent frames in turns, a phase of them each tick; every phase has its
//! streams.

use crate::frame::Frame;
use crate::governor::Measures;
use crate::interest::{Sending, Terms, Watcher};
use crate::leaf::{LeafRules, nearest_interval};
use crate::spread::Spread;
use crate::streams::{Send, Streams};
use crate::view::ZoneView;
use crate::zone::EntityId;
use cell::CellId;
use glam::DVec3;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use wire::stream::{DEPTH_MAX, Placed};

/// Who has spoken so lately is not dropped.
pub const SPEAKING_S: u32 = 5;

/// So many of a send's watchers may all look again at once; more take turns, within half a second.
const LOOKS_AT_ONCE: usize = 256;

/// What an audience is made with.
#[derive(Clone, Copy, Debug)]
pub struct AudienceConfig {
    /// Level of the cells that streams and interest go by; that of the zones.
    pub cell_level: u8,
    /// The planet's radius.
    pub radius_m: f64,
    /// Ticks a second.
    pub tick_hz: u32,
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

/// What was sent since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudienceStats {
    /// Frames given to be delivered.
    pub frames: u64,
    /// Their bytes: watchers' own parts, then by tier.
    pub bytes: [u64; 4],
    /// Blocks' bytes as they were encoded, once for all who share them.
    pub encoded_bytes: u64,
}

/// Those who watch.
pub struct Audience {
    config: AudienceConfig,
    measures: Measures,
    phases: Vec<Phase>,
    /// Until which tick somebody counts as speaking.
    speaking: BTreeMap<EntityId, u64>,
    stats: AudienceStats,
}

#[derive(Default)]
struct Phase {
    /// In ascending order of ids.
    watchers: Vec<Watcher>,
    streams: Streams,
}

impl Phase {
    fn find(&self, id: EntityId) -> Result<usize, usize> {
        self.watchers.binary_search_by_key(&id, |watcher| watcher.id)
    }
}

impl Audience {
    /// Nobody watches yet.
    pub fn new(config: AudienceConfig) -> Self {
        assert!(config.cell_level <= wire::CELL_LEVEL_MAX, "the stream's lattice must fit above the leaves");
        assert!(config.send_ticks > 0, "frames are sent every tick at most");
        let phases = (0..config.send_ticks).map(|_| Phase::default()).collect();
        let (measures, speaking, stats) = (Measures::default(), BTreeMap::new(), AudienceStats::default());
        Self { config, measures, phases, speaking, stats }
    }

    fn phase(&self, id: EntityId) -> usize {
        (id.0 % self.config.send_ticks) as usize
    }

    fn watcher(&self, id: EntityId) -> Option<&Watcher> {
        let phase = &self.phases[self.phase(id)];
        phase.find(id).ok().map(|at| &phase.watchers[at])
    }

    fn watcher_mut(&mut self, id: EntityId) -> Option<&mut Watcher> {
        let phase = self.phase(id);
        let phase = &mut self.phases[phase];
        phase.find(id).ok().map(|at| &mut phase.watchers[at])
    }

    /// Begins to make frames of a body's surroundings; one who watches already starts again.
    pub fn watch(&mut self, id: EntityId) {
        let phase = self.phase(id);
        let phase = &mut self.phases[phase];
        match phase.find(id) {
            Ok(at) => {
                let companions = phase.watchers[at].companions().to_vec();
                phase.watchers[at] = Watcher::new(id);
                phase.watchers[at].set_companions(&companions);
            }
            Err(at) => phase.watchers.insert(at, Watcher::new(id)),
        }
    }

    /// Ends the frames: of one who no longer looks, or whose body is leaving.
    pub fn unwatch(&mut self, id: EntityId) {
        let phase = self.phase(id);
        let phase = &mut self.phases[phase];
        if let Ok(at) = phase.find(id) {
            phase.watchers.remove(at);
        }
    }

    /// How many watch.
    pub fn watcher_count(&self) -> usize {
        self.phases.iter().map(|phase| phase.watchers.len()).sum()
    }

    /// Says who is never dropped from a watcher's sight as long as they are within it, and told of at every send: at
    /// most [`crate::COMPANIONS_MAX`].
    pub fn set_companions(&mut self, watcher: EntityId, companions: &[EntityId]) {
        if let Some(watcher) = self.watcher_mut(watcher) {
            watcher.set_companions(companions);
        }
    }

    /// Somebody speaks at a tick: for [`SPEAKING_S`] seconds nobody who is near drops them.
    pub fn note_speaking(&mut self, id: EntityId, tick: u64) {
        self.speaking.insert(id, tick + u64::from(SPEAKING_S * self.config.tick_hz));
    }

    /// Blocks of these cells were lost on the way to a watcher: its next frame begins them anew.
    pub fn missed(&mut self, watcher: EntityId, cells: &[CellId]) {
        if let Some(watcher) = self.watcher_mut(watcher) {
            watcher.missed(cells);
        }
    }

    /// Obeys the governor from the next send on.
    pub fn set_measures(&mut self, measures: Measures) {
        self.measures = measures;
    }

    /// What was sent since the start.
    pub fn stats(&self) -> AudienceStats {
        self.stats
    }

    /// Those whose interest contains a point, in ascending order.
    pub fn watchers_of(&self, point: DVec3) -> impl Iterator<Item = EntityId> {
        let cell = CellId::from_point(point).parent(self.config.cell_level);
        let watchers = self.phases.iter().flat_map(|phase| &phase.watchers);
        let mut ids: Vec<_> =
            watchers.filter(|watcher| watcher.contains(cell)).map(|watcher| watcher.id).collect();
        ids.sort_unstable();
        ids.into_iter()
    }

    /// Whether `watcher` is sent the cell that a body at `point` is in.
    pub fn sees(&self, watcher: EntityId, point: DVec3) -> bool {
        let cell = CellId::from_point(point).parent(self.config.cell_level);
        self.watcher(watcher).is_some_and(|watcher| watcher.contains(cell))
    }

    /// Gives the frames that are due after `tick` to `deliver`, one after the other and in ascending order of ids; a
    /// watcher without news is left out for up to a second. `zones` are all zones, in ascending order of their cells,
    /// each published after that tick. The work is done by `spread`, with the same result whatever it does.
    pub fn send(
        &mut self,
        tick: u64,
        zones: &[ZoneView<'_>],
        spread: &impl Spread,
        mut deliver: impl FnMut(EntityId, Frame) -> Delivery,
    ) {
        let send_ticks = u64::from(self.config.send_ticks);
        self.speaking.retain(|_, until| *until >= tick);
        let rules = self.rules();
        let speaking = self.leaves_of(self.speaking.keys().copied(), zones);
        let (config, measures) = (self.config, self.measures);
        let phase = &mut self.phases[(tick % send_ticks) as usize];
        if phase.watchers.is_empty() {
            phase.streams = Streams::default();
            return;
        }
        let runs = gather(zones);
        let send = Send { number: (tick / send_ticks) as u32 + 1, runs: &runs, rules };
        let Phase { watchers, streams } = phase;

        streams.arrange(&send);
        let has_left = |id: u32| zones.iter().all(|zone| zone.body(EntityId(id)).is_none());
        let (cells, slots) = streams.work();
        spread.for_each(cells, |cell| Streams::encode(cell, slots, &send, &has_left));
        streams.publish_leaves(&rules);

        let terms = Terms {
            tick,
            send: send.number,
            send_ticks: config.send_ticks,
            send_hz: rules.send_hz,
            look_sends: (watchers.len() / LOOKS_AT_ONCE).min(rules.send_hz as usize / 2).max(1) as u32,
            level: config.cell_level,
            radius_m: config.radius_m,
            measures,
            speaking,
        };
        let sending = Sending { terms: &terms, streams };
        spread.for_each(watchers, |watcher| {
            find_own(watcher, zones);
            watcher.companion_leaves = leaves_of(watcher.companions(), zones, config.cell_level);
            watcher.prepare(&sending);
        });
        let (cells, slots) = streams.work();
        spread.for_each(cells, |cell| Streams::encode_keys(cell, slots, &send));
        streams.assemble();
        let sending = Sending { terms: &terms, streams };
        spread.for_each(watchers, |watcher| watcher.make(&sending));

        self.stats.encoded_bytes += streams.buffer.len() as u64;
        for watcher in watchers {
            let Some(frame) = watcher.frame.take() else { continue };
            self.stats.frames += 1;
            for (sum, bytes) in self.stats.bytes.iter_mut().zip(watcher.sent) {
                *sum += u64::from(bytes);
            }
            if deliver(watcher.id, frame) == Delivery::Dropped {
                watcher.restart();
            }
        }
    }

    fn rules(&self) -> LeafRules {
        let send_hz = self.config.tick_hz as f32 / self.config.send_ticks as f32;
        let interval = |hz: f32| nearest_interval(send_hz / hz);
        let intervals = [1, interval(self.measures.mid_hz), interval(self.measures.far_hz)];
        LeafRules::new(self.config.cell_level, self.config.radius_m, send_hz, intervals)
    }

    fn leaves_of(&self, ids: impl Iterator<Item = EntityId>, zones: &[ZoneView<'_>]) -> BTreeSet<CellId> {
        let ids: Vec<_> = ids.collect();
        leaves_of(&ids, zones, self.config.cell_level).into_iter().collect()
    }
}

/// The cells that may be the leaf around each of these bodies, however often it is divided, in ascending order.
fn leaves_of(ids: &[EntityId], zones: &[ZoneView<'_>], level: u8) -> Vec<CellId> {
    let places = ids.iter().filter_map(|id| zones.iter().find_map(|zone| zone.body(*id)));
    let mut leaves: Vec<_> = places
        .flat_map(|(body, _)| {
            let place = CellId::from_point(body.position);
            (0..=DEPTH_MAX).map(move |depth| place.parent(level + 2 * depth))
        })
        .collect();
    leaves.sort_unstable();
    leaves
}

/// The watcher's own body, looked for first in the zone it was in.
fn find_own(watcher: &mut Watcher, zones: &[ZoneView<'_>]) {
    let own = |zone: &ZoneView<'_>| zone.body(watcher.id).map(|(body, seq)| (*body, seq));
    if let Some(found) = zones.get(watcher.zone).and_then(own) {
        watcher.own = Some(found);
        return;
    }
    let found = zones.iter().enumerate().find_map(|(zone, view)| own(view).map(|own| (zone, own)));
    watcher.own = found.map(|(_, own)| own);
    watcher.zone = found.map_or(0, |(zone, _)| zone);
}

/// The bodies of all zones by cells, in ascending order. A body that has walked over a border may still be in the zone
/// it came from, so that a cell may have bodies in two.
fn gather<'a>(zones: &[ZoneView<'a>]) -> Vec<(CellId, Cow<'a, [Placed]>)> {
    let mut runs: Vec<(CellId, Cow<'a, [Placed]>)> = Vec::new();
    let mut is_sorted = true;
    for (cell, run) in zones.iter().flat_map(ZoneView::runs) {
        is_sorted &= runs.last().is_none_or(|(last, _)| *last < cell);
        runs.push((cell, Cow::Borrowed(run)));
    }
    if is_sorted {
        return runs;
    }
    // Stable: of a body that is in two zones, the first counts.
    runs.sort_by_key(|(cell, _)| *cell);
    let mut merged: Vec<(CellId, Cow<'a, [Placed]>)> = Vec::with_capacity(runs.len());
    for (cell, run) in runs {
        match merged.last_mut().filter(|(last, _)| *last == cell) {
            Some((_, bodies)) => {
                let bodies = bodies.to_mut();
                bodies.extend_from_slice(&run);
                bodies.sort_by_key(|placed| placed.placement.entity_id);
                bodies.dedup_by_key(|placed| placed.placement.entity_id);
            }
            None => merged.push((cell, run)),
        }
    }
    merged
}
