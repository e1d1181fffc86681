//! Coverings: the cells that together hold a region.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use thiserror::Error;

use crate::{CellId, MAX_LEVEL};

/// A covering larger than this is refused with [`TooManyCells`].
pub const COVER_CELLS_MAX: usize = 1 << 16;

/// A part of the sphere that can be covered.
pub trait Region {
    /// May the cell and the region have a point in common? True at least wherever they have one.
    fn intersects(&self, cell: CellId) -> bool;

    /// Is the whole cell inside? False wherever that is unsure.
    fn contains(&self, cell: CellId) -> bool;

    /// A few cells of any level that hold the region, to start from.
    fn seed_cells(&self) -> Vec<CellId> {
        (0..6).map(CellId::from_face).collect()
    }
}

/// The region needs more than [`COVER_CELLS_MAX`] cells at the level asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the region has more than {COVER_CELLS_MAX} cells at this level")]
pub struct TooManyCells;

/// All cells of one level that intersect a region, in curve order.
///
/// # Panics
/// If `level` is above 30.
pub fn cover_at_level(region: &impl Region, level: u8) -> Result<Vec<CellId>, TooManyCells> {
    assert!(level <= MAX_LEVEL, "the smallest cells are at level {MAX_LEVEL}");
    let mut cells = Vec::new();
    let mut open = seeds_above(region, level);
    while let Some(cell) = open.pop() {
        if !region.intersects(cell) {
            continue;
        }
        if cell.level() == level {
            cells.push(cell);
        } else {
            open.extend(cell.children().expect("a cell above the level is no leaf"));
        }
        if cells.len() > COVER_CELLS_MAX {
            return Err(TooManyCells);
        }
    }
    cells.sort_unstable();
    Ok(cells)
}

/// A covering by cells of different sizes: few large ones inside, smaller ones along the border.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverer {
    /// No cell is larger than this level.
    pub min_level: u8,
    /// No cell is smaller than this level.
    pub max_level: u8,
    /// Cells to use at most. It yields to `min_level`, and a region around an edge or a corner of the cube takes
    /// up to 6 cells whatever it says.
    pub max_cells: usize,
}

impl Coverer {
    /// Disjoint cells that hold the region, in curve order.
    ///
    /// As in S2's `RegionCoverer`: the largest cells are divided first, of equal ones those that lose most by it,
    /// as long as the number of cells allows.
    ///
    /// # Panics
    /// If the levels are not in order or above 30.
    pub fn cover(self, region: &impl Region) -> Result<Vec<CellId>, TooManyCells> {
        assert!(self.min_level <= self.max_level && self.max_level <= MAX_LEVEL, "levels out of order");
        let mut done = Vec::new();
        let mut open = BinaryHeap::new();
        for seed in seeds_above(region, self.max_level) {
            if region.intersects(seed) {
                self.add(region, seed, &mut done, &mut open);
            }
        }
        while let Some(Divisible { cell, hit_children, .. }) = open.pop() {
            let count = done.len() + open.len() + hit_children.len();
            if cell.level() < self.min_level || hit_children.len() == 1 || count <= self.max_cells {
                for child in hit_children {
                    self.add(region, child, &mut done, &mut open);
                }
            } else {
                done.push(cell);
            }
            if done.len() + open.len() > COVER_CELLS_MAX {
                return Err(TooManyCells);
            }
        }
        Ok(merged(done, self.min_level))
    }

    /// Puts a cell that meets the region where it belongs.
    fn add(
        self,
        region: &impl Region,
        cell: CellId,
        done: &mut Vec<CellId>,
        open: &mut BinaryHeap<Divisible>,
    ) {
        let level = cell.level();
        if level == self.max_level || level >= self.min_level && region.contains(cell) {
            done.push(cell);
            return;
        }
        let children = cell.children().expect("a cell above the deepest level is no leaf");
        let hit_children: Vec<CellId> =
            children.into_iter().filter(|child| region.intersects(*child)).collect();
        // A region that only touches the cell may slip through between its children.
        if !hit_children.is_empty() {
            let priority = (Reverse(level), Reverse(hit_children.len()), Reverse(cell));
            open.push(Divisible { priority, cell, hit_children });
        }
    }
}

/// A cell that may still be divided; the greatest is divided next.
struct Divisible {
    priority: (Reverse<u8>, Reverse<usize>, Reverse<CellId>),
    cell: CellId,
    hit_children: Vec<CellId>,
}

impl PartialEq for Divisible {
    fn eq(&self, other: &Self) -> bool {
        self.priority == other.priority
    }
}

impl Eq for Divisible {}

impl PartialOrd for Divisible {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Divisible {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

/// The region's seed cells, none deeper than `level`, each once.
fn seeds_above(region: &impl Region, level: u8) -> Vec<CellId> {
    let mut seeds: Vec<CellId> =
        region.seed_cells().into_iter().map(|cell| cell.parent(cell.level().min(level))).collect();
    seeds.sort_unstable();
    seeds.dedup();
    seeds
}

/// Sorts, and replaces four siblings by their parent where that is not larger than allowed.
fn merged(mut cells: Vec<CellId>, min_level: u8) -> Vec<CellId> {
    cells.sort_unstable();
    let mut out: Vec<CellId> = Vec::with_capacity(cells.len());
    for cell in cells {
        out.push(cell);
        while let Some(parent) = parent_of_last_four(&out, min_level) {
            out.truncate(out.len() - 4);
            out.push(parent);
        }
    }
    out
}

fn parent_of_last_four(cells: &[CellId], min_level: u8) -> Option<CellId> {
    let last_four = cells.last_chunk::<4>()?;
    let level = last_four[0].level();
    let parent = (level > min_level).then(|| last_four[0].parent(level - 1))?;
    (parent.children().as_ref() == Some(last_four)).then_some(parent)
}
