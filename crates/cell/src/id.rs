//! The id itself: a place in the tree of cells and on the curve through them.

use std::fmt;

use crate::hilbert;

/// Level of the smallest cells, the leaves.
pub const MAX_LEVEL: u8 = 30;

const FACES: u8 = 6;

/// A cell of the S2 decomposition of the sphere; every value is valid.
///
/// ```text
///   63 61 60                                              0
///  +-----+--------------------------------+---+----------+
///  | face| two bits per level: child 0..3 | 1 | 0 … 0    |
///  +-----+--------------------------------+---+----------+
/// ```
///
/// Ids sort along a Hilbert curve: all descendants of a cell lie between its [`range_min`](Self::range_min) and
/// [`range_max`](Self::range_max), so a range of ids is a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(u64);

/// A cell by its face and lattice coordinates at some level, each below 2^level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FaceIj {
    /// Face of the cube, 0..=5.
    pub face: u8,
    /// Lattice column, along the u axis.
    pub i: u32,
    /// Lattice row, along the v axis.
    pub j: u32,
}

impl CellId {
    /// The cell of a raw S2 id, or `None` where the bits are no cell.
    pub const fn try_from_raw(raw: u64) -> Option<Self> {
        let lowest_bit_is_a_level_marker = raw & raw.wrapping_neg() & 0x1555_5555_5555_5555 != 0;
        if lowest_bit_is_a_level_marker && raw >> 61 < FACES as u64 { Some(Self(raw)) } else { None }
    }

    /// The S2 id.
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// The id as an SQL `bigint`: the same 64 bits. Faces 4 and 5 become negative, which keeps the ids of any one
    /// face, and so the descendants of any one cell, in order.
    pub const fn to_sql(self) -> i64 {
        self.0.cast_signed()
    }

    /// Inverse of [`to_sql`](Self::to_sql).
    pub const fn from_sql(value: i64) -> Option<Self> {
        Self::try_from_raw(value.cast_unsigned())
    }

    /// A whole face of the cube.
    ///
    /// # Panics
    /// If `face` is above 5.
    pub const fn from_face(face: u8) -> Self {
        assert!(face < FACES, "a cube has six faces");
        Self(((face as u64) << 61) | lowest_bit(0))
    }

    /// The cell at a lattice position of a level.
    ///
    /// # Panics
    /// If the face, the level or a coordinate is out of range.
    pub fn from_face_ij(position: FaceIj, level: u8) -> Self {
        let FaceIj { face, i, j } = position;
        assert!(face < FACES && level <= MAX_LEVEL, "no such face or level: {face}, {level}");
        assert!(i >> level == 0 && j >> level == 0, "({i}, {j}) is off the lattice of level {level}");
        let shift = MAX_LEVEL - level;
        Self::from_leaf_ij(face, i << shift, j << shift).parent(level)
    }

    /// The leaf at leaf coordinates, both below 2^30.
    pub(crate) fn from_leaf_ij(face: u8, i: u32, j: u32) -> Self {
        Self(hilbert::leaf_id(face, i, j))
    }

    /// Where the cell is on the lattice of its own level.
    pub fn face_ij(self) -> FaceIj {
        let (i, j) = hilbert::leaf_ij(self.0);
        let shift = MAX_LEVEL - self.level();
        FaceIj { face: self.face(), i: i >> shift, j: j >> shift }
    }

    /// 0 for a face, 30 for a leaf.
    pub const fn level(self) -> u8 {
        MAX_LEVEL - (self.0.trailing_zeros() >> 1) as u8
    }

    /// Face of the cube, 0..=5.
    pub const fn face(self) -> u8 {
        (self.0 >> 61) as u8
    }

    /// Is this one of the smallest cells?
    pub const fn is_leaf(self) -> bool {
        self.0 & 1 == 1
    }

    /// The ancestor at `level`; the cell itself at its own level.
    ///
    /// # Panics
    /// If `level` is deeper than the cell.
    #[must_use]
    pub const fn parent(self, level: u8) -> Self {
        assert!(level <= self.level(), "a parent is not deeper than its child");
        let marker = lowest_bit(level);
        Self((self.0 & marker.wrapping_neg()) | marker)
    }

    /// The four children in curve order, none of a leaf.
    pub const fn children(self) -> Option<[Self; 4]> {
        if self.is_leaf() {
            return None;
        }
        let quarter = self.marker() >> 2;
        let first = self.0 - 3 * quarter;
        Some([Self(first), Self(first + 2 * quarter), Self(first + 4 * quarter), Self(first + 6 * quarter)])
    }

    /// All descendants at `level` in curve order: 4^(`level` − own level) of them.
    ///
    /// # Panics
    /// If `level` is above the cell or deeper than the leaves.
    pub fn descendants(self, level: u8) -> impl Iterator<Item = Self> {
        assert!(self.level() <= level && level <= MAX_LEVEL, "descendants are deeper than their ancestor");
        let marker = lowest_bit(level);
        let (first, last) = (self.range_min().0 - 1 + marker, self.range_max().0 + 1 - marker);
        (0..=(last - first) / (2 * marker)).map(move |index| Self(first + 2 * marker * index))
    }

    /// Which child of its parent the ancestor at `level` (1..=own level) is, 0..=3.
    ///
    /// # Panics
    /// If `level` is 0 or deeper than the cell.
    pub const fn child_position(self, level: u8) -> u8 {
        assert!(0 < level && level <= self.level(), "only cells below a face have a position");
        ((self.0 >> (2 * (MAX_LEVEL - level) + 1)) & 3) as u8
    }

    /// Smallest leaf inside.
    #[must_use]
    pub const fn range_min(self) -> Self {
        Self(self.0 - (self.marker() - 1))
    }

    /// Largest leaf inside.
    #[must_use]
    pub const fn range_max(self) -> Self {
        Self(self.0 + (self.marker() - 1))
    }

    /// Is `other` this cell or one of its descendants?
    pub const fn contains(self, other: Self) -> bool {
        self.range_min().0 <= other.0 && other.0 <= self.range_max().0
    }

    /// Does either contain the other? Cells that only touch do not intersect.
    pub const fn intersects(self, other: Self) -> bool {
        self.contains(other) || other.contains(self)
    }

    /// The next cell of the same level along the curve, over face borders; none after the last.
    pub const fn next(self) -> Option<Self> {
        let step = self.marker() << 1;
        match self.0.checked_add(step) {
            Some(raw) => Self::try_from_raw(raw),
            None => None,
        }
    }

    /// The previous cell of the same level along the curve; none before the first.
    pub const fn prev(self) -> Option<Self> {
        match self.0.checked_sub(self.marker() << 1) {
            Some(raw) => Self::try_from_raw(raw),
            None => None,
        }
    }

    /// The bit that marks the level.
    const fn marker(self) -> u64 {
        self.0 & self.0.wrapping_neg()
    }
}

const fn lowest_bit(level: u8) -> u64 {
    1 << (2 * (MAX_LEVEL - level))
}

impl fmt::Debug for CellId {
    /// The path through the tree, as in S2: `face/child child …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.face())?;
        (1..=self.level()).try_for_each(|level| write!(f, "{}", self.child_position(level)))
    }
}
