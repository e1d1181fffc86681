//! What happens when the machine or the server lets the database down.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::testing::TestDatabase;
use store::{Error, Migration, Store, StoreConfig, params};

const MIGRATIONS: &[Migration] =
    &[Migration { number: 1, name: "notes", sql: "create table notes (note_id bigint, words text);" }];

const NOTE: &str = "insert into notes (note_id, words) values ($1, $2)";
const COUNT: &str = "select count(*) from notes";

#[tokio::test]
async fn a_full_disk_refuses_what_does_not_fit_and_keeps_the_rest() {
    let database = TestDatabase::sqlite();
    let store = database.open(MIGRATIONS).await;
    store.locked(|tx| tx.query("pragma max_page_count = 40", params![])).await.unwrap();
    // Sent at once, so that large and small ones meet in shared commits.
    let tasks: Vec<_> = (0..60i64)
        .map(|n| {
            let (store, letters) = (store.clone(), if n % 3 == 0 { 300_000 } else { 10 });
            tokio::spawn(async move {
                store.locked(move |tx| tx.execute(NOTE, params![n, "x".repeat(letters)])).await
            })
        })
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        match task.await.unwrap() {
            Ok(1) => assert!(n % 3 != 0, "note {n} is larger than the disk"),
            Err(Error::Unavailable { .. }) => assert!(n % 3 == 0, "note {n} fits"),
            other => panic!("note {n}: {other:?}"),
        }
    }
    let count: i64 = store.read(|tx| tx.query_one(COUNT, params![])?.get(0)).await.unwrap();
    assert_eq!(count, 40);
}

/// Where the child below finds its database.
const PATH: &str = "TERRANE_FAULT_TEST_PATH";

#[tokio::test]
async fn after_a_failed_write_to_the_disk_nothing_more_is_acknowledged_until_it_is_opened_anew() {
    let database = TestDatabase::sqlite();
    let StoreConfig::Sqlite { path } = database.config() else { panic!("not the embedded engine") };
    // No file may grow beyond a mebibyte: further writes fail as on a broken disk.
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$0\" --exact write_to_a_failing_disk --ignored"])
        .arg(std::env::current_exe().unwrap())
        .env(PATH, &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    let store = database.open(MIGRATIONS).await;
    let count: i64 = store.read(|tx| tx.query_one(COUNT, params![])?.get(0)).await.unwrap();
    assert_eq!(count, 1);
    store.locked(|tx| tx.execute(NOTE, params![4, "x"])).await.unwrap();
}

#[tokio::test]
#[ignore = "run by the test above, with a limit on the size of files"]
async fn write_to_a_failing_disk() {
    let Ok(path) = std::env::var(PATH) else { return };
    let store = Store::open(StoreConfig::Sqlite { path: path.into() }).await.unwrap();
    store.migrate(MIGRATIONS).await.unwrap();
    let write = async |n: i64, letters: usize| {
        store.locked(move |tx| tx.execute(NOTE, params![n, "x".repeat(letters)])).await
    };
    assert_eq!(write(1, 10).await, Ok(1));
    assert!(matches!(write(2, 1_200_000).await, Err(Error::Unavailable { .. })));
    // This one would fit.
    assert!(matches!(write(3, 10).await, Err(Error::Unavailable { .. })));
    assert!(store.ready().await.is_err());
    let count: i64 = store.read(|tx| tx.query_one(COUNT, params![])?.get(0)).await.unwrap();
    assert_eq!(count, 1, "what was acknowledged can still be read");
}

#[tokio::test]
async fn lost_connections_are_made_anew_and_an_unfinished_body_runs_again() {
    let Some(database) = TestDatabase::postgres() else { return };
    let store = database.open(MIGRATIONS).await;
    let runs = Arc::new(AtomicU32::new(0));
    let in_body = Arc::clone(&runs);
    store
        .locked(move |tx| {
            tx.execute(NOTE, params![1, "once"])?;
            if in_body.fetch_add(1, Ordering::Relaxed) == 0 {
                tx.query("select pg_terminate_backend(pg_backend_pid())", params![])?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(runs.load(Ordering::Relaxed), 2);
    store
        .locked(|tx| {
            tx.query(
                "select pg_terminate_backend(pid) from pg_stat_activity \
                 where datname = current_database() and pid <> pg_backend_pid()",
                params![],
            )
        })
        .await
        .unwrap();
    for _ in 0..20 {
        let count: i64 = store.read(|tx| tx.query_one(COUNT, params![])?.get(0)).await.unwrap();
        assert_eq!(count, 1);
    }
}

#[tokio::test]
async fn a_schema_that_changes_under_prepared_statements_does_not_show() {
    for database in TestDatabase::each() {
        let store = database.open(MIGRATIONS).await;
        let all = |store: store::Store| async move {
            store.read(|tx| tx.query("select * from notes", params![])).await.map(|rows| rows.len())
        };
        for n in 0..10i64 {
            store.locked(move |tx| tx.execute(NOTE, params![n, "x"])).await.unwrap();
            assert_eq!(all(store.clone()).await, Ok(n as usize + 1));
        }
        let wider = Migration { number: 2, name: "wider", sql: "alter table notes add column color text;" };
        store.migrate(&[MIGRATIONS[0], wider]).await.unwrap();
        for _ in 0..20 {
            assert_eq!(all(store.clone()).await, Ok(10));
        }
    }
}
