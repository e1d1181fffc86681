//! Every statement is one that both engines take.

use store::testing::{for_each_engine, prepare_all};

#[test]
fn both_engines_take_every_statement() {
    for_each_engine(events::MIGRATIONS, async |store| prepare_all(&store, events::STATEMENTS).await);
}
