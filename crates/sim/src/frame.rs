//! A frame on its way to the sockets: what is the watcher's own, and slices of what is shared by all.

use bytes::Bytes;
use cell::CellId;
use wire::{Block, FrameHead, Kind};

/// One frame: the bytes of the message are those of the head and then of the slices, one after the other.
///
/// All frames of a send share one buffer, and a clone copies nothing but where its slices lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    head: Head,
    shared: Bytes,
    /// Where blocks lie in `shared`.
    slices: Box<[(u32, u32)]>,
    must_arrive: bool,
}

/// The watcher's own bytes: nearly always few, and then without an allocation, as there are a hundred thousand a second.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Head {
    Short { bytes: [u8; SHORT_BYTES], length: u8 },
    Long(Bytes),
}

/// The kind, and a head without drops.
const SHORT_BYTES: usize = 1 + 71;

impl Default for Head {
    fn default() -> Self {
        Self::Short { bytes: [0; SHORT_BYTES], length: 0 }
    }
}

impl From<&[u8]> for Head {
    fn from(head: &[u8]) -> Self {
        if head.len() > SHORT_BYTES {
            return Self::Long(Bytes::copy_from_slice(head));
        }
        let mut bytes = [0; SHORT_BYTES];
        bytes[..head.len()].copy_from_slice(head);
        Self::Short { bytes, length: head.len() as u8 }
    }
}

impl std::ops::Deref for Head {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short { bytes, length } => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }
}

impl Frame {
    /// `room` is for bytes in between.
    pub(crate) fn new(
        head: &FrameHead,
        dropped: &[CellId],
        shared: &Bytes,
        slices: &[(u32, u32)],
        room: &mut Vec<u8>,
    ) -> Self {
        room.clear();
        room.push(Kind::Frame as u8);
        head.append_to(dropped, room);
        let must_arrive = head.is_restart || !dropped.is_empty();
        let shared = if slices.is_empty() { Bytes::new() } else { shared.clone() };
        Self { head: Head::from(&room[..]), shared, slices: slices.into(), must_arrive }
    }

    /// The message's bytes, piece by piece.
    pub fn slices(&self) -> impl Iterator<Item = &[u8]> {
        std::iter::once(&self.head[..]).chain(self.shared_slices())
    }

    fn shared_slices(&self) -> impl Iterator<Item = &[u8]> {
        self.slices.iter().map(|(from, to)| &self.shared[*from as usize..*to as usize])
    }

    /// How many pieces there are.
    pub fn slice_count(&self) -> usize {
        1 + self.slices.len()
    }

    /// How many bytes the message has.
    pub fn byte_count(&self) -> usize {
        self.slices().map(<[u8]>::len).sum()
    }

    /// The message in one piece: for tests, and for transports that cannot send from several.
    pub fn to_bytes(&self) -> Bytes {
        let mut message = Vec::with_capacity(self.byte_count());
        self.slices().for_each(|slice| message.extend_from_slice(slice));
        message.into()
    }

    /// Whether the reader would be left with cells that it is told of no more: such a frame belongs on a way that loses
    /// nothing. What else a lost frame held, its reader notices and asks for.
    pub fn must_arrive(&self) -> bool {
        self.must_arrive
    }

    /// The frame in whole messages of at most `bytes_max` each, unless a single block is longer; only the first must
    /// arrive, if this one must.
    pub fn pieces(&self, bytes_max: usize) -> Vec<Self> {
        let Ok(head) = FrameHead::peek(&self.head) else { return vec![self.clone()] };
        if self.byte_count() <= bytes_max {
            return vec![self.clone()];
        }
        let level = head.level;
        let rest = Self::new(&FrameHead { is_restart: false, ..head }, &[], &self.shared, &[], &mut vec![]);
        let first = self.head.clone();
        let piece = |head: Head, slices: &mut Vec<(u32, u32)>, must_arrive| {
            let slices = std::mem::take(slices).into();
            Self { head, shared: self.shared.clone(), slices, must_arrive }
        };
        let mut bytes = first.len();
        let (mut head, mut must_arrive) = (first, self.must_arrive);
        let (mut slices, mut pieces): (Vec<(u32, u32)>, Vec<Self>) = (vec![], vec![]);
        for block in self.blocks(level) {
            let length = (block.1 - block.0) as usize;
            if bytes + length > bytes_max && !slices.is_empty() {
                pieces.push(piece(std::mem::replace(&mut head, rest.head.clone()), &mut slices, must_arrive));
                must_arrive = false;
                bytes = head.len();
            }
            bytes += length;
            match slices.last_mut() {
                Some(last) if last.1 == block.0 => last.1 = block.1,
                _ => slices.push(block),
            }
        }
        pieces.push(piece(head, &mut slices, must_arrive));
        pieces
    }

    /// Where each block lies.
    fn blocks(&self, level: u8) -> impl Iterator<Item = (u32, u32)> {
        self.slices.iter().flat_map(move |(from, to)| {
            let mut at = *from;
            std::iter::from_fn(move || {
                let (_, rest) = Block::split(level, &self.shared[at as usize..*to as usize]).ok()?;
                let block = (at, to - rest.len() as u32);
                at = block.1;
                Some(block)
            })
        })
    }
}

/// Any bytes as a message, for tests of those who carry it.
impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Self { head: Head::from(&bytes[..]), ..Self::default() }
    }
}
