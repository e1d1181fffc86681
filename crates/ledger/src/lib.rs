//! The rules of value.
//!
//! Everything that can be owned is an [`AssetId`]: money, and the deed of each parcel. Every change of ownership is a
//! [`Posting`]: a set of legs that sums to zero for each asset, so that nothing appears from nowhere and nothing is
//! lost. What exists was issued by an account that may: the mint for money, the land office for deeds; these alone go
//! below zero, by exactly what is in other hands.
//!
//! The crate computes; it keeps nothing, knows no time and no database. `wallet` keeps the books.
//!
//! Read first: [`Posting`], [`AccountRef::floor`], [`Amount`].

mod account;
mod amount;
mod asset;
mod posting;

pub use account::AccountRef;
pub use amount::Amount;
pub use asset::{AssetId, AssetKind, ParseAssetError};
pub use posting::{LEGS_MAX, Leg, Posting, PostingBuilder, PostingError, PostingKind};
