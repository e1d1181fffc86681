//! A frame: what one client is sent at each send.
//!
//! ```text
//! tick u32 · flags u8 · last_input_seq u32 · own body (61 bytes)
//! dropped count u16 · dropped cells, u64 each
//! block count u16 · blocks: cell u64, length u32, bytes (see `stream`)
//! ```
//!
//! Little-endian. Own body: position 3 × f64, velocity 3 × f64, facing 3 × f32, mode u8.

use crate::reader::{Reader, TooShort};
use cell::CellId;
use glam::{DVec3, Vec3};
use motion::{Body, Mode};

/// Bytes of a frame before its lists.
pub const FRAME_HEAD_BYTES: usize = 4 + 1 + 4 + 61;
/// The most cells a frame may drop, and the most blocks it may have.
pub const FRAME_CELLS_MAX: usize = 1_024;

const FLAG_RESTART: u8 = 1;

/// The part of a frame that is only for its reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameHead {
    /// The tick after which it was taken.
    pub tick: u32,
    /// The reader must forget every cell first: frames before this one were dropped.
    pub is_restart: bool,
    /// Number of the last input applied to the reader's body.
    pub last_input_seq: u32,
    /// The reader's body after that input. Position and velocity are exact; the facing is rounded to `f32`.
    pub own: Body,
}

/// One cell's bytes in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The cell.
    pub cell: CellId,
    /// To be read by [`crate::stream::CellStream::apply`].
    pub bytes: &'a [u8],
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
    /// A cell id that is none.
    #[error("{0:#x} is not a cell")]
    Cell(u64),
    /// More than [`FRAME_CELLS_MAX`].
    #[error("{0} cells, at most {FRAME_CELLS_MAX} are allowed")]
    TooManyCells(u16),
    /// Bytes after the last block.
    #[error("{0} bytes too many")]
    TooLong(usize),
}

impl FrameHead {
    /// Appends the head's bytes.
    pub fn append_to(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.tick.to_le_bytes());
        bytes.push(if self.is_restart { FLAG_RESTART } else { 0 });
        bytes.extend(self.last_input_seq.to_le_bytes());
        for number in self.own.position.to_array().into_iter().chain(self.own.velocity.to_array()) {
            bytes.extend(number.to_le_bytes());
        }
        for number in self.own.facing.as_vec3().to_array() {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(self.own.mode as u8);
    }

    fn parse(reader: &mut Reader<'_>) -> Result<Self, FrameError> {
        let tick = reader.u32()?;
        let flags = reader.u8()?;
        if flags & !FLAG_RESTART != 0 {
            return Err(FrameError::Flags(flags));
        }
        let last_input_seq = reader.u32()?;
        let position = DVec3::new(reader.f64()?, reader.f64()?, reader.f64()?);
        let velocity = DVec3::new(reader.f64()?, reader.f64()?, reader.f64()?);
        let facing = Vec3::new(reader.f32()?, reader.f32()?, reader.f32()?).as_dvec3();
        let mode = Mode::try_from_u8(reader.u8()?).ok_or(FrameError::OwnBody)?;
        if !(position.is_finite() && velocity.is_finite() && facing.is_finite()) {
            return Err(FrameError::OwnBody);
        }
        let own = Body { position, velocity, facing, mode };
        Ok(Self { tick, is_restart: flags & FLAG_RESTART != 0, last_input_seq, own })
    }
}

/// Appends one block with its head; the result can be shared by every frame that holds it.
pub fn append_block(cell: CellId, block: &[u8], bytes: &mut Vec<u8>) {
    bytes.extend(cell.raw().to_le_bytes());
    let length = u32::try_from(block.len()).expect("a block is far shorter than 4 GiB");
    bytes.extend(length.to_le_bytes());
    bytes.extend(block);
}

impl<'a> Frame<'a> {
    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        self.head.append_to(bytes);
        bytes.extend(cell_count(self.dropped.len()).to_le_bytes());
        for cell in &self.dropped {
            bytes.extend(cell.raw().to_le_bytes());
        }
        bytes.extend(cell_count(self.blocks.len()).to_le_bytes());
        for block in &self.blocks {
            append_block(block.cell, block.bytes, bytes);
        }
    }

    pub(crate) fn parse(payload: &'a [u8]) -> Result<Self, FrameError> {
        let mut reader = Reader(payload);
        let head = FrameHead::parse(&mut reader)?;
        let dropped =
            (0..parse_count(&mut reader)?).map(|_| parse_cell(&mut reader)).collect::<Result<Vec<_>, _>>()?;
        let blocks = (0..parse_count(&mut reader)?)
            .map(|_| {
                let cell = parse_cell(&mut reader)?;
                let length = reader.u32()? as usize;
                Ok(Block { cell, bytes: reader.bytes(length)? })
            })
            .collect::<Result<Vec<_>, FrameError>>()?;
        match reader.0.len() {
            0 => Ok(Self { head, dropped, blocks }),
            extra => Err(FrameError::TooLong(extra)),
        }
    }
}

/// A list length as it stands in a frame.
pub fn cell_count(count: usize) -> u16 {
    assert!(count <= FRAME_CELLS_MAX, "an interest set is far smaller");
    count as u16
}

fn parse_count(reader: &mut Reader<'_>) -> Result<u16, FrameError> {
    let count = reader.u16()?;
    if usize::from(count) > FRAME_CELLS_MAX { Err(FrameError::TooManyCells(count)) } else { Ok(count) }
}

fn parse_cell(reader: &mut Reader<'_>) -> Result<CellId, FrameError> {
    let raw = reader.u64()?;
    CellId::try_from_raw(raw).ok_or(FrameError::Cell(raw))
}
