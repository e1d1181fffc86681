//! Who did what: every decision by staff and every change of price, role or ownership, in a log that only grows.
//!
//! [`record`] and [`record_all`] write an [`Entry`] in the transaction of the act itself, so that there is never one
//! without the other.
//!
//! Nothing here changes or removes an entry, and the database refuses it too; what can be removed is the words of a
//! [`Reason`], which lie apart from the log.

mod checkpoint;
mod entry;
mod fault;
mod hex;
mod log;
pub mod merkle;
mod proof;
mod record;
mod seal;
mod verify;
mod walk;

use store::Migration;

pub use checkpoint::{
    Checkpoint, Sign, Signer, announce_key, checkpoint, checkpoints_between, last_checkpoint,
};
pub use entry::{Actor, DETAILS_BYTES_MAX, Entry, Reason};
pub use fault::Fault;
pub use log::{Logged, find, find_by_id};
pub use proof::{consistency_proof, inclusion_proof, root_at};
pub use record::{record, record_all};
pub use seal::{Head, head, seal, waiting};
pub use verify::{Report, verify};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 18, name: "audit", sql: include_str!("../migrations/0018_audit.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    checkpoint::STATEMENTS,
    log::STATEMENTS,
    proof::STATEMENTS,
    record::STATEMENTS,
    seal::STATEMENTS,
    walk::STATEMENTS,
];
