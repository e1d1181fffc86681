//! When a reader counts as too slow.

use crate::limits::{SLOW_READER_FORGIVEN_S, SLOW_READER_S};
use std::time::Duration;

/// Since when, and how recently, frames to a reader had to be dropped.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SlowReader {
    drops: Option<Drops>,
}

#[derive(Clone, Copy, Debug)]
struct Drops {
    first: Duration,
    last: Duration,
}

impl SlowReader {
    /// Notes that frames were dropped now. True when the reader had its chance.
    pub(crate) fn note_drop(&mut self, now: Duration) -> bool {
        let forgiven = Duration::from_secs(SLOW_READER_FORGIVEN_S);
        let first = match self.drops {
            Some(drops) if now.saturating_sub(drops.last) <= forgiven => drops.first,
            _ => now,
        };
        self.drops = Some(Drops { first, last: now });
        now.saturating_sub(first) >= Duration::from_secs(SLOW_READER_S)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_again_and_again_are_too_slow_and_one_now_and_then_is_not() {
        let mut stuck = SlowReader::default();
        assert!((0..SLOW_READER_S).all(|s| !stuck.note_drop(Duration::from_secs(s))));
        assert!(stuck.note_drop(Duration::from_secs(SLOW_READER_S)));
        let mut bumpy = SlowReader::default();
        let pause = SLOW_READER_FORGIVEN_S + 1;
        assert!((0..100).all(|n| !bumpy.note_drop(Duration::from_secs(n * pause))));
    }
}
