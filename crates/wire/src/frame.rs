//! A frame: what one client is sent at each send.
//!
//! ```text
//! tick u32 · flags u8 · level u8 · last_input_seq u32
//! own body: position 3 × f64 · [velocity 3 × f64] · facing 3 × f32 · mode u8
//! [dropped count u16 · dropped cells, u64 each]
//! blocks, to the end (see `block`)
//! ```
//!
//! Little-endian. Flags: 1 restart, 2 cells are dropped, 4 the own body's velocity is 0 and left out. `level` is that of
//! the planet's stream cells. A frame may come in parts: frames of one tick with disjoint blocks.

use crate::block::{Block, BlockError};
use crate::reader::{Reader, TooShort};
use crate::{CELL_LEVEL_MAX, Kind};
use cell::CellId;
use glam::{DVec3, Vec3};
use motion::{Body, Mode};

/// The most cells a frame may drop, and the most blocks it may have.
pub const FRAME_CELLS_MAX: usize = 1_024;

const FLAG_RESTART: u8 = 1;
const FLAG_DROPS: u8 = 2;
const FLAG_AT_REST: u8 = 4;

/// The part of a frame that is only for its reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameHead {
    /// The tick after which it was taken.
    pub tick: u32,
    /// The reader must forget every cell first: frames before this one were dropped.
    pub is_restart: bool,
    /// Level of the planet's stream cells; those that a crowded one is divided into are deeper.
    pub level: u8,
    /// Number of the last input applied to the reader's body.
    pub last_input_seq: u32,
    /// The reader's body after that input. Position and velocity are exact; the facing is rounded to `f32`.
    pub own: Body,
}

/// A frame, taken apart down to its blocks.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame<'a> {
    /// The reader's own part.
    pub head: FrameHead,
    /// Cells the reader no longer watches.
    pub dropped: Vec<CellId>,
    /// Cells in which something changed.
    pub blocks: Vec<Block<'a>>,
}

/// Why a payload is no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It ends too early.
    #[error(transparent)]
    TooShort(#[from] TooShort),
    /// Unknown flags.
    #[error("unknown flags {0:#x}")]
    Flags(u8),
    /// The own body is not one.
    #[error("the own body has an unknown mode or a number that is not finite")]
    OwnBody,
    /// A level that stream cells cannot have.
    #[error("stream cells cannot have level {0}")]
    Level(u8),
    /// A cell id that is none.
    #[error("{0:#x} is not a cell")]
    Cell(u64),
    /// More than [`FRAME_CELLS_MAX`].
    #[error("{0} cells, at most {FRAME_CELLS_MAX} are allowed")]
    TooManyCells(usize),
    /// A block that is none.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// The first byte is another kind's.
    #[error("the message is no frame")]
    OtherKind,
}

impl FrameHead {
    /// Appends the head and the cells that are dropped; blocks may follow.
    pub fn append_to(&self, dropped: &[CellId], bytes: &mut Vec<u8>) {
        assert!(dropped.len() <= FRAME_CELLS_MAX, "an interest set is smaller");
        let is_at_rest = self.own.velocity == DVec3::ZERO;
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let flags = flag(FLAG_RESTART, self.is_restart)
            | flag(FLAG_DROPS, !dropped.is_empty())
            | flag(FLAG_AT_REST, is_at_rest);
        bytes.extend(self.tick.to_le_bytes());
        bytes.extend([flags, self.level]);
        bytes.extend(self.last_input_seq.to_le_bytes());
        let velocity = if is_at_rest { &[][..] } else { &self.own.velocity.to_array() };
        for number in self.own.position.to_array().iter().chain(velocity) {
            bytes.extend(number.to_le_bytes());
        }
        for number in self.own.facing.as_vec3().to_array() {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(self.own.mode as u8);
        if !dropped.is_empty() {
            bytes.extend((dropped.len() as u16).to_le_bytes());
            for cell in dropped {
                bytes.extend(cell.raw().to_le_bytes());
            }
        }
    }

    /// Reads no more than the head of a whole message, kind byte included.
    pub fn peek(message: &[u8]) -> Result<Self, FrameError> {
        match message.split_first() {
            Some((kind, payload)) if *kind == Kind::Frame as u8 => {
                Self::parse(&mut Reader(payload)).map(|(head, _)| head)
            }
            _ => Err(FrameError::OtherKind),
        }
    }

    fn parse(reader: &mut Reader<'_>) -> Result<(Self, Vec<CellId>), FrameError> {
        let tick = reader.u32()?;
        let flags = reader.u8()?;
        if flags & !(FLAG_RESTART | FLAG_DROPS | FLAG_AT_REST) != 0 {
            return Err(FrameError::Flags(flags));
        }
        let level = reader.u8()?;
        if level > CELL_LEVEL_MAX {
            return Err(FrameError::Level(level));
        }
        let last_input_seq = reader.u32()?;
        let position = DVec3::new(reader.f64()?, reader.f64()?, reader.f64()?);
        let is_at_rest = flags & FLAG_AT_REST != 0;
        let velocity =
            if is_at_rest { DVec3::ZERO } else { DVec3::new(reader.f64()?, reader.f64()?, reader.f64()?) };
        let facing = Vec3::new(reader.f32()?, reader.f32()?, reader.f32()?).as_dvec3();
        let mode = Mode::try_from_u8(reader.u8()?).ok_or(FrameError::OwnBody)?;
        if !(position.is_finite() && velocity.is_finite() && facing.is_finite()) {
            return Err(FrameError::OwnBody);
        }
        let own = Body { position, velocity, facing, mode };
        let dropped = if flags & FLAG_DROPS != 0 { parse_dropped(reader)? } else { vec![] };
        Ok((Self { tick, is_restart: flags & FLAG_RESTART != 0, level, last_input_seq, own }, dropped))
    }
}

fn parse_dropped(reader: &mut Reader<'_>) -> Result<Vec<CellId>, FrameError> {
    let count = usize::from(reader.u16()?);
    if count > FRAME_CELLS_MAX {
        return Err(FrameError::TooManyCells(count));
    }
    let cell = |reader: &mut Reader<'_>| {
        let raw = reader.u64()?;
        CellId::try_from_raw(raw).ok_or(FrameError::Cell(raw))
    };
    (0..count).map(|_| cell(reader)).collect()
}

impl<'a> Frame<'a> {
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        self.head.append_to(&self.dropped, bytes);
        for block in &self.blocks {
            block.append_to(self.head.level, bytes);
        }
    }

    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, FrameError> {
        let mut reader = Reader(payload);
        let (head, dropped) = FrameHead::parse(&mut reader)?;
        let mut blocks = vec![];
        while !reader.0.is_empty() {
            if blocks.len() == FRAME_CELLS_MAX {
                return Err(FrameError::TooManyCells(FRAME_CELLS_MAX + 1));
            }
            let (block, rest) = Block::split(head.level, reader.0)?;
            blocks.push(block);
            reader.0 = rest;
        }
        Ok(Self { head, dropped, blocks })
    }
}
