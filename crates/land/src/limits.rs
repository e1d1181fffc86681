//! Limits of land that are no part of the economy.

/// Parcels that one merge takes into another.
pub const MERGED_MAX: usize = 16;
/// Gifts that may wait for one receiver.
pub const GIFTS_WAITING_MAX: i64 = 100;
/// How long a gift waits to be accepted.
pub const GIFT_TIME_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;
