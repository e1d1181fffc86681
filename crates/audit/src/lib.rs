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
pub mod heads;
mod hex;
mod keeper;
mod list;
mod log;
pub mod merkle;
mod personal;
mod proof;
mod prove;
mod reasons;
mod record;
mod routes;
mod seal;
mod verify;
mod view;
mod walk;

use store::Migration;

pub use checkpoint::{
    Checkpoint, Sign, Signer, announce_key, checkpoint, checkpoints_between, last_checkpoint,
};
pub use entry::{Actor, DETAILS_BYTES_MAX, Entry, Reason};
pub use fault::Fault;
pub use keeper::keep;
pub use list::{Filter, list};
pub use log::{Logged, find, find_by_id};
pub use personal::Personal;
pub use proof::{consistency_proof, inclusion_proof, root_at};
pub use prove::{ProveError, prove};
pub use reasons::{Open, REASON_FIELD, forget_reasons, reasons_of};
pub use record::{record, record_all};
pub use routes::{Deps, routes};
pub use seal::{Head, head, seal, waiting};
pub use verify::{Report, verify};
pub use view::{
    ActorView, CheckpointView, ConsistencyView, EntryView, ProofView, ReasonState, SubjectView,
    VerificationView,
};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 18, name: "audit", sql: include_str!("../migrations/0018_audit.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    checkpoint::STATEMENTS,
    list::STATEMENTS,
    log::STATEMENTS,
    proof::STATEMENTS,
    reasons::STATEMENTS,
    record::STATEMENTS,
    seal::STATEMENTS,
    walk::STATEMENTS,
];
