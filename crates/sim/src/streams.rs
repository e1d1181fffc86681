//! The cells' streams of one phase of sends, and the blocks of its newest send.
//!
//! Each block is encoded once, with its head, into one buffer that all frames of the send share. A crowded cell is
//! divided into leaves, the cells two levels below, and they again: a leaf has a slot for as long as it lives, by which
//! watchers find its blocks. A cell that its bodies left is kept for a while, as they walk to and fro.

use crate::interest::look_again_sends;
use crate::leaf::{Leaf, LeafRules, Spot};
use bytes::Bytes;
use cell::CellId;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use wire::stream::{DEPTH_MAX, Placed, Tier};

/// More bodies than this divide a cell, fewer than that make it whole again. Its parts are divided again only in a
/// throng: every change of this kind makes all who watch look again.
const DIVIDED_ABOVE: usize = 128;
const WHOLE_BELOW: usize = 64;
const PART_DIVIDED_ABOVE: usize = 512;
const PART_WHOLE_BELOW: usize = 256;
/// Sends for which a cell without bodies is kept.
const EMPTY_SENDS: u32 = 100;
/// Changes of which cells there are, are noted by regions: cells so many levels above.
const REGION_LEVELS: u8 = 3;

/// Leaves are counted in sixteenths.
const PARTS: usize = 16;

#[derive(Default)]
pub(crate) struct Streams {
    /// In ascending order.
    pub(crate) cells: Vec<Cell>,
    slots: Vec<Slot>,
    /// By slot and tier: what followers get, in the buffer. By itself, as every watcher needs nothing else at most sends.
    news: Vec<[Range<u32>; 3]>,
    free: Vec<u32>,
    /// Slots of leaves that are gone, and since which send: free when every watcher has looked again.
    retired: VecDeque<(u32, u32)>,
    /// The send in which cells of a region last came, went or were divided, and that of the last region.
    regions: HashMap<CellId, u32>,
    changed: u32,
    /// The blocks of the newest send.
    pub(crate) buffer: Bytes,
}

/// A cell of the planet's stream level.
pub(crate) struct Cell {
    id: CellId,
    /// In ascending order of cells: the whole, or what it is divided into.
    leaves: Vec<Leaf>,
    /// Where they are, for those who look.
    spots: Vec<Spot>,
    /// Which leaf holds the bodies of each of its sixteenths, and of each sixteenth of those that are divided again.
    parts: Parts,
    /// The send in which it last held bodies.
    held: u32,
    /// Which of the runs of this send is its own.
    run: Option<usize>,
    /// Blocks, by tier, then keys.
    blocks: [Vec<u8>; 4],
}

enum Parts {
    Whole,
    Divided(Box<[Part; PARTS]>),
}

#[derive(Clone)]
enum Part {
    Leaf(u8),
    Divided(Box<[u16; PARTS]>),
}

/// What watchers know of a leaf.
pub(crate) struct Slot {
    /// The send in which it began: another leaf may have the slot later.
    pub(crate) born: u32,
    /// Its leaf is no more, and nothing comes of it.
    pub(crate) is_gone: bool,
    pub(crate) bodies: u32,
    /// Bytes a second, by tier.
    pub(crate) cost: [f32; 3],
    /// Whether a watcher may begin with the tier in this send.
    pub(crate) may_begin: [bool; 3],
    /// In the buffer: what beginners get.
    pub(crate) keys: [Range<u32>; 3],
    /// Set by watchers, from several threads; which of them is first makes no difference.
    wanted: [AtomicBool; 3],
    followed: [AtomicU32; 3],
}

impl Slot {
    fn new(born: u32) -> Self {
        Self {
            born,
            is_gone: false,
            bodies: 0,
            cost: [0.0; 3],
            may_begin: [true; 3],
            keys: [const { 0..0 }; 3],
            wanted: Default::default(),
            followed: Default::default(),
        }
    }

    /// Asks for the key of a tier in this send.
    pub(crate) fn want(&self, tier: Tier) {
        self.wanted[tier as usize].store(true, Ordering::Relaxed);
    }

    /// Keeps the stream of a tier going until the follower looks again.
    pub(crate) fn follow(&self, tier: Tier, send: u32) {
        self.followed[tier as usize].store(send, Ordering::Relaxed);
    }
}

/// One send, as the streams need it.
pub(crate) struct Send<'a> {
    /// Its number.
    pub(crate) number: u32,
    /// Each cell with bodies and its bodies, in ascending order.
    pub(crate) runs: &'a [(CellId, std::borrow::Cow<'a, [Placed]>)],
    pub(crate) rules: LeafRules,
}

impl Streams {
    /// Brings cells and leaves up to date with the runs.
    pub(crate) fn arrange(&mut self, send: &Send<'_>) {
        let patience = look_again_sends(send.rules.send_hz);
        while let Some((_, slot)) = self.retired.pop_front_if(|(since, _)| send.number - *since > patience) {
            self.free.push(slot);
        }
        let mut kept = std::mem::take(&mut self.cells).into_iter().peekable();
        let mut cells = Vec::with_capacity(send.runs.len() + 16);
        for (index, (cell, run)) in send.runs.iter().enumerate() {
            while let Some(empty) = kept.next_if(|kept| kept.id < *cell) {
                self.keep_empty(empty, send, &mut cells);
            }
            let mut entry = kept.next_if(|kept| kept.id == *cell).unwrap_or_else(|| {
                self.note_change(*cell, send.number);
                let leaf = self.leaf(*cell, 0, send);
                Cell::new(*cell, leaf)
            });
            entry.run = Some(index);
            entry.held = send.number;
            self.divide(&mut entry, run.len(), send);
            cells.push(entry);
        }
        for empty in kept {
            self.keep_empty(empty, send, &mut cells);
        }
        self.cells = cells;
    }

    fn keep_empty(&mut self, mut cell: Cell, send: &Send<'_>, cells: &mut Vec<Cell>) {
        cell.run = None;
        if send.number - cell.held < EMPTY_SENDS {
            cells.push(cell);
        } else {
            self.note_change(cell.id, send.number);
            self.retire(&cell.leaves, send.number);
        }
    }

    /// Divides a cell or makes it whole, by how many bodies it holds, and each part by how many it held.
    fn divide(&mut self, cell: &mut Cell, bodies: usize, send: &Send<'_>) {
        let is_whole = matches!(cell.parts, Parts::Whole);
        let was: Vec<u16> = if is_whole { vec![] } else { cell.divided_parts() };
        let divides = bodies > if is_whole { DIVIDED_ABOVE } else { WHOLE_BELOW };
        let is: Vec<u16> = if divides && !is_whole { cell.parts_to_divide() } else { vec![] };
        if divides != is_whole && is == was {
            return;
        }
        self.note_change(cell.id, send.number);
        let mut old = std::mem::take(&mut cell.leaves);
        let level = cell.id.level();
        let mut leaves = vec![];
        if divides {
            let parts: Vec<_> = cell.id.descendants(level + 2).collect();
            let is_divided = |part: &CellId| is.contains(&(part_of(*part) as u16));
            for part in parts {
                if is_divided(&part) {
                    leaves.extend(part.descendants(level + 4).map(|deep| (deep, 2)));
                } else {
                    leaves.push((part, 1));
                }
            }
        } else {
            leaves.push((cell.id, 0));
        }
        cell.leaves = leaves
            .into_iter()
            .map(|(id, depth)| match old.iter().position(|leaf| leaf.spot.cell == id) {
                Some(at) => old.swap_remove(at),
                None => self.leaf(id, depth, send),
            })
            .collect();
        self.retire(&old, send.number);
        cell.spots = cell.leaves.iter().map(|leaf| leaf.spot).collect();
        cell.parts = Parts::of(cell);
    }

    fn leaf(&mut self, cell: CellId, depth: u8, send: &Send<'_>) -> Leaf {
        let slot = Slot::new(send.number);
        let at = if let Some(at) = self.free.pop() {
            self.slots[at as usize] = slot;
            at
        } else {
            self.slots.push(slot);
            self.news.push([const { 0..0 }; 3]);
            self.slots.len() as u32 - 1
        };
        Leaf::new(cell, depth, at, &send.rules)
    }

    fn retire(&mut self, leaves: &[Leaf], send: u32) {
        for leaf in leaves {
            self.slots[leaf.spot.slot as usize] =
                Slot { is_gone: true, may_begin: [false; 3], ..Slot::new(send) };
            self.news[leaf.spot.slot as usize] = [const { 0..0 }; 3];
            self.retired.push_back((send, leaf.spot.slot));
        }
    }

    fn note_change(&mut self, cell: CellId, send: u32) {
        self.regions.insert(region(cell), send);
        self.changed = send;
    }

    /// Whether cells of one of these regions came, went or were divided after a send.
    pub(crate) fn has_changed(&self, regions: &[CellId], since: u32) -> bool {
        let is_later = |region: &CellId| self.regions.get(region).is_some_and(|changed| *changed > since);
        self.changed > since && regions.iter().any(is_later)
    }

    /// What is known of a leaf.
    pub(crate) fn slot(&self, slot: u32) -> &Slot {
        &self.slots[slot as usize]
    }

    /// What followers of a leaf's tier get, in the buffer.
    pub(crate) fn news(&self, slot: u32, tier: Tier) -> &Range<u32> {
        &self.news[slot as usize][tier as usize]
    }

    /// The leaves of a cell. Cells are asked for in ascending order, with the same `at`.
    pub(crate) fn leaves(&self, cell: CellId, at: &mut usize) -> &[Spot] {
        *at += self.cells[*at..].partition_point(|other| other.id < cell);
        match self.cells.get(*at) {
            Some(found) if found.id == cell => &found.spots,
            _ => &[],
        }
    }

    /// Whether followers of a leaf's tier may still be there; streams that nobody follows are given up.
    fn is_followed(slot: &Slot, tier: usize, send: u32, patience: u32) -> bool {
        let followed = slot.followed[tier].load(Ordering::Relaxed);
        followed > 0 && send - followed <= patience
    }

    /// Encodes what is due for one of [`Streams::cells`].
    pub(crate) fn encode(
        cell: &mut Cell,
        slots: &[Slot],
        send: &Send<'_>,
        has_left: &(impl Fn(u32) -> bool + Sync),
    ) {
        cell.blocks.iter_mut().for_each(Vec::clear);
        let run: &[Placed] = cell.run.map_or(&[], |run| &send.runs[run].1);
        cell.share(run);
        let patience = look_again_sends(send.rules.send_hz);
        let Cell { leaves, blocks, .. } = cell;
        for leaf in leaves {
            let slot = &slots[leaf.spot.slot as usize];
            for tier in Tier::ALL {
                let is_followed = Self::is_followed(slot, tier as usize, send.number, patience);
                leaf.encode(tier, is_followed, send, has_left, &mut blocks[tier as usize]);
            }
        }
    }

    /// Encodes the keys that are wanted of one of [`Streams::cells`].
    pub(crate) fn encode_keys(cell: &mut Cell, slots: &[Slot], send: &Send<'_>) {
        let [.., keys] = &mut cell.blocks;
        for leaf in &mut cell.leaves {
            for tier in Tier::ALL {
                if slots[leaf.spot.slot as usize].wanted[tier as usize].load(Ordering::Relaxed) {
                    leaf.encode_key(tier, send, keys);
                }
            }
        }
    }

    /// The cells to work on and what they may read.
    pub(crate) fn work(&mut self) -> (&mut [Cell], &[Slot]) {
        (&mut self.cells, &self.slots)
    }

    /// Tells watchers, through the slots, what each leaf holds and costs.
    pub(crate) fn publish_leaves(&mut self, rules: &LeafRules) {
        for leaf in self.cells.iter().flat_map(|cell| &cell.leaves) {
            let slot = &mut self.slots[leaf.spot.slot as usize];
            slot.bodies = leaf.bodies.len() as u32;
            slot.cost = leaf.cost(rules);
            slot.may_begin = Tier::ALL.map(|tier| leaf.may_begin(tier));
            slot.wanted = Default::default();
        }
    }

    /// Lays all blocks into one buffer, those of a tier together: who follows neighbours in one tier gets one slice.
    pub(crate) fn assemble(&mut self) {
        let bytes = self.cells.iter().flat_map(|cell| &cell.blocks).map(Vec::len).sum();
        let mut buffer = Vec::with_capacity(bytes);
        for kind in 0..4 {
            for cell in &self.cells {
                let start = buffer.len() as u32;
                buffer.extend_from_slice(&cell.blocks[kind]);
                for leaf in &cell.leaves {
                    let slot = leaf.spot.slot as usize;
                    let placed = |range: &Range<u32>| start + range.start..start + range.end;
                    match kind {
                        3 => self.slots[slot].keys = [0, 1, 2].map(|tier: usize| placed(leaf.key(tier))),
                        tier => self.news[slot][tier] = placed(leaf.news(tier)),
                    }
                }
            }
        }
        self.buffer = buffer.into();
    }
}

/// The region a cell is in.
pub(crate) fn region(cell: CellId) -> CellId {
    cell.parent(cell.level().saturating_sub(REGION_LEVELS))
}

/// Which sixteenth of its grandparent a cell is: column and row, two bits each.
fn part_of(cell: CellId) -> usize {
    let at = cell.face_ij();
    (at.i as usize & 3) << 2 | at.j as usize & 3
}

impl Parts {
    fn of(cell: &Cell) -> Self {
        if cell.leaves.len() == 1 {
            return Self::Whole;
        }
        let level = cell.id.level();
        let mut parts = Box::new([const { Part::Leaf(0) }; PARTS]);
        for (index, leaf) in cell.leaves.iter().enumerate() {
            if leaf.depth < DEPTH_MAX {
                parts[part_of(leaf.spot.cell)] = Part::Leaf(index as u8);
                continue;
            }
            let part = &mut parts[part_of(leaf.spot.cell.parent(level + 2))];
            if let Part::Leaf(_) = part {
                *part = Part::Divided(Box::new([0; PARTS]));
            }
            if let Part::Divided(deep) = part {
                deep[part_of(leaf.spot.cell)] = index as u16;
            }
        }
        Self::Divided(parts)
    }
}

impl Cell {
    fn new(id: CellId, leaf: Leaf) -> Self {
        let blocks = Default::default();
        Self {
            id,
            spots: vec![leaf.spot],
            leaves: vec![leaf],
            parts: Parts::Whole,
            held: 0,
            run: None,
            blocks,
        }
    }

    /// The sixteenths that are divided.
    fn divided_parts(&self) -> Vec<u16> {
        match &self.parts {
            Parts::Whole => vec![],
            Parts::Divided(parts) => (0..)
                .zip(parts.iter())
                .filter(|(_, part)| matches!(part, Part::Divided(_)))
                .map(|(n, _)| n)
                .collect(),
        }
    }

    /// The sixteenths that are to be, by how many bodies they held at the last send.
    fn parts_to_divide(&self) -> Vec<u16> {
        let Parts::Divided(parts) = &self.parts else { return vec![] };
        let held = |leaf: usize| self.leaves[leaf].bodies.len();
        let is_to_divide = |part: &Part| match part {
            Part::Leaf(leaf) => held(usize::from(*leaf)) > PART_DIVIDED_ABOVE,
            Part::Divided(deep) => {
                deep.iter().map(|leaf| held(usize::from(*leaf))).sum::<usize>() > PART_WHOLE_BELOW
            }
        };
        (0..).zip(parts.iter()).filter(|(_, part)| is_to_divide(part)).map(|(n, _)| n).collect()
    }

    /// Gives each leaf its bodies, with places inside it.
    fn share(&mut self, run: &[Placed]) {
        let Self { leaves, parts, .. } = self;
        leaves.iter_mut().for_each(Leaf::clear);
        match parts {
            Parts::Whole => leaves[0].bodies.extend_from_slice(run),
            Parts::Divided(parts) => {
                for placed in run {
                    let (i, j) = (placed.placement.i, placed.placement.j);
                    let part = |bits: u16| usize::from((i >> bits & 3) << 2 | (j >> bits & 3));
                    let (leaf, bits) = match &parts[part(10)] {
                        Part::Leaf(leaf) => (usize::from(*leaf), 10),
                        Part::Divided(deep) => (usize::from(deep[part(8)]), 8),
                    };
                    let mut placed = *placed;
                    placed.placement.i &= (1 << bits) - 1;
                    placed.placement.j &= (1 << bits) - 1;
                    leaves[leaf].bodies.push(placed);
                }
            }
        }
    }
}
