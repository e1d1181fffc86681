//! What happened to a zone, as bytes: enough to make it happen again.
//!
//! A log is a row of frames; logs one after the other are a log.
//!
//! ```text
//!   u8 kind ('T' log of a tick, 'S' snapshot) | u32 length | u32 CRC-32 of kind, length and body | body
//!   body of a 'T': u8 version | number: ticks when it begins | number: records before it | records
//! ```
//!
//! Every call that changes a zone is a record, in the order of calls. A tick is one too, written when it begins: what is
//! left of a zone that broke within a tick still says what was asked of it. Every [`HASH_TICKS`] ticks the hash of the
//! state follows.

use crate::control::{put_input, read_input};
use crate::honesty::{Grant, Offence};
use crate::mover::{Mover, put_lots, read_lots};
use crate::packed::{Malformed, Reader, put_number};
use crate::zone::EntityId;
use motion::{ClosedLand, Input};
use std::borrow::Cow;

/// The state's hash is in the log every so many ticks.
pub const HASH_TICKS: u64 = 32;

const VERSION: u8 = 1;
const HEAD_BYTES: usize = 9;

/// Something that was done to a zone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Record<'a> {
    Enter {
        id: EntityId,
        mover: Cow<'a, Mover>,
    },
    TakeOut {
        id: EntityId,
    },
    Inputs {
        id: EntityId,
        first_seq: u32,
        inputs: Cow<'a, [Input]>,
    },
    RestartInputs {
        id: EntityId,
    },
    SetClosed {
        id: EntityId,
        closed: Cow<'a, ClosedLand>,
    },
    Teleport {
        id: EntityId,
        grant: Grant,
    },
    Blame {
        id: EntityId,
        offence: Offence,
    },
    /// The search for a newcomer's place goes on here.
    NextSeed(u32),
    Tick,
    Hash(u64),
}

const ENTER: u8 = 1;
const TAKE_OUT: u8 = 2;
const INPUTS: u8 = 3;
const RESTART_INPUTS: u8 = 4;
const SET_CLOSED: u8 = 5;
const SET_CLOSED_ALIKE: u8 = 6;
const TELEPORT: u8 = 7;
const BLAME: u8 = 8;
const NEXT_SEED: u8 = 9;
const TICK: u8 = 10;
const HASH: u8 = 11;

/// Writes the frame of a tick.
#[derive(Debug)]
pub(crate) struct Recorder {
    records: Vec<u8>,
    begun_at: u64,
    /// Records since the zone began: those before the frame, and those in it.
    first: u64,
    count: u64,
    /// Many are told of the same fences in a row: they are written once.
    closed: Option<ClosedLand>,
}

impl Recorder {
    /// Begins in a zone that has seen this many records.
    pub(crate) fn starting_at(first: u64) -> Self {
        Self { records: vec![], begun_at: 0, first, count: 0, closed: None }
    }

    /// Notes a record; `tick` is the zone's count of ticks before it.
    pub(crate) fn note(&mut self, tick: u64, record: &Record<'_>) {
        if self.records.is_empty() {
            self.begun_at = tick;
        }
        self.count += 1;
        let out = &mut self.records;
        let mut head = |kind: u8, id: EntityId| {
            out.push(kind);
            put_number(out, id.0.into());
        };
        match record {
            Record::Enter { id, mover } => {
                head(ENTER, *id);
                out.extend(mover.to_bytes());
            }
            Record::TakeOut { id } => head(TAKE_OUT, *id),
            Record::Inputs { id, first_seq, inputs } => {
                head(INPUTS, *id);
                put_number(out, (*first_seq).into());
                put_number(out, inputs.len() as u64);
                let mut before = None;
                for input in inputs.iter() {
                    put_input(out, *input, before);
                    before = Some(*input);
                }
            }
            Record::RestartInputs { id } => head(RESTART_INPUTS, *id),
            Record::SetClosed { id, closed } if self.closed.as_ref() == Some(closed) => {
                head(SET_CLOSED_ALIKE, *id);
            }
            Record::SetClosed { id, closed } => {
                head(SET_CLOSED, *id);
                put_lots(out, closed);
                self.closed = Some(closed.clone().into_owned());
            }
            Record::Teleport { id, grant } => {
                head(TELEPORT, *id);
                grant.put(out);
            }
            Record::Blame { id, offence } => {
                head(BLAME, *id);
                out.push(*offence as u8);
            }
            Record::NextSeed(seed) => {
                out.push(NEXT_SEED);
                put_number(out, (*seed).into());
            }
            Record::Tick => out.push(TICK),
            Record::Hash(hash) => {
                out.push(HASH);
                out.extend(hash.to_le_bytes());
            }
        }
    }

    /// The frame of everything noted since the last call; empty if that is nothing.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        if self.records.is_empty() {
            return vec![];
        }
        let mut body = Vec::with_capacity(self.records.len() + 8);
        body.push(VERSION);
        put_number(&mut body, self.begun_at);
        put_number(&mut body, self.first);
        self.first += std::mem::take(&mut self.count);
        body.append(&mut self.records);
        self.closed = None;
        framed(Kind::Tick, &body)
    }
}

/// The records of a frame of a tick.
pub(crate) struct Records<'a> {
    reader: Reader<'a>,
    closed: Option<ClosedLand>,
    /// Ticks when it begins.
    pub(crate) begun_at: u64,
    /// Records before it.
    pub(crate) first: u64,
}

impl<'a> Records<'a> {
    pub(crate) fn open(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(body);
        if reader.byte()? != VERSION {
            return Err(Malformed("a log of another version"));
        }
        let (begun_at, first) = (reader.number()?, reader.number()?);
        Ok(Self { reader, closed: None, begun_at, first })
    }

    /// The next record, none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'static>>, Malformed> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let reader = &mut self.reader;
        let kind = reader.byte()?;
        let record = match kind {
            NEXT_SEED => Record::NextSeed(reader.number_u32()?),
            TICK => Record::Tick,
            HASH => Record::Hash(reader.u64()?),
            _ => {
                let id = EntityId(reader.number_u32()?);
                self.about(kind, id)?
            }
        };
        Ok(Some(record))
    }

    fn about(&mut self, kind: u8, id: EntityId) -> Result<Record<'static>, Malformed> {
        let reader = &mut self.reader;
        Ok(match kind {
            ENTER => Record::Enter { id, mover: Cow::Owned(Mover::read_whole(reader)?) },
            TAKE_OUT => Record::TakeOut { id },
            INPUTS => {
                let first_seq = reader.number_u32()?;
                let count = reader.count(1)?;
                let mut inputs: Vec<Input> = Vec::with_capacity(count);
                for _ in 0..count {
                    let input = read_input(reader, inputs.last().copied())?;
                    inputs.push(input);
                }
                Record::Inputs { id, first_seq, inputs: inputs.into() }
            }
            RESTART_INPUTS => Record::RestartInputs { id },
            SET_CLOSED => {
                let closed = read_lots(reader)?;
                self.closed = Some(closed.clone());
                Record::SetClosed { id, closed: Cow::Owned(closed) }
            }
            SET_CLOSED_ALIKE => {
                let closed = self.closed.clone().ok_or(Malformed("fences like none"))?;
                Record::SetClosed { id, closed: Cow::Owned(closed) }
            }
            TELEPORT => Record::Teleport { id, grant: Grant::read(reader)? },
            BLAME => {
                let offence = Offence::try_from_u8(reader.byte()?);
                Record::Blame { id, offence: offence.ok_or(Malformed("an offence that is none"))? }
            }
            _ => return Err(Malformed("a record of no kind")),
        })
    }
}

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Records of a tick.
    Tick = b'T',
    /// A whole zone.
    Snapshot = b'S',
}

/// Why there is no next frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end within a frame: the rest was never written.
    #[error("the log is cut off at byte {at}")]
    Torn {
        /// Where the frame begins.
        at: usize,
    },
    /// The bytes were changed, or are no log.
    #[error("the log is damaged at byte {at}")]
    Damaged {
        /// Where the frame begins.
        at: usize,
    },
}

pub(crate) fn framed(kind: Kind, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("a zone's bodies fit into 4 GiB");
    let mut frame = Vec::with_capacity(HEAD_BYTES + body.len());
    frame.push(kind as u8);
    frame.extend(length.to_le_bytes());
    frame.extend(checksum(kind as u8, body).to_le_bytes());
    frame.extend(body);
    frame
}

fn checksum(kind: u8, body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&[kind]);
    hasher.update(&(body.len() as u64).to_le_bytes());
    hasher.update(body);
    hasher.finalize()
}

/// The frames of a log, one after the other; ends after the first error.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Frames<'a> {
    /// The frames in some bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn read(&self) -> Result<(Kind, &'a [u8]), FrameError> {
        let (torn, damaged) = (FrameError::Torn { at: self.at }, FrameError::Damaged { at: self.at });
        let rest = &self.bytes[self.at..];
        let kind = match rest[0] {
            b'T' => Kind::Tick,
            b'S' => Kind::Snapshot,
            _ => return Err(damaged),
        };
        let (head, rest) = rest.split_at_checked(HEAD_BYTES).ok_or(torn)?;
        let word = |at: usize| u32::from_le_bytes(head[at..at + 4].try_into().expect("four of nine"));
        let body = rest.get(..word(1) as usize).ok_or(torn)?;
        if checksum(head[0], body) == word(5) { Ok((kind, body)) } else { Err(damaged) }
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<(Kind, &'a [u8]), FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let frame = self.read();
        self.at = match &frame {
            Ok((_, body)) => self.at + HEAD_BYTES + body.len(),
            Err(_) => self.bytes.len(),
        };
        Some(frame)
    }
}
