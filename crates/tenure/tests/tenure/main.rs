//! Leases, upkeep and reclaim from the outside, with the clock moved by hand.

mod leases;
mod rounds;
mod world;

use store::testing::{for_each_engine, prepare_all};

#[test]
fn both_engines_take_every_statement() {
    for_each_engine(&world::migrations(), async |store| prepare_all(&store, tenure::STATEMENTS).await);
}
