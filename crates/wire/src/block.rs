//! One cell's bytes in a frame, the same for all who follow the cell in the same tier.
//!
//! ```text
//! head u8 · sequence u8 · cell · length · bytes (see `stream`)
//! head    bits 0-1 tier · bit 2 key · bits 3-4 depth: level of the cell less that of stream cells, halved
//!         · bits 5-7 interval, an index into 1, 2, 3, 4, 6, 10, 20, 40 sends
//! cell    the upper (2 · level + 11) / 8 bytes of the id, the highest first; the others are 0
//! length  seven bits a byte, the lowest first; 128 is added to every byte but the last; at most three
//! ```

use crate::stream::{BlockOrder, DEPTH_MAX, Tier};
use cell::CellId;

/// How many sends may lie between two blocks of a cell.
pub const INTERVALS: [u8; 8] = [1, 2, 3, 4, 6, 10, 20, 40];

/// One cell's bytes in a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// The cell.
    pub cell: CellId,
    /// The tier in which the reader follows it.
    pub tier: Tier,
    /// Sends from one block of the cell in this tier to the next, if there is something to say: one of [`INTERVALS`].
    pub interval: u8,
    /// Which of its stream's blocks it is.
    pub order: BlockOrder,
    /// To be read by [`crate::stream::CellStream::apply`].
    pub bytes: &'a [u8],
}

/// Why bytes are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It ends too early.
    #[error("a block ends too early")]
    TooShort,
    /// An unknown tier or depth.
    #[error("a block begins with {0:#x}")]
    Head(u8),
    /// A cell id that is none, or of another level than the head says.
    #[error("a block is of {0:#x}, which is no cell of its level")]
    Cell(u64),
    /// Longer than three bytes can say, or said in more than are needed.
    #[error("a block's length is out of bounds")]
    Length,
}

const LENGTH_BYTES_MAX: usize = 3;

/// Bytes of an id of this level that are not 0: three bits of the face, two for each level and the mark at the end.
const fn id_bytes(level: u8) -> usize {
    (2 * level as usize + 11) / 8
}

impl<'a> Block<'a> {
    /// How often its cell was divided; `level` is that of stream cells.
    pub fn depth(&self, level: u8) -> u8 {
        (self.cell.level() - level) / 2
    }

    /// How many bytes it has in a frame.
    pub fn byte_count(&self) -> usize {
        let length_bytes = match self.bytes.len() {
            0..128 => 1,
            128..16_384 => 2,
            _ => LENGTH_BYTES_MAX,
        };
        2 + id_bytes(self.cell.level()) + length_bytes + self.bytes.len()
    }

    /// Appends the block with its head; the result can be shared by every frame that holds it.
    pub fn append_to(&self, level: u8, bytes: &mut Vec<u8>) {
        let interval = INTERVALS.iter().position(|interval| *interval == self.interval);
        let interval = interval.expect("intervals are taken from the list") as u8;
        let is_key = u8::from(self.order.is_key);
        bytes.push(self.tier as u8 | is_key << 2 | self.depth(level) << 3 | interval << 5);
        bytes.push(self.order.sequence);
        bytes.extend(&self.cell.raw().to_be_bytes()[..id_bytes(self.cell.level())]);
        let mut length = self.bytes.len();
        assert!(length < 1 << (7 * LENGTH_BYTES_MAX), "a block is far shorter than 2 MiB");
        while length > 127 {
            bytes.push(length as u8 | 128);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend(self.bytes);
    }

    /// The first block and what follows it.
    pub fn split(level: u8, bytes: &'a [u8]) -> Result<(Self, &'a [u8]), BlockError> {
        let ([head, sequence], rest) = bytes.split_first_chunk().ok_or(BlockError::TooShort)?;
        let (tier, depth) = (usize::from(head & 3), head >> 3 & 3);
        let tier =
            Tier::ALL.get(tier).copied().filter(|_| depth <= DEPTH_MAX).ok_or(BlockError::Head(*head))?;
        let cell_level = level + 2 * depth;
        if cell_level > cell::MAX_LEVEL {
            return Err(BlockError::Head(*head));
        }
        let (id, mut rest) = rest.split_at_checked(id_bytes(cell_level)).ok_or(BlockError::TooShort)?;
        let mut raw = [0; 8];
        raw[..id.len()].copy_from_slice(id);
        let raw = u64::from_be_bytes(raw);
        let cell = CellId::try_from_raw(raw).filter(|cell| cell.level() == cell_level);
        let cell = cell.ok_or(BlockError::Cell(raw))?;
        let mut length = 0;
        for at in 0.. {
            let (byte, after) = rest.split_first().ok_or(BlockError::TooShort)?;
            rest = after;
            length |= usize::from(byte & 127) << (7 * at);
            if *byte < 128 {
                if *byte == 0 && at > 0 {
                    return Err(BlockError::Length);
                }
                break;
            }
            if at + 1 == LENGTH_BYTES_MAX {
                return Err(BlockError::Length);
            }
        }
        let (bytes, rest) = rest.split_at_checked(length).ok_or(BlockError::TooShort)?;
        let order = BlockOrder { is_key: head >> 2 & 1 == 1, sequence: *sequence };
        Ok((Self { cell, tier, interval: INTERVALS[usize::from(head >> 5)], order, bytes }, rest))
    }
}
