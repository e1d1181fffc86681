//! The stream of one cell: which bodies are in it and where.
//!
//! The sender keeps a [`CellStream`] for each cell with bodies. At each send it calls [`CellStream::advance`] and shares
//! the block with everyone who has followed the cell so far; whoever begins gets [`CellStream::keyframe`] of the same
//! state. The reader keeps a `CellStream` too and [applies](CellStream::apply) blocks; after each both hold the same
//! records.
//!
//! ```text
//! block     kind 1 bit (1 key, 0 delta) · sequence 8 bits · body · filling
//! key       count u4 · records
//! delta     removed count u0 · removed indices, as gaps u2 · for every body left: change · added count u0 · records
//! record    entity id, as gap u3 · i 12 bits · j 12 bits · facing 8 bits · stance 2 bits · [height s6]
//!           · moving 1 bit · [vi s4 · vj s4]
//! change    0: went on as predicted
//!           1: di s0 · dj s0 · turned 1 bit · [turn s2] · new stance 1 bit · [stance 2 bits] · [height s6]
//! ```
//!
//! `uK` and `sK` are the unsigned and signed codes of order K (see `bits.rs`). Bodies stand in ascending order of entity
//! id. A gap is the difference to the one before less 1; the first is counted from -1. A body is predicted to repeat
//! its last step: `i + vi` and `j + vj`, kept inside 0..=4095; `di` and `dj` are what is to be added to that, and the
//! step really made is the next `vi`, `vj`. A height is present in stances that have one (in a change: as the difference
//! to the height before, 0 if it had none).

use crate::bits::{BadBits, BitReader, BitWriter};
use crate::place::LATTICE_SIDE;

/// Version of the stream format; part of the protocol hash.
pub const STREAM_VERSION: u32 = 1;
/// Height steps in a metre.
pub const HEIGHT_STEPS_PER_M: f64 = 64.0;

const I_LAST: i32 = LATTICE_SIDE as i32 - 1;
const HEIGHT_MAX: i32 = 1 << 24;

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

    const fn from_two_bits(bits: u32) -> Self {
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
    /// Lattice column, below [`LATTICE_SIDE`].
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

/// A body as the stream remembers it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Where it is.
    pub placement: Placement,
    /// Its last step, in lattice cells: the prediction of the next one.
    pub step: (i16, i16),
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

impl From<BadBits> for StreamError {
    fn from(_: BadBits) -> Self {
        Self::Malformed
    }
}

/// The state of one cell's stream, equal on both sides after each block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellStream {
    sequence: u8,
    /// Whether `records` are what the sender has: false before the first keyframe and after a gap.
    is_known: bool,
    /// In ascending order of entity id.
    records: Vec<Record>,
}

impl CellStream {
    /// The stream of an empty cell, for a sender.
    pub fn new() -> Self {
        Self { is_known: true, ..Self::default() }
    }

    /// The bodies in the cell, in ascending order of entity id; none while the stream waits for a keyframe.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether a reader knows the cell's bodies; if not it waits for a keyframe.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// Moves the stream on to `now`, in strictly ascending order of entity id, and appends the delta block to `block`.
    ///
    /// Appends nothing and gives `false` when nothing would be said: the same bodies at rest at the same places. Readers
    /// who get no block for a cell keep it as it is.
    pub fn advance(&mut self, now: &[Placement], block: &mut Vec<u8>) -> bool {
        debug_assert!(now.is_sorted_by(|a, b| a.entity_id < b.entity_id));
        if self.is_at_rest(now) {
            return false;
        }
        self.sequence = self.sequence.wrapping_add(1);
        let mut writer = BitWriter::new(block);
        writer.bit(false);
        writer.bits(self.sequence.into(), 8);
        self.write_removed(now, &mut writer);

        let before = std::mem::take(&mut self.records);
        let mut old = before.iter().peekable();
        let mut added = 0;
        self.records.reserve(now.len());
        for placement in now {
            while old.next_if(|old| old.placement.entity_id < placement.entity_id).is_some() {}
            if let Some(old) = old.next_if(|old| old.placement.entity_id == placement.entity_id) {
                self.records.push(write_change(old, *placement, &mut writer));
            } else {
                added += 1;
                self.records.push(Record { placement: *placement, step: (0, 0) });
            }
        }
        writer.unsigned(added, 0);
        if added > 0 {
            let mut old = before.iter().peekable();
            let is_new = self.records.iter().filter(|record| {
                let id = record.placement.entity_id;
                while old.next_if(|old| old.placement.entity_id < id).is_some() {}
                old.next_if(|old| old.placement.entity_id == id).is_none()
            });
            write_records(is_new, &mut writer);
        }
        writer.finish();
        true
    }

    /// Appends a keyframe of the present state to `block`. It has the sequence number of the last delta, so a reader goes
    /// on with the next one.
    pub fn keyframe(&self, block: &mut Vec<u8>) {
        let mut writer = BitWriter::new(block);
        writer.bit(true);
        writer.bits(self.sequence.into(), 8);
        writer.unsigned(self.records.len() as u32, 4);
        write_records(self.records.iter(), &mut writer);
        writer.finish();
    }

    fn is_at_rest(&self, now: &[Placement]) -> bool {
        now.len() == self.records.len()
            && self.records.iter().zip(now).all(|(old, now)| old.placement == *now && old.step == (0, 0))
    }

    fn write_removed(&self, now: &[Placement], writer: &mut BitWriter<'_>) {
        let mut now = now.iter().peekable();
        let removed: Vec<u32> = (0..)
            .zip(&self.records)
            .filter(|(_, old)| {
                let id = old.placement.entity_id;
                while now.next_if(|now| now.entity_id < id).is_some() {}
                now.next_if(|now| now.entity_id == id).is_none()
            })
            .map(|(index, _)| index)
            .collect();
        writer.unsigned(removed.len() as u32, 0);
        let mut next = 0;
        for index in removed {
            writer.unsigned(index - next, 2);
            next = index + 1;
        }
    }

    /// Reads a block. After an error the stream is unknown and waits for a keyframe.
    pub fn apply(&mut self, block: &[u8]) -> Result<(), StreamError> {
        match self.read(block) {
            Ok((sequence, records)) => {
                *self = Self { sequence, is_known: true, records };
                Ok(())
            }
            Err(error) => {
                *self = Self::default();
                Err(error)
            }
        }
    }

    fn read(&self, block: &[u8]) -> Result<(u8, Vec<Record>), StreamError> {
        let mut reader = BitReader::new(block);
        let is_key = reader.bit()?;
        let sequence = reader.bits(8)? as u8;
        let records = if is_key {
            let count = reader.unsigned(4)?;
            let mut records = vec![];
            read_records(count, &mut reader, |record| records.push(record))?;
            records
        } else {
            if !self.is_known || sequence != self.sequence.wrapping_add(1) {
                return Err(StreamError::Gap);
            }
            self.read_delta(&mut reader)?
        };
        reader.finish()?;
        Ok((sequence, records))
    }

    fn read_delta(&self, reader: &mut BitReader<'_>) -> Result<Vec<Record>, StreamError> {
        let removed_count = reader.unsigned(0)? as usize;
        if removed_count > self.records.len() {
            return Err(StreamError::Malformed);
        }
        let mut kept = Vec::with_capacity(self.records.len());
        let mut rest = self.records.as_slice();
        for _ in 0..removed_count {
            let gap = reader.unsigned(2)? as usize;
            let (before, from) = rest.split_at_checked(gap).ok_or(StreamError::Malformed)?;
            kept.extend_from_slice(before);
            rest = from.get(1..).ok_or(StreamError::Malformed)?;
        }
        kept.extend_from_slice(rest);
        for record in &mut kept {
            *record = read_change(record, reader)?;
        }
        let added_count = reader.unsigned(0)?;
        let kept_count = kept.len();
        read_records(added_count, reader, |record| kept.push(record))?;
        if added_count > 0 {
            kept.sort_unstable_by_key(|record| record.placement.entity_id);
            if kept_count > 0 && !kept.is_sorted_by(|a, b| a.placement.entity_id < b.placement.entity_id) {
                return Err(StreamError::Malformed);
            }
        }
        Ok(kept)
    }
}

/// Where `record` is expected at the next send if it repeats its step.
fn predicted(record: &Record) -> (i32, i32) {
    let Record { placement, step } = record;
    let on = |index: u16, step: i16| (i32::from(index) + i32::from(step)).clamp(0, I_LAST);
    (on(placement.i, step.0), on(placement.j, step.1))
}

/// The record after a move from `old` to `now`.
fn stepped(old: &Record, now: Placement) -> Record {
    // Both indices are below 4096, so the difference fits.
    let step = |from: u16, to: u16| (i32::from(to) - i32::from(from)) as i16;
    Record { placement: now, step: (step(old.placement.i, now.i), step(old.placement.j, now.j)) }
}

fn write_change(old: &Record, now: Placement, writer: &mut BitWriter<'_>) -> Record {
    let was = &old.placement;
    let (i, j) = predicted(old);
    let (di, dj) = (i32::from(now.i) - i, i32::from(now.j) - j);
    let has_turned = now.facing != was.facing;
    let has_new_stance = now.stance != was.stance;
    let is_as_predicted = di == 0 && dj == 0 && !has_turned && !has_new_stance && now.height == was.height;
    writer.bit(!is_as_predicted);
    if !is_as_predicted {
        writer.signed(di, 0);
        writer.signed(dj, 0);
        writer.bit(has_turned);
        if has_turned {
            writer.signed(i32::from(now.facing.wrapping_sub(was.facing).cast_signed()), 2);
        }
        writer.bit(has_new_stance);
        if has_new_stance {
            writer.bits(now.stance as u32, 2);
        }
        if now.stance.has_height() {
            writer.signed(now.height - was.height, 6);
        }
    }
    stepped(old, now)
}

fn read_change(old: &Record, reader: &mut BitReader<'_>) -> Result<Record, StreamError> {
    let mut now = old.placement;
    let (i, j) = predicted(old);
    if !reader.bit()? {
        now.i = i as u16;
        now.j = j as u16;
        return Ok(stepped(old, now));
    }
    now.i = inside(i, reader.signed(0)?)?;
    now.j = inside(j, reader.signed(0)?)?;
    if reader.bit()? {
        let turn = i8::try_from(reader.signed(2)?).map_err(|_| StreamError::Malformed)?;
        now.facing = now.facing.wrapping_add_signed(turn);
    }
    if reader.bit()? {
        now.stance = Stance::from_two_bits(reader.bits(2)?);
    }
    now.height = if now.stance.has_height() { height(old.placement.height, reader.signed(6)?)? } else { 0 };
    Ok(stepped(old, now))
}

fn inside(predicted: i32, difference: i32) -> Result<u16, StreamError> {
    let index = predicted.checked_add(difference).filter(|index| (0..=I_LAST).contains(index));
    index.map(|index| index as u16).ok_or(StreamError::Malformed)
}

fn height(before: i32, difference: i32) -> Result<i32, StreamError> {
    let height = before.checked_add(difference).filter(|height| height.abs() <= HEIGHT_MAX);
    height.ok_or(StreamError::Malformed)
}

fn write_records<'a>(records: impl Iterator<Item = &'a Record>, writer: &mut BitWriter<'_>) {
    let mut next_id = 0;
    for Record { placement, step } in records {
        writer.unsigned(placement.entity_id - next_id, 3);
        next_id = placement.entity_id.wrapping_add(1);
        writer.bits(placement.i.into(), 12);
        writer.bits(placement.j.into(), 12);
        writer.bits(placement.facing.into(), 8);
        writer.bits(placement.stance as u32, 2);
        if placement.stance.has_height() {
            writer.signed(placement.height, 6);
        }
        let is_moving = *step != (0, 0);
        writer.bit(is_moving);
        if is_moving {
            writer.signed(step.0.into(), 4);
            writer.signed(step.1.into(), 4);
        }
    }
}

fn read_records(
    count: u32,
    reader: &mut BitReader<'_>,
    mut take: impl FnMut(Record),
) -> Result<(), StreamError> {
    let mut next_id = Some(0_u32);
    for _ in 0..count {
        let first = next_id.ok_or(StreamError::Malformed)?;
        let entity_id = first.checked_add(reader.unsigned(3)?).ok_or(StreamError::Malformed)?;
        next_id = entity_id.checked_add(1);
        let (i, j) = (reader.bits(12)? as u16, reader.bits(12)? as u16);
        let facing = reader.bits(8)? as u8;
        let stance = Stance::from_two_bits(reader.bits(2)?);
        let height = if stance.has_height() { height(0, reader.signed(6)?)? } else { 0 };
        let step = if reader.bit()? { (read_step(reader)?, read_step(reader)?) } else { (0, 0) };
        take(Record { placement: Placement { entity_id, i, j, facing, stance, height }, step });
    }
    Ok(())
}

fn read_step(reader: &mut BitReader<'_>) -> Result<i16, StreamError> {
    let step = reader.signed(4)?;
    if step.abs() > I_LAST { Err(StreamError::Malformed) } else { Ok(step as i16) }
}
