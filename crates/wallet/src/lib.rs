//! The books: who owns how much of what, and every posting that made it so.
//!
//! [`post`] books a [`ledger::Posting`] inside a transaction of the caller, who adds what else must happen with it (a
//! title, an order): all or nothing. [`post_all`] books many, each with its own fate, in a few statements. [`hold`]
//! keeps money for something that will be paid later. All of them take the balances they touch in one order everywhere,
//! so they belong in [`store::Store::locked`]. [`open_for`] welcomes a new player, [`verify`] proves the books,
//! [`Economy`] holds the numbers that an operator may change. [`keep`] does what must be done in the background:
//! postings are sealed into a chain of hashes, holds end at their time, and the books are checked over and over.
//!
//! It never changes or removes a posting: a mistake is corrected by another posting ([`reverse`]).

mod audit;
mod balances;
mod books;
mod chain;
mod economy;
mod group;
mod holds;
mod inspect;
mod keeper;
mod personal;
mod reversal;
mod routes;
mod welcome;

use std::sync::LazyLock;

use ledger::Amount;
use store::Migration;

pub use audit::{Checked, Checker, Fault, HoldReason, Report, verify, verify_reasons};
pub use balances::{Money, available, balance, deed_holders, is_account, money, open_account, take_balances};
pub use books::{PostError, Posted, post, post_all};
pub use chain::{chain_head, seal};
pub use economy::{Currency, Economy, EconomyError, Increment, Land, Market, Reclaim, Upkeep};
pub use group::Books;
pub use holds::{
    ExpiredHold, Hold, HoldError, HoldKind, HoldRequest, HoldState, change_hold, expire_holds, find_hold,
    hold, post_hold, void_hold,
};
pub use inspect::{
    AccountFacts, Conservation, LegFacts, PostingFacts, account_facts, conservation, planet_accounts,
    posting_facts, postings_before,
};
pub use keeper::keep;
pub use personal::Personal;
pub use reversal::{ReverseError, reverse};
pub use routes::{
    Authority, BalanceView, Deps, HoldView, LegView, PostingView, StatementLine, TransferRequest,
    TransferView, WalletView, routes,
};
pub use welcome::open_for;

/// What a newcomer gets in coins.
pub static WELCOME_GRANT: LazyLock<Amount> =
    LazyLock::new(|| Economy::embedded().currency("coin").map_or(Amount::ZERO, |it| it.welcome));

/// The schema of this crate.
pub const MIGRATIONS: &[Migration] = &[
    Migration { number: 2, name: "wallet", sql: include_str!("../migrations/0002_wallet.sql") },
    Migration { number: 8, name: "books", sql: include_str!("../migrations/0008_books.sql") },
    Migration { number: 23, name: "currencies", sql: include_str!("../migrations/0023_currencies.sql") },
];

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const STATEMENTS: &[&[&str]] = &[
    balances::STATEMENTS,
    books::STATEMENTS,
    holds::STATEMENTS,
    inspect::STATEMENTS,
    personal::STATEMENTS,
    reversal::STATEMENTS,
    routes::holds::STATEMENTS,
    routes::postings::STATEMENTS,
    routes::statement::STATEMENTS,
    routes::statement_csv::STATEMENTS,
    routes::transfers::STATEMENTS,
    chain::STATEMENTS,
    audit::balances::STATEMENTS,
    audit::chain::STATEMENTS,
    audit::checker::STATEMENTS,
    audit::deeds::STATEMENTS,
    audit::postings::STATEMENTS,
    audit::reasons::STATEMENTS,
    audit::verify::STATEMENTS,
];
