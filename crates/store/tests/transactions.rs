//! What a transaction promises, on both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::testing::for_each_engine;
use store::{Error, Migration, Store, params};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "tests",
    sql: "
create table purses (
  purse_id bigint not null primary key,
  coins bigint not null,
  constraint purses_not_negative check (coins >= 0)
);
create table coats (
  coat_id uuid not null primary key,
  purse_id bigint not null references purses (purse_id),
  label text,
  constraint coats_label_key unique (label)
);
insert into purses (purse_id, coins) values (1, 100), (2, 100);
",
}];

store::statements! {
    COINS = "select coins from purses where purse_id = $1";
    TOTAL = "select cast(sum(coins) as bigint) from purses";
    SET = "update purses set coins = $2 where purse_id = $1";
    ADD = "update purses set coins = coins + $2 where purse_id = $1 and coins + $2 >= 0";
    NEW = "insert into purses (purse_id, coins) values ($1, $2)";
    NEW_COAT = "insert into coats (coat_id, purse_id, label) values ($1, $2, $3)";
    ALL = "select purse_id from purses";
}

fn check<F, Fut>(test: F)
where
    F: Fn(Store) -> Fut,
    Fut: Future<Output = ()>,
{
    for_each_engine(MIGRATIONS, test);
}

async fn coins(store: &Store, purse: i64) -> i64 {
    store.read(move |tx| tx.query_one(COINS, params![purse])?.get(0)).await.expect("the purse exists")
}

#[test]
fn every_statement_is_understood() {
    check(async |store| store::testing::prepare_all(&store, &[STATEMENTS]).await);
}

#[test]
fn an_error_undoes_all_and_ok_keeps_all() {
    check(async |store| {
        let undone: Result<(), Error> = store
            .serializable(|tx| {
                tx.execute(SET, params![1, 7])?;
                Err(Error::NoRow)
            })
            .await;
        assert_eq!((undone, coins(&store, 1).await), (Err(Error::NoRow), 100));
        store.locked(|tx| tx.execute(SET, params![1, 7])).await.unwrap();
        assert_eq!(coins(&store, 1).await, 7);
    });
}

#[test]
fn the_database_guards_and_says_what_it_guards() {
    check(async |store| {
        let run = async |sql, params: &'static [store::Value]| {
            store.locked(move |tx| tx.execute(sql, params)).await.unwrap_err()
        };
        let leak = |it: &[store::Value]| -> &'static [store::Value] { it.to_vec().leak() };
        assert!(
            matches!(run(NEW, leak(params![1, 0])).await, Error::Unique { table, .. } if table == "purses")
        );
        assert_eq!(
            run(SET, leak(params![1, -1])).await,
            Error::Check { constraint: "purses_not_negative".to_owned() }
        );
        let nobody = run(NEW_COAT, leak(params![[7u8; 16], 99, "red"])).await;
        assert!(matches!(nobody, Error::ForeignKey { .. }), "{nobody:?}");
        assert_eq!(
            run(NEW, leak(params![3, None::<i64>])).await,
            Error::NotNull { column: "coins".to_owned() }
        );
        assert!(matches!(run("selekt 1", &[]).await, Error::Statement { .. }));
    });
}

#[test]
fn parameters_are_counted_and_bound_by_number() {
    check(async |store| {
        let given = |given: usize| Error::Parameters { expected: 2, given };
        let short = store.locked(|tx| tx.execute(SET, params![1])).await;
        assert_eq!(short, Err(given(1)));
        let long = store.locked(|tx| tx.execute(SET, params![1, 2, 3])).await;
        assert_eq!(long, Err(given(3)));
        let out_of_order = store
            .read(|tx| {
                tx.query_one(
                    "select cast($2 as bigint) - cast($1 as bigint), cast($2 as bigint)",
                    params![1, 10],
                )
            })
            .await
            .unwrap();
        assert_eq!((out_of_order.get(0), out_of_order.get(1)), (Ok(9i64), Ok(10i64)));
        for bad in [store::Value::Text("a\0b".to_owned()), store::Value::Real(f64::NAN)] {
            let refused =
                store.locked(move |tx| tx.execute(NEW_COAT, params![[1u8; 16], 1, bad.clone()])).await;
            assert_eq!(refused, Err(Error::NotPortable));
        }
    });
}

#[test]
fn after_a_failed_statement_nothing_is_kept_even_if_the_body_goes_on() {
    check(async |store| {
        let outcome = store
            .serializable(|tx| {
                tx.execute(SET, params![2, 5])?;
                let failed = tx.execute(NEW, params![1, 0]);
                assert!(matches!(failed, Err(Error::Unique { .. })));
                assert_eq!(tx.execute(SET, params![2, 6]), Err(Error::Abandoned));
                Ok(())
            })
            .await;
        assert_eq!((outcome, coins(&store, 2).await), (Err(Error::Abandoned), 100));
    });
}

#[test]
fn a_panic_is_undone_and_reaches_the_caller() {
    check(async |store| {
        let inside = store.clone();
        let task = tokio::spawn(async move {
            inside
                .serializable(|tx| -> Result<(), Error> {
                    tx.execute(SET, params![1, 7])?;
                    panic!("as planned")
                })
                .await
        });
        let panic = task.await.unwrap_err().into_panic();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"as planned"));
        assert_eq!(coins(&store, 1).await, 100);
    });
}

#[test]
fn reading_does_not_write() {
    check(async |store| {
        let refused = store.read(|tx| tx.execute(SET, params![1, 7])).await;
        assert!(refused.is_err());
        assert_eq!(coins(&store, 1).await, 100);
    });
}

#[test]
fn one_row_means_one_row() {
    check(async |store| {
        let many = store.read(|tx| tx.query_one(ALL, params![])).await;
        assert_eq!(many, Err(Error::ManyRows));
        let none = store.read(|tx| tx.query_one(COINS, params![99])).await;
        assert_eq!(none, Err(Error::NoRow));
        let text = store.read(|tx| tx.query_one(COINS, params![1])?.get::<String>(0)).await;
        assert_eq!(text, Err(Error::Column { column: 0, expected: "text", found: "integer" }));
    });
}

/// Each reads both purses and takes from one if both together allow it: the classic that snapshots alone let pass.
#[test]
fn serializable_bodies_never_decide_on_what_another_changed() {
    check(async |store| {
        let runs = Arc::new(AtomicU32::new(0));
        let mut tasks = Vec::new();
        for n in 0..40 {
            let (store, runs) = (store.clone(), Arc::clone(&runs));
            tasks.push(tokio::spawn(async move {
                store
                    .serializable(move |tx| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        let total: i64 = tx.query_one(TOTAL, params![])?.get(0)?;
                        if total < 150 {
                            return Ok(());
                        }
                        let purse = 1 + n % 2;
                        let coins: i64 = tx.query_one(COINS, params![purse])?.get(0)?;
                        tx.execute(SET, params![purse, coins - 10])?;
                        Ok::<_, Error>(())
                    })
                    .await
            }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let total: i64 = store.read(|tx| tx.query_one(TOTAL, params![])?.get(0)).await.unwrap();
        assert_eq!(total, 140, "after {} runs", runs.load(Ordering::Relaxed));
    });
}

#[test]
fn guarded_updates_of_many_add_up() {
    check(async |store| {
        let mut tasks = Vec::new();
        for n in 0..200i64 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store
                    .locked(move |tx| {
                        // Ascending id order, whatever the direction.
                        let amount = if n % 3 == 0 { 7 } else { -3 };
                        let (first, second) = (tx.execute(ADD, params![1, amount])?, 2);
                        let changed = first + tx.execute(ADD, params![second, -amount])?;
                        if changed == 2 { Ok(()) } else { Err(Error::NoRow) }
                    })
                    .await
            }));
        }
        let mut refused = 0;
        for task in tasks {
            refused += u32::from(task.await.unwrap().is_err());
        }
        let total: i64 = store.read(|tx| tx.query_one(TOTAL, params![])?.get(0)).await.unwrap();
        assert_eq!(total, 200, "{refused} refused");
    });
}

/// Many wait for the one writer, so that they share commits; every third fails.
#[test]
fn a_shared_commit_is_not_a_shared_fate() {
    check(async |store| {
        let mut tasks = Vec::new();
        for n in 10..130i64 {
            let store = store.clone();
            tasks.push(tokio::spawn(async move {
                store
                    .locked(move |tx| {
                        tx.execute(NEW, params![n, n])?;
                        match n % 3 {
                            0 => tx.execute(NEW, params![n, n]).map(drop),
                            _ => Ok(()),
                        }
                    })
                    .await
                    .is_ok()
            }));
        }
        let mut kept = Vec::new();
        for (n, task) in (10..130i64).zip(tasks) {
            if task.await.unwrap() {
                kept.push(n);
            }
        }
        assert_eq!(kept, (10..130).filter(|n| n % 3 != 0).collect::<Vec<_>>());
        let mut there: Vec<i64> =
            store.read(|tx| tx.query(ALL, params![])?.iter().map(|row| row.get(0)).collect()).await.unwrap();
        there.retain(|n| *n >= 10);
        there.sort_unstable();
        assert_eq!(there, kept);
    });
}

#[test]
fn a_read_sees_one_snapshot() {
    check(async |store| {
        let (other, seen) = (store.clone(), Arc::new(AtomicU32::new(0)));
        let handle = tokio::runtime::Handle::current();
        let in_body = Arc::clone(&seen);
        let pair = store
            .read(move |tx| {
                let before: i64 = tx.query_one(COINS, params![1])?.get(0)?;
                handle.block_on(other.locked(|tx| tx.execute(ADD, params![1, 1])))?;
                in_body.fetch_add(1, Ordering::Relaxed);
                let after: i64 = tx.query_one(COINS, params![1])?.get(0)?;
                Ok::<_, Error>((before, after))
            })
            .await
            .unwrap();
        assert_eq!(pair, (100, 100));
        assert_eq!((seen.load(Ordering::Relaxed), coins(&store, 1).await), (1, 101));
    });
}

#[test]
fn a_closed_store_refuses() {
    check(async |store| {
        store.close().await;
        let refused = store.clone().locked(|tx| tx.execute(ADD, params![1, 1])).await;
        assert!(matches!(refused, Err(Error::Unavailable { .. })));
        assert!(store.ready().await.is_err());
    });
}

#[test]
fn a_migrated_store_is_ready() {
    check(async |store| {
        assert_eq!(store.ready().await, Ok(()));
        assert_eq!(store.ready().await, Ok(()), "and again at once");
    });
}
