//! How much land, how near, how long.

/// A claimant's body is at most this far from the middle of the nearest of the lots, height aside.
pub const CLAIM_DISTANCE_MAX_M: f64 = 100.0;
/// Lots of one claim.
pub const CLAIM_CELLS_MAX: usize = 64;
/// Lots of one parcel, however it came to be.
pub const PARCEL_CELLS_MAX: usize = 1024;
/// Parcels that one merge takes into another.
pub const MERGED_MAX: usize = 16;
/// 0.10 coins a square metre.
pub(crate) const PRICE_MINOR_PER_M2: f64 = 10.0;
