//! Where counts are kept.

use std::pin::Pin;
use std::time::Duration;

use crate::Limit;

/// What a bucket answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// One was taken.
    Granted {
        /// How many are left.
        remaining: u32,
        /// How long until it is full, if nobody takes more.
        full_in: Duration,
    },
    /// There was none.
    Refused {
        /// How long until there is one.
        one_in: Duration,
    },
}

/// What comes of asking for one.
pub type Taking<'a> = Pin<Box<dyn Future<Output = Level> + Send + 'a>>;

/// One bucket for each limit and key, of which each begins full. Takes are atomic.
///
/// There is no error: an implementation whose store is away decides in its own process until the store is back, so
/// that neither a planet stands still because of its limits nor its limits are off because of a store.
pub trait Buckets: Send + Sync {
    /// Takes one out of the bucket of `key`, if there is one. Of a limit without a policy everything is granted.
    fn take<'a>(&'a self, limit: Limit, key: &'a str) -> Taking<'a>;
}
