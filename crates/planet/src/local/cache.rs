//! A cache of fixed size: as many sets as a power of two, a few entries each, the oldest replaced first.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cell::CellId;

/// Entries of a set.
const WAYS: usize = 8;

#[derive(Debug)]
pub(crate) struct Cache<T> {
    sets: Vec<Mutex<Set<T>>>,
}

#[derive(Debug)]
struct Set<T> {
    entries: [Option<Entry<T>>; WAYS],
    oldest: usize,
}

#[derive(Debug)]
struct Entry<T> {
    cell: CellId,
    /// What was made while tiles were missing is good as long as the raster stays as it was.
    revision: Option<u64>,
    value: Arc<T>,
}

impl<T> Cache<T> {
    /// A cache of at least this many entries.
    pub(crate) fn new(entries: usize) -> Self {
        let sets = entries.div_ceil(WAYS).next_power_of_two();
        let empty = || Mutex::new(Set { entries: std::array::from_fn(|_| None), oldest: 0 });
        Self { sets: (0..sets).map(|_| empty()).collect() }
    }

    /// The entry of a cell, made if it is not there, and whether all it needed was there when it was made, as `make`
    /// says; if not, the entry is forgotten when the raster's `revision` has changed.
    ///
    /// Two threads that miss at once both make it; it is the same.
    pub(crate) fn get(
        &self,
        cell: CellId,
        revision: u64,
        make: impl FnOnce() -> (T, bool),
    ) -> (Arc<T>, bool) {
        if let Some(found) = self.set(cell).find(cell, revision) {
            return found;
        }
        let (value, is_complete) = make();
        let value = Arc::new(value);
        let revision = (!is_complete).then_some(revision);
        self.set(cell).put(Entry { cell, revision, value: Arc::clone(&value) });
        (value, is_complete)
    }

    fn set(&self, cell: CellId) -> MutexGuard<'_, Set<T>> {
        let index = set_of(cell, self.sets.len());
        self.sets[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The set of a cell. The low bits of a coarse cell's id are all zero, and so are its product's: the high bits count.
fn set_of(cell: CellId, sets: usize) -> usize {
    let hash = cell.raw().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    ((hash * sets as u64) >> 32) as usize
}

impl<T> Set<T> {
    fn find(&self, cell: CellId, revision: u64) -> Option<(Arc<T>, bool)> {
        let is_good = |entry: &&Entry<T>| {
            entry.cell == cell && entry.revision.is_none_or(|made_at| made_at == revision)
        };
        let entry = self.entries.iter().flatten().find(is_good)?;
        Some((Arc::clone(&entry.value), entry.revision.is_none()))
    }

    fn put(&mut self, entry: Entry<T>) {
        let same = self.entries.iter().position(|old| old.as_ref().is_some_and(|old| old.cell == entry.cell));
        let slot = same.unwrap_or(self.oldest);
        self.entries[slot] = Some(entry);
        if same.is_none() {
            self.oldest = (self.oldest + 1) % WAYS;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_every_level_use_all_sets() {
        for level in 3..=30 {
            let first = CellId::from_face(2).range_min().parent(level);
            let cells = std::iter::successors(Some(first), |cell| cell.next()).take(384);
            let used: std::collections::BTreeSet<usize> = cells.map(|cell| set_of(cell, 64)).collect();
            assert!(used.len() > 40, "level {level}: {} of 64", used.len());
        }
    }

    #[test]
    fn what_was_made_without_a_tile_is_made_again_when_tiles_have_come() {
        let cache = Cache::new(8);
        let cell = CellId::from_face(1);
        assert_eq!(cache.get(cell, 0, || (1, false)), (Arc::new(1), false));
        assert_eq!(cache.get(cell, 0, || (2, true)), (Arc::new(1), false));
        assert_eq!(cache.get(cell, 1, || (3, true)), (Arc::new(3), true));
        assert_eq!(cache.get(cell, 2, || (4, true)), (Arc::new(3), true));
    }

    #[test]
    fn the_oldest_entry_of_a_full_set_gives_way() {
        let cache = Cache::new(WAYS);
        let cells: Vec<CellId> = CellId::from_face(0).descendants(2).take(WAYS + 1).collect();
        for cell in &cells {
            cache.get(*cell, 0, || (cell.raw(), true));
        }
        assert_eq!(*cache.get(cells[WAYS], 0, || (0, true)).0, cells[WAYS].raw());
        assert_eq!(*cache.get(cells[0], 0, || (0, true)).0, 0, "it was the first in");
    }
}
