//! What staff see and do: people, land and market, the books, the world, the system.
//!
//! Who may call which route is the gateway's guard to decide, by the one table of permissions. Here are the rules that
//! no table can hold: nobody acts on somebody of a higher or equal role unless they are an admin ([`Rank`]), nobody
//! changes their own role, and large money acts wait for a second person ([`acts`]). Every act has a reason, happens
//! once for its `Idempotency-Key`, and is on record in the transaction in which it happens.
//!
//! It holds no rule of land, market or books: those crates do what is asked or refuse it.
//!
//! Read first: [`Staff`], `act.rs`, [`Refusal`].

mod act;
pub mod acts;
mod books;
mod borders;
mod movement;
mod notes;
mod people;
mod personal;
mod property;
mod rank;
mod reason;
mod refusal;
mod routes;
mod service;
mod system;
mod world;

use store::Migration;

pub use personal::Personal;
pub use rank::Rank;
pub use reason::{REASON_CHARS_MAX, Reason};
pub use refusal::Refusal;
pub use routes::routes;
pub use service::{Deps, Staff, System};

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 20, name: "staff", sql: include_str!("../migrations/0020_staff.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] =
    &[acts::STATEMENTS, notes::STATEMENTS, people::STATEMENTS, personal::STATEMENTS];
