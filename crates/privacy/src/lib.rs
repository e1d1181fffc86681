//! What is known of a person: kept under a key of their own, given to them as one archive, forgotten when they ask.
//!
//! Every person has a random key. Other crates seal with it what is personal and cannot simply be overwritten
//! ([`Vault::seal`]); once the key is destroyed nobody can read that again, in whatever copy. The keys themselves are
//! in the database, wrapped by a master key that is not.
//!
//! Whoever keeps something about persons says so by [`PersonalData`]: how it is exported, what of it must be ended by
//! the rules of the world before the person can be forgotten, and how it is erased. [`Privacy`] asks all of them, in
//! order, as work in the background that goes on where it stopped.
//!
//! The crate knows no table of another one (but that of kept answers) and does not depend on who people are.
//!
//! Read first: [`Vault`], [`PersonalData`], [`Privacy`].

mod archive;
mod cipher;
mod erasures;
mod exports;
mod list;
mod master_key;
mod own;
mod pack;
mod person;
mod rotation;
mod routes;
mod scrub;
mod service;
mod told;
mod vault;
mod worker;

use store::Migration;

pub use archive::{Archive, Form, Listing, Omission};
pub use erasures::{Erasure, ErasureState, cancel_erasure, erasure, request_erasure, signed_in};
pub use exports::{Export, ExportRefusal, exports, request_export};
pub use list::ErasureList;
pub use master_key::{KeySource, MasterKey, MasterKeys};
pub use own::Own;
pub use pack::{FORMAT, VERSION};
pub use person::{Consequence, Erased, OwnersOf, PersonalData, Settled, Stuck};
pub use rotation::{Rotated, rotate};
pub use routes::{ErasureView, ExportView, ExportsView, routes};
pub use scrub::without_names;
pub use service::{Act, Deps, LockedOut, Privacy, Recorder, Times, reapply_list};
pub use told::Told;
pub use vault::{Vault, VaultError};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 19, name: "privacy", sql: include_str!("../migrations/0019_privacy.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    erasures::STATEMENTS,
    exports::STATEMENTS,
    own::STATEMENTS,
    rotation::STATEMENTS,
    told::STATEMENTS,
    vault::STATEMENTS,
];

#[cfg(test)]
mod tests;
#[cfg(test)]
mod work_tests;
