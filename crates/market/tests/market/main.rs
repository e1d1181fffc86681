//! The market on both engines, over HTTP and with the clock in hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod auctions;
mod clocks;
mod crash;
mod document;
mod listings;
mod model;
mod offers;
mod on_record;
mod promises;
mod search;
mod simulator;
mod world;

use store::testing::{for_each_engine, prepare_all};

#[test]
fn every_statement_is_understood() {
    for_each_engine(&world::migrations(), async |store| prepare_all(&store, market::STATEMENTS).await);
}
