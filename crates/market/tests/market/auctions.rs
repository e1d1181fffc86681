//! Auctions.
