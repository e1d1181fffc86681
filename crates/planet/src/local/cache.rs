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
        let hash = cell.raw().wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let index = hash as usize & (self.sets.len() - 1);
        self.sets[index].lock().unwrap_or_else(PoisonError::into_inner)
    }
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
