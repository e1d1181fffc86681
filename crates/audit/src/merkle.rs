//! The tree over the log: RFC 9162, section 2.1, apart from where its parts lie.
//!
//! ```text
//! leaf(d)    = SHA-256(0x00 ‖ d)
//! node(l, r) = SHA-256(0x01 ‖ l ‖ r)
//! ```
//!
//! A *whole* node stands over 2^level leaves, from leaf `index · 2^level` on; it never changes. A tree of any size is
//! a few whole nodes ([`Peaks`]), and so is each part of a proof ([`Span`]).

use sha2::{Digest as _, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// The hash of a leaf.
pub fn leaf(data: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(data).finalize().into()
}

/// The hash over two others.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The hash over whole nodes, the largest first; of nothing, the hash of nothing.
pub fn fold(nodes: &[Hash]) -> Hash {
    let mut from_right = nodes.iter().rev();
    let Some(last) = from_right.next() else { return Sha256::digest([]).into() };
    from_right.fold(*last, |right, left| node(left, &right))
}

/// Where a whole node is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct At {
    /// It stands over 2^level leaves.
    pub level: u32,
    /// How many of its level are left of it.
    pub index: u64,
}

impl At {
    /// The first leaf below it, and the one after the last.
    pub const fn leaves(self) -> (u64, u64) {
        (self.index << self.level, (self.index + 1) << self.level)
    }
}

/// Leaves of a tree that one hash stands over, from `begin` to before `end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The first.
    pub begin: u64,
    /// After the last.
    pub end: u64,
}

impl Span {
    /// The whole nodes that make it up, the largest first.
    pub fn nodes(self) -> Vec<At> {
        let (mut begin, mut nodes) = (self.begin, Vec::new());
        while begin < self.end {
            let level = begin.trailing_zeros().min((self.end - begin).ilog2());
            nodes.push(At { level, index: begin >> level });
            begin += 1 << level;
        }
        nodes
    }

    fn length(self) -> u64 {
        self.end - self.begin
    }

    /// Cut at the largest power of two below its length; it has two leaves at least.
    fn halves(self) -> (Self, Self) {
        let middle = self.begin + (1 << (self.length() - 1).ilog2());
        (Self { end: middle, ..self }, Self { begin: middle, ..self })
    }
}

/// What shows that leaf `index` is in the tree of `size` leaves: hashes from the leaf's side up.
///
/// # Panics
/// If the tree has no such leaf.
pub fn inclusion(index: u64, size: u64) -> Vec<Span> {
    assert!(index < size, "leaf {index} of {size}");
    let (mut span, mut path) = (Span { begin: 0, end: size }, Vec::new());
    while span.length() > 1 {
        let (left, right) = span.halves();
        let (next, beside) = if index < right.begin { (left, right) } else { (right, left) };
        path.push(beside);
        span = next;
    }
    path.reverse();
    path
}

/// What shows that the tree of `size` leaves begins with the one of `before`.
///
/// # Panics
/// If `before` is 0 or more than `size`.
pub fn consistency(before: u64, size: u64) -> Vec<Span> {
    assert!(0 < before && before <= size, "a tree of {before} before one of {size}");
    let (mut span, mut proof) = (Span { begin: 0, end: size }, Vec::new());
    while before < span.end {
        let (left, right) = span.halves();
        let (next, beside) = if before <= right.begin { (left, right) } else { (right, left) };
        proof.push(beside);
        span = next;
    }
    // The older tree itself is known to whoever asks.
    if span.begin > 0 {
        proof.push(span);
    }
    proof.reverse();
    proof
}

/// The root that an inclusion proof leads to; `None` if it is no proof for such a place (RFC 9162, section 2.1.3.2).
pub fn root_of_inclusion(index: u64, size: u64, leaf: &Hash, path: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut place, mut last, mut root) = (index, size - 1, *leaf);
    for beside in path {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            root = node(beside, &root);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            root = node(&root, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    (last == 0).then_some(root)
}

/// Whether a proof shows that the tree of `size` leaves begins with the one of `before` (RFC 9162, section 2.1.4.2).
pub fn is_consistent(before: (u64, &Hash), after: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((before_size, before_root), (size, root)) = (before, after);
    if before_size == 0 || before_size > size {
        return false;
    }
    if before_size == size {
        return proof.is_empty() && before_root == root;
    }
    // The older tree is a whole node of the newer one: it leads the proof itself.
    let with_root: Vec<Hash> = if before_size.is_power_of_two() {
        std::iter::once(*before_root).chain(proof.iter().copied()).collect()
    } else {
        proof.to_vec()
    };
    let Some((first, rest)) = with_root.split_first() else { return false };
    let (mut place, mut last) = (before_size - 1, size - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let (mut old, mut new) = (*first, *first);
    for beside in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            (old, new) = (node(beside, &old), node(beside, &new));
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            new = node(&new, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    last == 0 && old == *before_root && new == *root
}

/// The right edge of a tree: all that is needed to let it grow.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Peaks {
    size: u64,
    /// Whole nodes, the largest first: one for each bit of the size.
    nodes: Vec<Hash>,
}

impl Peaks {
    /// Those that were written down; `None` if they are not as many as the size asks for.
    pub fn of(size: u64, nodes: Vec<Hash>) -> Option<Self> {
        (nodes.len() == size.count_ones() as usize).then_some(Self { size, nodes })
    }

    /// Leaves so far.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whole nodes, the largest first.
    pub fn nodes(&self) -> &[Hash] {
        &self.nodes
    }

    /// The root.
    pub fn root(&self) -> Hash {
        fold(&self.nodes)
    }

    /// Adds a leaf. Each whole node above level 0 that comes to be is shown to `made`, whose answer is taken for it.
    pub fn push(&mut self, leaf: Hash, mut made: impl FnMut(At, Hash) -> Hash) {
        let (mut at, mut hash) = (At { level: 0, index: self.size }, leaf);
        while at.index & 1 == 1 {
            let left = self.nodes.pop().expect("a set bit of the size has its node");
            at = At { level: at.level + 1, index: at.index >> 1 };
            hash = made(at, node(&left, &hash));
        }
        self.nodes.push(hash);
        self.size += 1;
    }

    /// The whole nodes above level 0 that the next `count` leaves will bring.
    pub fn to_come(&self, count: u64) -> Vec<At> {
        let of_leaf =
            |leaf: u64| (1..=leaf.trailing_ones()).map(move |level| At { level, index: leaf >> level });
        (self.size..self.size + count).flat_map(of_leaf).collect()
    }
}

#[cfg(test)]
mod tests;
