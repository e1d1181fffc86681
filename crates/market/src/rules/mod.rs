//! What is decided, apart from how it is kept.
//!
//! Every rule is a function of what is handed in: amounts are whole smallest units of one currency
//! ([`AMOUNT_MINOR_MAX`] at most), instants are microseconds of the server's clock. The same input gives the same
//! answer, so that tests compare them with slow obvious versions and a repeated decision decides the same.
//!
//! - [`english`]: ascending auction with secret maxima, a hidden reserve and a soft close;
//! - [`dutch`]: a price that falls until somebody takes it;
//! - [`sealed`]: secret bids, the highest wins and pays the second price;
//! - [`split`]: what seller, fee and tax get of a price;
//! - [`state`]: what a sale and an offer can become;
//! - [`hint`]: a fair price from comparable sales.

pub mod dutch;
pub mod english;
pub mod hint;
pub mod increment;
pub mod sealed;
pub mod split;
pub mod state;

/// The most that an amount can be: every client, JavaScript included, reads it exactly.
pub const AMOUNT_MINOR_MAX: i64 = (1 << 53) - 1;

/// Whether an auction that ends at `ends_at_us` still takes bids. The end itself is late.
pub const fn is_open_at(ends_at_us: i64, now_us: i64) -> bool {
    now_us < ends_at_us
}

/// Why a bid is not taken. If several reasons apply, the first in this order is the one given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BidRefusal {
    /// It came at the end or after it.
    #[error("the auction has ended")]
    Ended,
    /// Whoever has bid can only bid more.
    #[error("your maximum is {max_minor} already; a new one must be higher")]
    NotHigher {
        /// What the bidder is bound to.
        max_minor: i64,
    },
    /// It is too low to change anything.
    #[error("a bid must be at least {minimum_minor}")]
    BelowMinimum {
        /// The least that is taken now.
        minimum_minor: i64,
    },
}
