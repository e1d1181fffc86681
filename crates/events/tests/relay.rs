//! What listeners of the relay hear, whatever writers, clocks and processes do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use api::ManualClock;
use events::{Audience, NewEvent, Relay, StoredEvent};
use serde_json::json;
use store::Store;
use store::testing::{TestDatabase, for_each_engine};
use tokio::sync::broadcast;

const NOW_US: i64 = 1_700_000_000_000_000;
const HOUR_US: i64 = 3_600_000_000;

fn event(number: u64) -> NewEvent {
    NewEvent { kind: "test.happened", audience: Audience::Public, data: json!({ "number": number }) }
}

fn number(event: &StoredEvent) -> u64 {
    event.data["number"].as_u64().expect("every test event has a number")
}

fn relay(store: &Store) -> Relay {
    Relay::new(store.clone(), Arc::new(ManualClock::at(NOW_US)))
}

async fn happen(store: &Store, number: u64, now_us: i64) {
    store.locked(move |tx| events::record(tx, &[event(number)], now_us)).await.expect("it is stored");
}

async fn hear(listener: &mut broadcast::Receiver<Arc<StoredEvent>>) -> Arc<StoredEvent> {
    tokio::time::timeout(Duration::from_secs(20), listener.recv())
        .await
        .expect("it is told")
        .expect("the listener keeps up")
}

/// Numbers and positions, as many as asked for.
async fn hear_all(listener: &mut broadcast::Receiver<Arc<StoredEvent>>, count: usize) -> Vec<(u64, i64)> {
    let mut heard = Vec::new();
    while heard.len() < count {
        let event = hear(listener).await;
        heard.push((number(&event), event.position));
    }
    heard
}

#[test]
fn each_event_is_told_once_and_in_one_order_though_transactions_commit_late_and_out_of_order() {
    const WRITERS: u64 = 24;
    const EACH: u64 = 8;
    for_each_engine(events::MIGRATIONS, async |store| {
        // Two relays stand for two processes.
        let relays = [relay(&store), relay(&store)];
        let mut listeners = relays.each_ref().map(Relay::subscribe);
        for relay in &relays {
            relay.start().await.unwrap();
        }
        let writers = (0..WRITERS).map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                for index in 0..EACH {
                    let first = (writer * EACH + index) * 2;
                    let written = store
                        .locked(move |tx| {
                            // Clocks of processes differ, and jump; the later half of a transaction takes its time.
                            let now_us = NOW_US - ((first * 7919) % 100) as i64 * HOUR_US / 50;
                            events::record(tx, &[event(first), event(first + 1)], now_us)?;
                            std::thread::sleep(Duration::from_millis((first * 31) % 13));
                            if first.is_multiple_of(5) { Err(store::Error::NoRow) } else { Ok(()) }
                        })
                        .await;
                    assert_eq!(written.is_err(), first.is_multiple_of(5));
                }
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap();
        }
        let expected: BTreeSet<u64> =
            (0..WRITERS * EACH * 2).filter(|number| (number & !1) % 5 != 0).collect();
        let [first, second] = &mut listeners;
        let heard = hear_all(first, expected.len()).await;
        assert_eq!(heard.iter().map(|(number, _)| *number).collect::<BTreeSet<_>>(), expected);
        let positions: Vec<i64> = heard.iter().map(|(_, position)| *position).collect();
        assert_eq!(positions, (1..=heard.len() as i64).collect::<Vec<_>>());
        let place = |number: u64| heard.iter().position(|it| it.0 == number);
        for number in expected.iter().filter(|it| it.is_multiple_of(2)) {
            assert!(place(*number) < place(number + 1), "those of one call keep their order");
        }
        assert_eq!(hear_all(second, heard.len()).await, heard, "every process hears the same");
        for relay in &relays {
            relay.stop().await;
        }
        assert!(first.try_recv().is_err() && second.try_recv().is_err(), "nothing is told twice");
    });
}

#[test]
fn an_event_of_a_process_that_died_before_telling_is_told_by_the_next() {
    for database in TestDatabase::each() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let store = database.open(events::MIGRATIONS).await;
            let before = relay(&store);
            let mut listener = before.subscribe();
            before.start().await.unwrap();
            happen(&store, 1, NOW_US).await;
            assert_eq!(hear_all(&mut listener, 1).await, [(1, 1)]);
            before.stop().await;
            // Committed, and then nothing: as after a kill.
            happen(&store, 2, NOW_US).await;
            store.close().await;
            drop(store);

            let store = database.open(events::MIGRATIONS).await;
            let next = relay(&store);
            let mut listener = next.subscribe();
            next.start().await.unwrap();
            happen(&store, 3, NOW_US + 1).await;
            assert_eq!(hear_all(&mut listener, 2).await, [(2, 2), (3, 3)]);
            next.stop().await;
            let missed = store.read(|tx| events::after(tx, 1, 10)).await.unwrap();
            assert_eq!(missed.iter().map(number).collect::<Vec<_>>(), [2, 3]);
            store.close().await;
        });
    }
}

#[test]
fn a_clock_set_back_hides_nothing() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let relay = relay(&store);
        let mut listener = relay.subscribe();
        relay.start().await.unwrap();
        for (number, now_us) in [(1, NOW_US), (2, NOW_US - HOUR_US), (3, NOW_US - 24 * HOUR_US), (4, NOW_US)]
        {
            happen(&store, number, now_us).await;
            relay.wake();
            assert_eq!(hear_all(&mut listener, 1).await, [(number, number as i64)]);
        }
        relay.stop().await;
    });
}

#[test]
fn what_is_stored_before_the_end_is_told_before_the_end() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let relay = relay(&store);
        let mut listener = relay.subscribe();
        relay.start().await.unwrap();
        happen(&store, 1, NOW_US).await;
        relay.stop().await;
        assert_eq!(listener.try_recv().map(|it| number(&it)), Ok(1));
    });
}

#[test]
fn an_event_comes_back_as_it_was_recorded() {
    let accounts = vec![uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2)];
    let near = cell::CellId::parse_token("4be64c3c").unwrap();
    for_each_engine(events::MIGRATIONS, async |store| {
        let relay = relay(&store);
        let mut listener = relay.subscribe();
        relay.start().await.unwrap();
        for audience in [Audience::Public, Audience::Near(near), Audience::Accounts(accounts.clone())] {
            let data = json!({ "parcel": "4be64c3c", "price_minor": 9_007_199_254_740_991_i64, "name": "a \"b\" ü" });
            let recorded = NewEvent { kind: "land.claimed", audience, data };
            let told = recorded.clone();
            store.locked(move |tx| events::record(tx, std::slice::from_ref(&told), NOW_US)).await.unwrap();
            let heard = hear(&mut listener).await;
            let StoredEvent { kind, at_us, audience, data, .. } = &*heard;
            assert_eq!((kind.as_str(), *at_us), (recorded.kind, NOW_US));
            assert_eq!((audience, data), (&recorded.audience, &recorded.data));
        }
        relay.stop().await;
    });
}
