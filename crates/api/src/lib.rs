//! What every HTTP route shares, so that all of them answer alike.
//!
//! - [`Problem`]: the one form of every error (RFC 9457, `application/problem+json`).
//! - [`Caller`]: who asks; [`Role`], [`Permission`], [`Scope`]: what they may; [`ValidJson`], [`ValidQuery`], [`ValidPath`]: input whose faults become problems.
//! - [`idempotency`]: a decision happens once, however often its request arrives.
//! - [`Page`]: lists in pages, by cursor.
//! - [`text`]: what people may write in a name. [`Clock`]: the time, handed in.
//!
//! It decides no rule of any subject and knows no route.

mod caller;
mod client_address;
mod clock;
pub mod idempotency;
mod input;
mod page;
mod permission;
mod problem;
pub mod text;

use store::Migration;

pub use caller::{Caller, FRESH_LOGIN_S, TokenFault, TokenVerifier, Verification, Verifier};
pub use client_address::ClientAddress;
pub use clock::{Clock, ManualClock, SharedClock, SystemClock, timestamp};
pub use idempotency::IdempotencyKey;
pub use input::{ValidJson, ValidPath, ValidQuery};
pub use page::{Page, PageParams, cursor, page_limit};
pub use permission::{Permission, Role, Scope, Scopes};
pub use problem::{
    FieldFault, Problem, ProblemKind, REQUEST_ID, kinds, method_not_allowed, not_found, panicked,
    problem_layer,
};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 5, name: "idempotency", sql: include_str!("../migrations/0005_idempotency.sql") }];
