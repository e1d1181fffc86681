//! Durable readers do their work once for each event.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use api::ManualClock;
use events::{Audience, NewEvent, Relay};
use serde_json::json;
use store::testing::for_each_engine;
use store::{Migration, Store, params};

const NOW_US: i64 = 1_700_000_000_000_000;

const WORK: &[Migration] = &[Migration {
    number: 900,
    name: "work",
    sql: "create table work (event_id uuid not null, work_number bigint not null);",
}];

fn migrations() -> Vec<Migration> {
    [events::MIGRATIONS, WORK].concat()
}

async fn happen(store: &Store, count: usize, now_us: i64) {
    let event = NewEvent { kind: "test.happened", audience: Audience::Public, data: json!({}) };
    let events = vec![event; count];
    store.locked(move |tx| events::record(tx, &events, now_us)).await.expect("they are stored");
    let relay = Relay::new(store.clone(), Arc::new(ManualClock::at(now_us)));
    relay.start().await.expect("the relay starts");
    relay.stop().await;
}

async fn work(store: &Store, tries: &Arc<AtomicU32>) -> Result<usize, store::Error> {
    let tries = Arc::clone(tries);
    events::consume(store, "worker", 7, move |tx, events| {
        for (index, event) in events.iter().enumerate() {
            tx.execute(
                "insert into work (event_id, work_number) values ($1, $2)",
                params![event.event_id, event.position],
            )?;
            // Now and then it dies in the middle of a batch.
            if index == 3 && tries.fetch_add(1, Ordering::Relaxed).is_multiple_of(3) {
                return Err(store::Error::NoRow);
            }
        }
        Ok(())
    })
    .await
}

async fn worked(store: &Store) -> Vec<i64> {
    let rows =
        store.read(|tx| tx.query("select work_number from work order by work_number", params![])).await;
    rows.expect("it can be read").iter().map(|row| row.get(0).expect("a number")).collect()
}

#[test]
fn work_is_done_once_for_each_event_though_it_fails_midway_and_several_do_it() {
    for_each_engine(&migrations(), async |store| {
        let tries = Arc::new(AtomicU32::new(0));
        // From its first call on it has a place.
        happen(&store, 5, NOW_US).await;
        assert_eq!(work(&store, &tries).await, Ok(0), "what was before it is not its business");
        for _ in 0..4 {
            happen(&store, 25, NOW_US).await;
        }
        let workers = (0..4).map(|_| {
            let (store, tries) = (store.clone(), Arc::clone(&tries));
            tokio::spawn(async move { while work(&store, &tries).await != Ok(0) {} })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await.unwrap();
        }
        assert_eq!(worked(&store).await, (6..=105).collect::<Vec<_>>());
        assert_eq!(events::position_of(&store, "worker").await, Ok(Some(105)));
    });
}

#[test]
fn events_go_after_their_time_unless_somebody_has_still_to_read_them() {
    for_each_engine(&migrations(), async |store| {
        let tries = Arc::new(AtomicU32::new(1));
        assert_eq!(work(&store, &tries).await, Ok(0));
        happen(&store, 3, NOW_US).await;
        let late = NOW_US + events::KEPT_US;
        assert_eq!(events::sweep(&store, late).await, Ok(0), "the worker has not read them");
        assert_eq!(work(&store, &tries).await, Ok(3));
        happen(&store, 2, late).await;
        assert_eq!(events::sweep(&store, late - 1).await, Ok(0), "their time has not come");
        assert_eq!(events::sweep(&store, late).await, Ok(3));
        assert_eq!(work(&store, &tries).await, Ok(2));
        let left = store.read(|tx| events::after(tx, 0, 10)).await.unwrap();
        assert_eq!(left.iter().map(|it| it.position).collect::<Vec<_>>(), [4, 5]);
    });
}
