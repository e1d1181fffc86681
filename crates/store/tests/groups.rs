//! Decisions share a transaction and not a fate, on both engines.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use store::testing::for_each_engine;
use store::{Error, Group, Isolation, Migration, Store, Tx, params};

const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "tests",
    sql: "
create table notes (
  note_id bigint not null primary key,
  batch bigint not null
);
",
}];

const ADD: &str = "insert into notes (note_id, batch) values ($1, $2)";
const COUNT: &str = "select count(*), count(distinct batch) from notes";

/// Writes each note; of a negative one says so, on 13 panics.
fn write(tx: &mut Tx<'_>, notes: &[i64], batch: i64) -> Result<Vec<bool>, Error> {
    notes
        .iter()
        .map(|note| {
            assert_ne!(*note, 13, "as planned");
            Ok(*note >= 0 && tx.execute(ADD, params![*note, batch])? == 1)
        })
        .collect()
}

fn group(store: &Store, decisions_max: usize) -> Arc<Group<i64, bool>> {
    let batches = AtomicU32::new(0);
    Arc::new(Group::start(store.clone(), "tests", Isolation::Locked, decisions_max, move |tx, notes| {
        write(tx, notes, i64::from(batches.fetch_add(1, Ordering::Relaxed)))
    }))
}

async fn counts(store: &Store) -> (i64, i64) {
    store
        .read(|tx| {
            let row = tx.query_one(COUNT, params![])?;
            Ok::<_, Error>((row.get(0)?, row.get(1)?))
        })
        .await
        .expect("it can be read")
}

#[test]
fn what_waits_is_decided_together_and_each_has_its_answer() {
    for_each_engine(MIGRATIONS, async |store| {
        let group = group(&store, 40);
        let tasks: Vec<_> = (20..220)
            .map(|note| {
                let group = Arc::clone(&group);
                let note = if note % 10 == 9 { -note } else { note };
                tokio::spawn(async move { (note, group.submit(note).await) })
            })
            .collect();
        for task in tasks {
            let (note, answer) = task.await.unwrap();
            assert_eq!(answer, Ok(note >= 0), "{note}");
        }
        let (notes, batches) = counts(&store).await;
        assert_eq!(notes, 180);
        assert!((5..180).contains(&batches), "{batches} transactions");
    });
}

#[test]
fn one_that_fails_and_one_that_panics_fail_alone() {
    for_each_engine(MIGRATIONS, async |store| {
        let group = group(&store, 64);
        assert_eq!(group.submit(7).await, Ok(true));
        let tasks: Vec<_> = (0..30)
            .map(|note| {
                let group = Arc::clone(&group);
                tokio::spawn(async move { group.submit(note).await })
            })
            .collect();
        for (note, task) in tasks.into_iter().enumerate() {
            match (note, task.await) {
                (7, answer) => assert!(matches!(answer, Ok(Err(Error::Unique { .. }))), "{answer:?}"),
                (13, answer) => assert!(answer.unwrap_err().is_panic()),
                (_, answer) => assert_eq!(answer.unwrap(), Ok(true), "{note}"),
            }
        }
        assert_eq!(counts(&store).await.0, 29);
        assert_eq!(group.submit(100).await, Ok(true), "the worker lives on");
    });
}

#[test]
fn a_full_queue_refuses_and_a_closed_one_finishes_first() {
    for_each_engine(MIGRATIONS, async |store| {
        let group = Arc::new(Group::start(store.clone(), "tests", Isolation::Locked, 1, |tx, notes| {
            std::thread::sleep(Duration::from_millis(10));
            write(tx, notes, 0)
        }));
        let tasks: Vec<_> = (20..120)
            .map(|note| {
                let group = Arc::clone(&group);
                tokio::spawn(async move { group.submit(note).await })
            })
            .collect();
        let (mut made, mut refused) = (0, 0);
        for task in tasks {
            match task.await.unwrap() {
                Ok(true) => made += 1,
                Err(Error::Overloaded) => refused += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(made >= 16 && refused > 0, "{made} made, {refused} refused");
        let last = tokio::spawn({
            let group = Arc::clone(&group);
            async move { group.submit(1000).await }
        });
        while counts(&store).await.0 == made && !last.is_finished() {
            tokio::task::yield_now().await;
        }
        group.close().await;
        assert_eq!(last.await.unwrap(), Ok(true));
        assert!(matches!(group.submit(1001).await, Err(Error::Unavailable { .. })));
        assert_eq!(counts(&store).await.0, made + 1);
    });
}

#[test]
fn whoever_goes_away_before_it_begins_is_not_served() {
    for_each_engine(MIGRATIONS, async |store| {
        let group = Arc::new(Group::start(store.clone(), "tests", Isolation::Locked, 1, |tx, notes| {
            std::thread::sleep(Duration::from_millis(20));
            write(tx, notes, 0)
        }));
        let first = tokio::spawn({
            let group = Arc::clone(&group);
            async move { group.submit(1).await }
        });
        let gone = tokio::time::timeout(Duration::from_millis(1), group.submit(2)).await;
        assert_eq!(first.await.unwrap(), Ok(true));
        group.close().await;
        let (notes, _) = counts(&store).await;
        // Which of the two began first is open; the one that nobody waits for is not begun after that.
        assert!(gone.is_err() && (1..=2).contains(&notes));
    });
}

#[test]
fn a_closed_store_tells_everybody_at_once() {
    for_each_engine(MIGRATIONS, async |store| {
        let group = group(&store, 64);
        store.close().await;
        let tasks: Vec<_> = (0..20)
            .map(|note| {
                let group = Arc::clone(&group);
                tokio::spawn(async move { group.submit(note).await })
            })
            .collect();
        for task in tasks {
            assert!(matches!(task.await.unwrap(), Err(Error::Unavailable { .. })));
        }
    });
}
