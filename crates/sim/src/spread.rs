//! Work that may be spread over threads: this crate starts none.

/// Does the same to each of many things, in any order and on as many threads as it likes. Whatever it does, the result
/// is the same: no piece of work sees what another one does.
pub trait Spread {
    /// Calls `work` once for each of `items`, and returns when all is done.
    fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync);
}

/// All of it on the thread that asks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Spread for Alone {
    fn for_each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        items.iter_mut().for_each(work);
    }
}
