//! The stream of one cell: which bodies are in it and where.
//!
//! The sender keeps a [`CellStream`] for each cell with bodies and each [`Tier`] in which somebody follows it. At each
//! send of the tier it calls [`CellStream::advance`] and shares the block with everyone who has followed the cell so far;
//! whoever begins gets [`CellStream::keyframe`] of the same state. The reader keeps a `CellStream` too and
//! [applies](CellStream::apply) blocks; after each both hold the same records.
//!
//! A block is written by a range coder ([`crate::range`]) from chances that are the same at the start of every block
//! (`model/priors.rs`) and learn within it:
//!
//! ```text
//! key       count · records
//! delta     removed count · of each: gap, whether it has left · of every body left: change · added count · records
//! ```
//!
//! A body is predicted to repeat its last step, turned by as much as its facing has turned since. Places are predicted
//! in eighths of a lattice cell, because steps are no whole numbers of cells.

use crate::place::LATTICE_BITS;
use crate::range::{Coder as _, Decoder, Encoder};
use cell::CellId;
pub(crate) use model::CHANCES;
use model::{Lattice, Model, PRIORS};
use turn::{LENGTH_MAX, Metric};

mod model;
mod turn;

/// Version of the stream format; part of the protocol hash.
pub const STREAM_VERSION: u32 = 2;
/// Height steps in a metre.
pub const HEIGHT_STEPS_PER_M: f64 = 64.0;
/// A crowded cell is divided into the cells two levels below, and each of those again: so often at most.
pub const DEPTH_MAX: u8 = 2;

const HEIGHT_MAX: i32 = 1 << 24;

/// How often a reader is told of a cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tier {
    /// At every send.
    #[default]
    Near = 0,
    /// Some times a second.
    Mid = 1,
    /// About once a second.
    Far = 2,
}

impl Tier {
    /// Every tier, the most frequent first.
    pub const ALL: [Self; 3] = [Self::Near, Self::Mid, Self::Far];
}

/// A body's mode, and whether its height follows from its place.
///
/// Without a height a body is where it would rest: on the ground, or at floating depth (`motion::SWIM_DRAFT_M`) where
/// the ground is deeper. A height is counted from there, upwards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stance {
    /// On the ground; no height.
    #[default]
    Grounded = 0,
    /// In the air; has a height.
    Airborne = 1,
    /// Afloat; no height.
    Swimming = 2,
    /// In the water but not at floating depth; has a height.
    Diving = 3,
}

impl Stance {
    /// Whether records of this stance carry a height.
    pub const fn has_height(self) -> bool {
        matches!(self, Self::Airborne | Self::Diving)
    }

    const fn from_two_bits(bits: u8) -> Self {
        match bits & 3 {
            0 => Self::Grounded,
            1 => Self::Airborne,
            2 => Self::Swimming,
            _ => Self::Diving,
        }
    }
}

/// What a stream says about one body at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// Whose.
    pub entity_id: u32,
    /// Lattice column, below [`crate::LATTICE_SIDE`]; in a cell that is part of a divided one, below a quarter or a
    /// sixteenth of it.
    pub i: u16,
    /// Lattice row.
    pub j: u16,
    /// See [`crate::facing_to_u8`].
    pub facing: u8,
    /// Mode.
    pub stance: Stance,
    /// In 1/64 m above the place of rest; 0 in stances without a height.
    pub height: i32,
}

/// A body as a sender gives it: where it is, and how fast it goes along the ground, for its first prediction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// What is said.
    pub placement: Placement,
    /// In 1/16 m/s, 255 for all that is faster.
    pub speed: u8,
}

impl From<Placement> for Placed {
    fn from(placement: Placement) -> Self {
        Self { placement, speed: 0 }
    }
}

/// A body as the stream remembers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub placement: Placement,
    /// Where it is believed to be, in eighths of a lattice cell.
    at: (u16, u16),
    /// The prediction of its next step, in the same.
    step: (i16, i16),
    /// Its last step up.
    climb: i16,
    /// How well it was predicted: 0 exactly, 1 nearly, 2 not.
    activity: u8,
}

/// Why a block was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// A delta that does not follow what is known: wait for a keyframe.
    #[error("a block before this one is missing")]
    Gap,
    /// Not a block.
    #[error("the block is malformed")]
    Malformed,
}

/// The state of one cell's stream, equal on both sides after each block.
#[derive(Clone, Debug)]
pub struct CellStream {
    lattice: Lattice,
    sequence: u8,
    /// Whether `records` are what the sender has: false before the first keyframe and after a gap.
    is_known: bool,
    /// In ascending order of entity id.
    records: Vec<Record>,
    /// Kept for the next block, so that a send allocates nothing.
    spare: Vec<Record>,
}

/// Equal are streams whose next blocks are.
impl PartialEq for CellStream {
    fn eq(&self, other: &Self) -> bool {
        let key = |stream: &Self| (stream.sequence, stream.is_known, stream.lattice.bits);
        key(self) == key(other) && self.records == other.records
    }
}

/// What a block is besides its body: the sequence number and whether it is a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockOrder {
    /// A key, or a change of the state left by the block before.
    pub is_key: bool,
    /// A delta's is one more, mod 256, than that of the block before.
    pub sequence: u8,
}

impl CellStream {
    /// The stream of a cell that is `depth` divisions below those of the planet's streams, for a reader who waits for a
    /// keyframe.
    pub fn new(cell: CellId, depth: u8) -> Self {
        assert!(depth <= DEPTH_MAX, "cells are divided {DEPTH_MAX} times at most");
        let bits = u32::from(LATTICE_BITS) - 2 * u32::from(depth);
        let lattice = Lattice { bits, metric: Metric::of(cell) };
        Self { lattice, sequence: 0, is_known: false, records: vec![], spare: vec![] }
    }

    /// The stream of an empty cell, for its sender.
    pub fn sender(cell: CellId, depth: u8) -> Self {
        Self { is_known: true, ..Self::new(cell, depth) }
    }

    /// The bodies in the cell, in ascending order of entity id; those known last while the stream waits for a keyframe.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether a reader knows the cell's bodies; if not it waits for a keyframe.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// A block is known to be missing: the stream waits for a keyframe. Its bodies stay as they were.
    pub fn lose(&mut self) {
        self.is_known = false;
    }

    /// What the stream's newest block is numbered.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }

    /// Moves the stream on to `now`, in strictly ascending order of entity id, and appends the delta block to `block`.
    ///
    /// Appends nothing and gives `false` when nothing would be said: the same bodies at rest at the same places. Readers
    /// then need nothing.
    ///
    /// `stride` is how many eighths of a lattice cell a body at 1 m/s goes from one send to the next. `has_left` tells of
    /// a body that is gone whether it is nowhere else either.
    pub fn advance(
        &mut self,
        now: &[Placed],
        stride: u32,
        mut has_left: impl FnMut(u32) -> bool,
        block: &mut Vec<u8>,
    ) -> bool {
        debug_assert!(now.is_sorted_by(|a, b| a.placement.entity_id < b.placement.entity_id));
        if self.is_at_rest(now) {
            return false;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut model = PRIORS;
        let mut encoder = Encoder::new(block);
        self.say_removed(now, &mut has_left, &mut model, &mut encoder);
        let mut spare = std::mem::take(&mut self.spare);
        spare.clear();
        spare.reserve(now.len());
        let mut old = self.records.iter().peekable();
        let mut added_count = 0;
        for Placed { placement, speed } in now {
            while old.next_if(|old| old.placement.entity_id < placement.entity_id).is_some() {}
            if let Some(old) = old.next_if(|old| old.placement.entity_id == placement.entity_id) {
                let record = model.change(&mut encoder, &self.lattice, old, placement);
                spare.push(record.expect("places are inside their cell"));
            } else {
                added_count += 1;
                let length = (u32::from(*speed) * stride) >> 4;
                spare.push(Record::added(*placement, length.min(LENGTH_MAX as u32) as i32, &self.lattice));
            }
        }
        model.counts[2].code(&mut encoder, added_count).expect("what is written is in order");
        if added_count > 0 {
            let mut length = last_length(&self.records, &self.lattice);
            let mut old = self.records.iter().peekable();
            let mut next_id = 0;
            for record in &mut spare {
                let id = record.placement.entity_id;
                while old.next_if(|old| old.placement.entity_id < id).is_some() {}
                if old.next_if(|old| old.placement.entity_id == id).is_none() {
                    say_id(&mut model, &mut encoder, true, &mut next_id, id);
                    let said = model.begin(&mut encoder, &self.lattice, record, true, &mut length);
                    *record = said.expect("places are inside their cell");
                }
            }
        }
        encoder.finish();
        self.spare = std::mem::replace(&mut self.records, spare);
        true
    }

    /// Appends a keyframe of the present state, which carries no news for followers.
    pub fn keyframe(&self, block: &mut Vec<u8>) {
        let mut model = PRIORS;
        let mut encoder = Encoder::new(block);
        let count = self.records.len() as u32;
        model.counts[0].code(&mut encoder, count).expect("what is written is in order");
        let (mut next_id, mut length) = (0, 0);
        for record in &self.records {
            say_id(&mut model, &mut encoder, false, &mut next_id, record.placement.entity_id);
            let said = model.begin(&mut encoder, &self.lattice, record, false, &mut length);
            debug_assert_eq!(said, Ok(*record));
        }
        encoder.finish();
    }

    fn is_at_rest(&self, now: &[Placed]) -> bool {
        now.len() == self.records.len()
            && self
                .records
                .iter()
                .zip(now)
                .all(|(old, now)| old.placement == now.placement && old.step == (0, 0) && old.climb == 0)
    }

    fn say_removed(
        &self,
        now: &[Placed],
        has_left: &mut impl FnMut(u32) -> bool,
        model: &mut Model,
        encoder: &mut Encoder<'_>,
    ) {
        let mut now = now.iter().peekable();
        let mut gone = vec![];
        for (index, old) in (0_u32..).zip(&self.records) {
            let id = old.placement.entity_id;
            while now.next_if(|now| now.placement.entity_id < id).is_some() {}
            if now.next_if(|now| now.placement.entity_id == id).is_none() {
                gone.push((index, id));
            }
        }
        model.counts[1].code(encoder, gone.len() as u32).expect("what is written is in order");
        let mut next = 0;
        for (index, id) in gone {
            model.removed_gap.code(encoder, index - next).expect("what is written is in order");
            encoder.code(&mut model.has_left, has_left(id));
            next = index + 1;
        }
    }

    /// Reads a block. `gone` is given each body that is no longer in the cell, as it was, and whether it has left the
    /// world. After an error the stream is unknown and waits for a keyframe; after a gap its bodies stay as they were.
    pub fn apply(
        &mut self,
        order: BlockOrder,
        block: &[u8],
        mut gone: impl FnMut(&Record, bool),
    ) -> Result<(), StreamError> {
        let mut records = std::mem::take(&mut self.spare);
        records.clear();
        let read = if order.is_key {
            self.read_key(block, &mut records)
        } else if self.is_known && order.sequence == self.sequence.wrapping_add(1) {
            self.read_delta(block, &mut records, &mut gone)
        } else {
            Err(StreamError::Gap)
        };
        match read {
            Ok(()) => {
                self.is_known = true;
                self.sequence = order.sequence;
                self.spare = std::mem::replace(&mut self.records, records);
            }
            Err(StreamError::Gap) => self.lose(),
            Err(StreamError::Malformed) => {
                self.lose();
                self.records.clear();
            }
        }
        read
    }

    fn read_key(&self, block: &[u8], records: &mut Vec<Record>) -> Result<(), StreamError> {
        let mut model = PRIORS;
        let mut decoder = Decoder::new(block);
        let count = model.counts[0].code(&mut decoder, 0)?;
        let (mut next_id, mut length) = (Some(0), 0);
        for _ in 0..count {
            records.push(read_beginning(
                &mut model,
                &mut decoder,
                &self.lattice,
                false,
                &mut next_id,
                &mut length,
            )?);
        }
        if decoder.is_finished() { Ok(()) } else { Err(StreamError::Malformed) }
    }

    fn read_delta(
        &self,
        block: &[u8],
        records: &mut Vec<Record>,
        gone: &mut impl FnMut(&Record, bool),
    ) -> Result<(), StreamError> {
        let mut model = PRIORS;
        let mut decoder = Decoder::new(block);
        let removed_count = model.counts[1].code(&mut decoder, 0)? as usize;
        if removed_count > self.records.len() {
            return Err(StreamError::Malformed);
        }
        let mut rest = self.records.as_slice();
        for _ in 0..removed_count {
            let gap = model.removed_gap.code(&mut decoder, 0)? as usize;
            let has_left = decoder.code(&mut model.has_left, false);
            let (before, from) = rest.split_at_checked(gap).ok_or(StreamError::Malformed)?;
            records.extend_from_slice(before);
            let (removed, after) = from.split_first().ok_or(StreamError::Malformed)?;
            gone(removed, has_left);
            rest = after;
        }
        records.extend_from_slice(rest);
        for record in records.iter_mut() {
            *record = model.change(&mut decoder, &self.lattice, record, &Placement::default())?;
        }
        let added_count = model.counts[2].code(&mut decoder, 0)?;
        let kept_count = records.len();
        let (mut next_id, mut length) = (Some(0), last_length(&self.records, &self.lattice));
        for _ in 0..added_count {
            records.push(read_beginning(
                &mut model,
                &mut decoder,
                &self.lattice,
                true,
                &mut next_id,
                &mut length,
            )?);
        }
        if !decoder.is_finished() {
            return Err(StreamError::Malformed);
        }
        if added_count > 0 && kept_count > 0 {
            records.sort_unstable_by_key(|record| record.placement.entity_id);
            if !records.is_sorted_by(|a, b| a.placement.entity_id < b.placement.entity_id) {
                return Err(StreamError::Malformed);
            }
        }
        Ok(())
    }
}

/// How fast the first of those who move goes: likely those who come are no different.
fn last_length(records: &[Record], lattice: &Lattice) -> i32 {
    let first = records.iter().find(|record| record.step != (0, 0));
    first.map_or(0, |record| lattice.metric.length((record.step.0.into(), record.step.1.into())))
}

fn say_id(model: &mut Model, encoder: &mut Encoder<'_>, is_added: bool, next_id: &mut u32, id: u32) {
    let gap = &mut model.beginnings[usize::from(is_added)].gap;
    gap.code(encoder, id - *next_id).expect("what is written is in order");
    *next_id = id.wrapping_add(1);
}

fn read_beginning(
    model: &mut Model,
    decoder: &mut Decoder<'_>,
    lattice: &Lattice,
    is_added: bool,
    next_id: &mut Option<u32>,
    length: &mut i32,
) -> Result<Record, StreamError> {
    let gap = model.beginnings[usize::from(is_added)].gap.code(decoder, 0)?;
    let entity_id = next_id.and_then(|next| next.checked_add(gap)).ok_or(StreamError::Malformed)?;
    *next_id = entity_id.checked_add(1);
    let unknown = Record { placement: Placement { entity_id, ..Placement::default() }, ..Record::default() };
    model.begin(decoder, lattice, &unknown, is_added, length)
}
