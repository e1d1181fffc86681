//! Work spread over threads where the result cannot depend on how.

use std::sync::{Mutex, PoisonError};

/// Calls `work(number, chunk)` for the chunks of `length` values of a slice, each once, on so many threads.
///
/// Each chunk must be filled from its number alone, so that the bits do not depend on the threads. On WebAssembly, and
/// for one thread, all happens on the caller's.
pub(crate) fn for_chunks<T: Send>(
    threads: usize,
    values: &mut [T],
    length: usize,
    work: impl Fn(usize, &mut [T]) + Sync,
) {
    if threads <= 1 || cfg!(target_family = "wasm") {
        values.chunks_mut(length).enumerate().for_each(|(number, chunk)| work(number, chunk));
        return;
    }
    let chunks = Mutex::new(values.chunks_mut(length).enumerate());
    let next = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((number, chunk)) = next() {
                    work(number, chunk);
                }
            });
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chunk_is_visited_once_whatever_the_threads() {
        for threads in [0, 1, 2, 7] {
            let mut values = vec![0_usize; 1_003];
            for_chunks(threads, &mut values, 10, |number, chunk| {
                for (offset, value) in chunk.iter_mut().enumerate() {
                    *value += 10 * number + offset;
                }
            });
            assert!(values.iter().enumerate().all(|(index, value)| index == *value));
        }
    }
}
