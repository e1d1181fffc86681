//! Coverings: the cells that together hold a region.

use std::cmp::Reverse;
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
    let mut open: Vec<CellId> =
        region.seed_cells().into_iter().map(|cell| cell.parent(cell.level().min(level))).collect();
    open.sort_unstable();
    open.dedup();
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
    /// The largest cells are divided first, as long as the number of cells allows it.
    ///
    /// # Panics
    /// If the levels are not in order or above 30.
    pub fn cover(self, region: &impl Region) -> Result<Vec<CellId>, TooManyCells> {
        assert!(self.min_level <= self.max_level && self.max_level <= MAX_LEVEL, "levels out of order");
        let mut done = Vec::new();
        // Largest first, equal ones in curve order.
        let mut open = BinaryHeap::new();
        let mut seeds = region.seed_cells();
        seeds.iter_mut().for_each(|cell| *cell = cell.parent(cell.level().min(self.max_level)));
        seeds.sort_unstable();
        seeds.dedup();
        let add = |cell: CellId, done: &mut Vec<CellId>, open: &mut BinaryHeap<_>| {
            let is_large_enough = cell.level() >= self.min_level;
            if is_large_enough && (cell.level() == self.max_level || region.contains(cell)) {
                done.push(cell);
            } else {
                open.push((Reverse(cell.level()), Reverse(cell)));
            }
        };
        for seed in seeds.into_iter().filter(|seed| region.intersects(*seed)) {
            add(seed, &mut done, &mut open);
        }
        while let Some((Reverse(level), Reverse(cell))) = open.pop() {
            let children = cell.children().expect("an open cell is above the deepest level");
            let hit: Vec<CellId> = children.into_iter().filter(|child| region.intersects(*child)).collect();
            let count = done.len() + open.len() + hit.len();
            if level < self.min_level || hit.len() <= 1 || count <= self.max_cells {
                hit.into_iter().for_each(|child| add(child, &mut done, &mut open));
            } else {
                done.push(cell);
            }
            if count > COVER_CELLS_MAX {
                return Err(TooManyCells);
            }
        }
        Ok(merged(done, self.min_level))
    }
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
