//! What is known of a person: kept under a key of their own, given to them as one archive, forgotten when they ask.
//!
//! Every person has a random key. Other crates seal with it what is personal and cannot simply be overwritten
//! ([`Vault::seal`]); once the key is destroyed nobody can read that again, in whatever copy. The keys themselves are
//! in the database, wrapped by a master key that is not.
//!
//! The crate knows no table of another one and does not depend on who people are.
//!
//! Read first: [`Vault`], [`KeySource`].

mod cipher;
mod master_key;
mod rotation;
mod vault;

use store::Migration;

pub use master_key::{KeySource, MasterKey, MasterKeys};
pub use rotation::{Rotated, rotate};
pub use vault::{Vault, VaultError};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 19, name: "privacy", sql: include_str!("../migrations/0019_privacy.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[rotation::STATEMENTS, vault::STATEMENTS];

#[cfg(test)]
mod tests;
