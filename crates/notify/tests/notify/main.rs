//! Notices and webhooks from the outside: events go in, answers and HTTP requests come out.

mod deliveries;
mod notices;
mod receiver;
mod webhooks;
mod world;

use store::testing::{for_each_engine, prepare_all};

#[test]
fn both_engines_take_every_statement() {
    for_each_engine(&world::migrations(), async |store| prepare_all(&store, notify::STATEMENTS).await);
}
