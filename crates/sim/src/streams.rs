//! The cells' streams of one phase of sends, and the blocks of its newest send.
//!
//! Each block is encoded once, with its head, into one buffer; a frame is made by copying. A cell whose bodies all left
//! says so once and is forgotten; one that gets bodies begins with a keyframe.

use cell::CellId;
use std::collections::HashMap;
use std::ops::Range;
use wire::Block;
use wire::stream::{BlockOrder, CellStream, Placed, Tier};

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
    pub(crate) fn encode<'a>(&mut self, send: u64, runs: impl Iterator<Item = (CellId, &'a [Placed])>) {
        self.sent.clear();
        self.buffer.clear();
        for (cell, placements) in runs {
            let sender = self.cells.entry(cell);
            let is_begun = matches!(sender, std::collections::hash_map::Entry::Vacant(_));
            let sender = sender.or_insert_with(|| Sender {
                stream: CellStream::sender(cell, 0),
                has_said: false,
                send,
            });
            sender.send = send;
            self.block.clear();
            let has_news = sender.stream.advance(placements, 0, |_| false, &mut self.block);
            sender.has_said |= has_news;
            let is_key = is_begun || (sender.has_said && is_keyframe_due(cell, send));
            if is_key {
                self.block.clear();
                sender.stream.keyframe(&mut self.block);
                sender.has_said = false;
            }
            let order = BlockOrder { is_key, sequence: sender.stream.sequence() };
            let news = self.append(cell, has_news || is_key, order);
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
            let has_news = sender.stream.advance(&[], 0, |_| true, &mut self.block);
            let order = BlockOrder { is_key: false, sequence: sender.stream.sequence() };
            let news = self.append(cell, has_news, order);
            self.sent.push(Sent { cell, news, key: 0..0 });
        }
    }

    /// Moves the block into the buffer.
    fn append(&mut self, cell: CellId, is_said: bool, order: BlockOrder) -> Range<usize> {
        let start = self.buffer.len();
        if is_said {
            let block = Block { cell, tier: Tier::Near, interval: 1, order, bytes: &self.block };
            block.append_to(cell.level(), &mut self.buffer);
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
            let order = BlockOrder { is_key: true, sequence: sender.stream.sequence() };
            self.sent[at].key = self.append(cell, true, order);
        }
        self.sent[at].key.clone()
    }
}

/// Spreads the cells' keyframes over the sends of a second.
fn is_keyframe_due(cell: CellId, send: u64) -> bool {
    let spread = (cell.raw() >> 8).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (send + spread).is_multiple_of(KEYFRAME_SENDS)
}
