//! Who did what: every decision by staff and every change of price, role or ownership, in a log that only grows.
//!
//! [`record`] and [`record_all`] write an [`Entry`] in the transaction of the act itself, so that there is never one
//! without the other.
//!
//! Nothing here changes or removes an entry, and the database refuses it too; what can be removed is the words of a
//! [`Reason`], which lie apart from the log.

mod entry;
mod record;

use store::Migration;

pub use entry::{Actor, DETAILS_BYTES_MAX, Entry, Reason};
pub use record::{record, record_all};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 18, name: "audit", sql: include_str!("../migrations/0018_audit.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[record::STATEMENTS];
