//! The cells' streams of one phase of sends, and the blocks of its newest send.
//!
//! Each block is encoded once, with its head, into one buffer; a frame is made by copying. A cell whose bodies all left
//! says so once and is forgotten; one that gets bodies begins with a keyframe.

use cell::CellId;
use std::collections::HashMap;
use std::ops::Range;
use wire::append_block;
use wire::stream::{CellStream, Placement};

/// Every cell in which something was said since its last keyframe makes one in this many sends: once a second.
pub const KEYFRAME_SENDS: u64 = 10;

#[derive(Default)]
pub(crate) struct Streams {
    cells: HashMap<CellId, Sender>,
    /// The cells that hold bodies or have news in the newest send, in the order of cells.
    sent: Vec<Sent>,
    /// Blocks with their heads.
    buffer: Vec<u8>,
    block: Vec<u8>,
}

struct Sender {
    stream: CellStream,
    /// Something was said since the last keyframe for all.
    has_said: bool,
    /// The newest send in which it held bodies.
    send: u64,
}

struct Sent {
    cell: CellId,
    /// What followers of the cell get, in the buffer.
    news: Range<usize>,
    /// What beginners get; empty until the first of them asks.
    key: Range<usize>,
}

impl Streams {
    /// Encodes send number `send`. `runs` gives each cell with bodies, in the order of cells.
    pub(crate) fn encode<'a>(&mut self, send: u64, runs: impl Iterator<Item = (CellId, &'a [Placement])>) {
        self.sent.clear();
        self.buffer.clear();
        for (cell, placements) in runs {
            let sender = self.cells.entry(cell);
            let is_begun = matches!(sender, std::collections::hash_map::Entry::Vacant(_));
            let sender =
                sender.or_insert_with(|| Sender { stream: CellStream::new(), has_said: false, send });
            sender.send = send;
            self.block.clear();
            sender.has_said |= sender.stream.advance(placements, &mut self.block);
            if is_begun || (sender.has_said && is_keyframe_due(cell, send)) {
                self.block.clear();
                sender.stream.keyframe(&mut self.block);
                sender.has_said = false;
            }
            let news = self.append(cell);
            self.sent.push(Sent { cell, news, key: 0..0 });
        }
        self.forget_empty(send);
        self.sent.sort_unstable_by_key(|sent| sent.cell);
    }

    fn forget_empty(&mut self, send: u64) {
        let emptied: Vec<_> =
            self.cells.iter().filter(|(_, sender)| sender.send != send).map(|(cell, _)| *cell).collect();
        for cell in emptied {
            let mut sender = self.cells.remove(&cell).expect("it was just found");
            self.block.clear();
            sender.stream.advance(&[], &mut self.block);
            let news = self.append(cell);
            self.sent.push(Sent { cell, news, key: 0..0 });
        }
    }

    /// Moves the block into the buffer; an empty block is no news.
    fn append(&mut self, cell: CellId) -> Range<usize> {
        let start = self.buffer.len();
        if !self.block.is_empty() {
            append_block(cell, &self.block, &mut self.buffer);
        }
        start..self.buffer.len()
    }

    /// Appends the blocks of the newest send for `cells`, given in order and with whether they begin there, to `frame`.
    /// Gives the number of blocks.
    pub(crate) fn copy(&mut self, cells: impl Iterator<Item = (CellId, bool)>, frame: &mut Vec<u8>) -> usize {
        let mut count = 0;
        let mut at = 0;
        for (cell, is_new) in cells {
            at += self.sent[at..].partition_point(|sent| sent.cell < cell);
            if self.sent.get(at).is_none_or(|sent| sent.cell != cell) {
                continue;
            }
            let block = if is_new { self.key(at) } else { self.sent[at].news.clone() };
            if !block.is_empty() {
                frame.extend_from_slice(&self.buffer[block]);
                count += 1;
            }
        }
        count
    }

    /// The keyframe of a sent cell, made for the first who asks; empty for a cell without bodies.
    fn key(&mut self, at: usize) -> Range<usize> {
        let cell = self.sent[at].cell;
        if self.sent[at].key.is_empty()
            && let Some(sender) = self.cells.get(&cell)
        {
            self.block.clear();
            sender.stream.keyframe(&mut self.block);
            self.sent[at].key = self.append(cell);
        }
        self.sent[at].key.clone()
    }

    /// How many cells are remembered.
    #[cfg(test)]
    pub(crate) fn cell_count(&self) -> usize {
        self.cells.len()
    }
}

/// Spreads the cells' keyframes over the sends of a second.
fn is_keyframe_due(cell: CellId, send: u64) -> bool {
    let spread = (cell.raw() >> 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (send + spread).is_multiple_of(KEYFRAME_SENDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::DVec3;

    fn cell(n: u32) -> CellId {
        let face = CellId::from_point(DVec3::X).parent(14).face_ij();
        CellId::from_face_ij(cell::FaceIj { i: face.i + n, ..face }, 14)
    }

    fn bodies(count: u32) -> Vec<Placement> {
        (0..count).map(|entity_id| Placement { entity_id, ..Placement::default() }).collect()
    }

    fn copy(streams: &mut Streams, cells: &[(CellId, bool)]) -> Vec<u8> {
        let mut cells = cells.to_vec();
        cells.sort_unstable_by_key(|(cell, _)| *cell);
        let mut frame = vec![];
        streams.copy(cells.into_iter(), &mut frame);
        frame
    }

    #[test]
    fn a_cell_is_remembered_while_it_holds_bodies_and_no_longer() {
        let mut streams = Streams::default();
        for send in 0..1_000 {
            let at = cell(u32::try_from(send).unwrap());
            streams.encode(send, std::iter::once((at, &bodies(3)[..])));
            assert_eq!(streams.cell_count(), 1);
        }
        streams.encode(1_000, std::iter::empty());
        assert_eq!(streams.cell_count(), 0);
    }

    #[test]
    fn followers_share_the_news_and_beginners_the_keyframe() {
        let mut streams = Streams::default();
        let here = cell(0);
        let quiet = bodies(5);
        streams.encode(0, std::iter::once((here, &quiet[..])));
        let begun = copy(&mut streams, &[(here, false)]);
        assert_eq!(begun, copy(&mut streams, &[(here, true)]), "a new cell's news are its keyframe");
        // Nothing happens for two seconds: followers hear nothing after the keyframe, beginners all of it.
        for send in 1..2 * KEYFRAME_SENDS {
            streams.encode(send, std::iter::once((here, &quiet[..])));
            assert_eq!(copy(&mut streams, &[(here, false)]), []);
            assert!(copy(&mut streams, &[(here, true)]).len() > 20);
            let before = streams.buffer.len();
            copy(&mut streams, &[(here, true)]);
            assert_eq!(streams.buffer.len(), before, "the keyframe was made twice");
        }
    }

    #[test]
    fn a_busy_cell_makes_a_keyframe_for_all_once_a_second() {
        let mut streams = Streams::default();
        let mut keys = 0;
        for send in 1..=10 * KEYFRAME_SENDS {
            let mut crowd = bodies(5);
            crowd[0].i = send as u16;
            streams.encode(send, std::iter::once((cell(0), &crowd[..])));
            let news = copy(&mut streams, &[(cell(0), false)]);
            // After the cell's head the first bit tells a keyframe.
            keys += u64::from(news[12] & 1);
        }
        assert!((10..=11).contains(&keys), "{keys}");
    }
}
