//! Whatever is changed behind the log's back is found and named, on both engines; and without taking the database's
//! guards away first nothing is changed at all.

mod support;

use audit::{Fault, MIGRATIONS};
use store::testing::for_each_engine;
use store::{Error, Store, params};
use support::{assert_sound, grow, report, sign, unguard};

/// Thirteen entries, checkpoints of 8, 11 and 13.
async fn furnish(store: &Store) {
    grow(store, 1, 8).await;
    sign(store, 1).await;
    grow(store, 9, 11).await;
    sign(store, 1).await;
    grow(store, 12, 13).await;
    sign(store, 1).await;
    assert_sound(store).await;
    let guards = unguard(store.engine());
    let outcome =
        store.locked(move |tx| guards.iter().try_for_each(|sql| tx.execute(sql, params![]).map(drop))).await;
    outcome.expect("the guards are gone");
}

/// Changes something and gives what the check says to it. Undone afterwards: the report travels out in the error.
async fn tamper(store: &Store, statements: &'static [&'static str]) -> Vec<Fault> {
    #[derive(Debug)]
    struct Found(Vec<Fault>);
    impl From<Error> for Found {
        fn from(error: Error) -> Self {
            panic!("{error}")
        }
    }
    let outcome: Result<(), Found> = store
        .locked(move |tx| {
            for sql in statements {
                let changed = tx.execute(sql, params![])?;
                assert!(changed > 0, "`{sql}` changed nothing");
            }
            Err(Found(audit::verify(tx)?.faults))
        })
        .await;
    outcome.expect_err("it is undone").0
}

const fn chain(sequence: i64) -> Fault {
    Fault::ChainBroken { sequence }
}

const fn tree(from: i64, to: i64) -> Fault {
    Fault::TreeBroken { from, to }
}

const fn differs(tree_size: i64) -> Fault {
    Fault::CheckpointDiffers { tree_size }
}

#[test]
fn each_value_of_an_entry_that_is_altered_is_found_at_its_place() {
    let altered: &[&'static [&'static str]] = &[
        &["update audit_entries set at = (select max(at) from audit_entries) where sequence = 6"],
        &[
            "update audit_entries set audit_entry_id = (select account_id from audit_reasons limit 1) where sequence = 6",
        ],
        &["update audit_entries set actor = 'system', actor_account_id = null where sequence = 6"],
        &["update audit_entries set actor_account_id = (select e.actor_account_id from audit_entries e \
           where e.sequence = 7) where sequence = 6"],
        &["update audit_entries set action = 'listing.price_Changed' where sequence = 6"],
        &["update audit_entries set subject_kind = 'land' where sequence = 6"],
        &["update audit_entries set subject_id = 'other' where sequence = 6"],
        &["update audit_entries set details = '{\"price_minor\": 6}' where sequence = 6"],
        &["update audit_entries set reason_commitment = null where sequence = 6"],
        &["update audit_entries set reason_commitment = (select e.reason_commitment from audit_entries e \
           where e.sequence = 3) where sequence = 6"],
    ];
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for statements in altered {
            let found = tamper(&store, statements).await;
            assert_eq!(found, [chain(6), tree(5, 6)], "{statements:?}");
        }
        let found = tamper(&store, &["update audit_entries set actor = 'operator' where sequence = 5"]).await;
        assert_eq!(found, [chain(5), tree(5, 6)]);
        assert_sound(&store).await;
    });
}

#[test]
fn what_is_taken_out_put_in_or_moved_is_found() {
    let cases: &[(&'static [&'static str], &[Fault])] = &[
        // The hash of one entry: it does not fit, and the next does not follow.
        (
            &["update audit_entries set hash = (select e.hash from audit_entries e where e.sequence = 2) \
               where sequence = 6"],
            &[chain(6), chain(7)],
        ),
        // One taken out, from the middle: what follows does not follow.
        (&["delete from audit_entries where sequence = 6"], &[Fault::Missing { from: 6, to: 6 }, chain(7)]),
        (
            &["delete from audit_entries where sequence between 3 and 4"],
            &[Fault::Missing { from: 3, to: 4 }, chain(5)],
        ),
        // From the end.
        (
            &["delete from audit_entries where sequence = 13"],
            &[Fault::EndWrong { sequence: 12, written: 13 }, Fault::Cut { sequence: 12, tree_size: 13 }],
        ),
        (
            &["delete from audit_entries where sequence >= 12"],
            &[
                Fault::EndWrong { sequence: 11, written: 13 },
                Fault::TreeTooLarge { from: 12 },
                Fault::Cut { sequence: 11, tree_size: 13 },
            ],
        ),
        (
            &["delete from audit_entries", "delete from audit_head", "delete from audit_nodes"],
            &[Fault::Cut { sequence: 0, tree_size: 13 }],
        ),
        // Two that changed their places.
        (
            &[
                "update audit_entries set sequence = 99 where sequence = 5",
                "update audit_entries set sequence = 5 where sequence = 6",
                "update audit_entries set sequence = 6 where sequence = 99",
            ],
            &[chain(5), chain(6), tree(5, 6), chain(7)],
        ),
        // One put in at the end, with whatever hash.
        (
            &[
                "insert into audit_entries select 14, (select account_id from audit_reasons limit 1), at, actor, \
               actor_account_id, action, subject_kind, subject_id, details, reason_commitment, hash \
               from audit_entries where sequence = 13",
            ],
            &[chain(14), tree(13, 14), Fault::EndWrong { sequence: 14, written: 13 }],
        ),
        // The tree.
        (
            &["update audit_nodes set hash = (select hash from audit_entries where sequence = 1) \
               where level = 1 and node_index = 2"],
            &[tree(5, 6), tree(5, 8)],
        ),
        (&["delete from audit_nodes where level = 3"], &[tree(1, 8)]),
        (
            &[
                "insert into audit_nodes (level, node_index, hash) select 2, 3, hash from audit_nodes where level = 3",
            ],
            &[Fault::TreeTooLarge { from: 14 }],
        ),
        // The end.
        (&["update audit_head set sequence = 11"], &[Fault::EndWrong { sequence: 13, written: 11 }]),
        (
            &["update audit_head set hash = (select hash from audit_entries where sequence = 1)"],
            &[Fault::EndWrong { sequence: 13, written: 13 }],
        ),
        (&["delete from audit_head"], &[Fault::EndWrong { sequence: 13, written: 0 }]),
        // Checkpoints.
        (
            &["update audit_checkpoints set root = chain_hash where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 11 }],
        ),
        (
            &["update audit_checkpoints set chain_hash = root where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 11 }],
        ),
        (
            &["update audit_checkpoints set tree_size = 10 where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 10 }],
        ),
        (
            &["update audit_checkpoints set at = (select max(at) from audit_entries) where tree_size = 8"],
            &[Fault::CheckpointForged { tree_size: 8 }],
        ),
        (
            &["update audit_checkpoints set log_id = (select account_id from audit_reasons limit 1) \
               where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 11 }],
        ),
        (
            &["update audit_checkpoints set public_key = root where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 11 }],
        ),
        (
            &["update audit_checkpoints set signature = (select c.signature from audit_checkpoints c \
               where c.tree_size = 8) where tree_size = 11"],
            &[Fault::CheckpointForged { tree_size: 11 }],
        ),
    ];
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        for (statements, expected) in cases {
            assert_eq!(tamper(&store, statements).await, *expected, "{statements:?}");
        }
        assert_sound(&store).await;
    });
}

/// Somebody who has the database, and even the program, makes the log anew without entry 6 so that all of it fits: the
/// checkpoints that were signed, in the database or kept elsewhere, say otherwise.
#[test]
fn a_log_made_anew_contradicts_what_was_signed() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        let kept = report(&store).await.checkpoint.expect("there is one");
        let outcome: Result<_, Error> = store
            .locked(|tx| {
                for sql in [
                    "insert into audit_waiting select audit_entry_id, at, actor, actor_account_id, action, \
                     subject_kind, subject_id, details, reason_commitment from audit_entries where sequence <> 6",
                    "delete from audit_entries",
                    "delete from audit_nodes",
                    "delete from audit_head",
                ] {
                    tx.execute(sql, params![])?;
                }
                assert_eq!(audit::seal(tx, 100)?, 12);
                Ok(audit::verify(tx)?.faults)
            })
            .await;
        assert_eq!(outcome.unwrap(), [differs(8), differs(11), Fault::Cut { sequence: 12, tree_size: 13 }]);
        // Without them, only who kept one can tell.
        let without = store.locked(|tx| tx.execute("delete from audit_checkpoints", params![])).await;
        assert_eq!(without, Ok(3));
        assert_sound(&store).await;
        grow(&store, 14, 14).await;
        let compare = move |tx: &mut store::Tx<'_>| {
            let report = audit::verify(tx)?;
            audit::heads::compare(tx, &report, &[kept])
        };
        assert_eq!(store.read(compare).await.unwrap(), [differs(13)]);
    });
}

/// Signed anew with a key of their own.
#[test]
fn a_key_that_the_log_does_not_tell_of_is_found() {
    for_each_engine(MIGRATIONS, async |store| {
        furnish(&store).await;
        grow(&store, 14, 14).await;
        sign(&store, 2).await;
        assert_eq!(report(&store).await.faults, [Fault::CheckpointForeign { tree_size: 14 }]);
    });
}

#[test]
fn the_database_itself_refuses_to_change_the_log() {
    let refused = [
        "update audit_waiting set details = '{}'",
        "update audit_entries set details = '{}'",
        "delete from audit_entries",
        "update audit_nodes set hash = hash",
        "delete from audit_nodes",
        "update audit_checkpoints set at = at",
        "delete from audit_checkpoints",
        "update audit_reasons set sealed = sealed",
    ];
    for_each_engine(MIGRATIONS, async |store| {
        grow(&store, 1, 3).await;
        sign(&store, 1).await;
        let waiting = support::entry(4);
        store.locked(move |tx| audit::record(tx, &waiting)).await.unwrap();
        for sql in refused {
            let outcome = store.locked(move |tx| tx.execute(sql, params![])).await;
            let Err(Error::Statement { detail }) = outcome else { panic!("{sql}: {outcome:?}") };
            assert!(detail.contains("refuses to be changed"), "{sql}: {detail}");
        }
        assert_sound(&store).await;
    });
}
