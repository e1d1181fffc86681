//! The books: who owns how much of what, and every posting that made it so.
//!
//! [`post`] books a [`ledger::Posting`] inside a transaction of the caller, who adds what else must happen with it (a
//! title, an order): all or nothing. It takes the balances it touches by guarded updates in one order everywhere, so
//! it belongs in [`store::Store::locked`]. [`open_for`] welcomes a new player, [`verify`] proves the books.
//!
//! It never changes or removes a posting: a mistake is corrected by another posting.

mod books;
mod routes;
mod verify;

use ledger::Amount;
use store::Migration;

pub use books::{Money, PostError, Posted, balance, deed_holders, money, open_for, post};
pub use routes::{BalanceView, LegView, PostingView, WalletView, routes};
pub use verify::{Fault, Report, verify};

/// What a newcomer gets: 500.00 coins.
pub const WELCOME_GRANT: Amount = Amount::try_from_minor(50_000).expect("the grant is in range");

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] =
    &[Migration { number: 2, name: "wallet", sql: include_str!("../migrations/0002_wallet.sql") }];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[books::STATEMENTS, routes::STATEMENTS, verify::STATEMENTS];
