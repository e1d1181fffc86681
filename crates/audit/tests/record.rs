//! Entries are written with the act or not at all.

use audit::{Actor, Entry, MIGRATIONS, Reason, STATEMENTS};
use serde_json::json;
use store::testing::{for_each_engine, prepare_all};
use store::{Error, Store, params};
use uuid::Uuid;

const NOW_US: i64 = 1_763_715_600_000_000;

fn entry(n: i64) -> Entry {
    Entry {
        at_us: NOW_US + n,
        actor: Actor::account(Uuid::from_u128(7)),
        action: "listing.price_changed",
        subject_kind: "listing",
        subject_id: Uuid::from_u128(n as u128).to_string(),
        reason: None,
        details: json!({ "price_minor": n }),
    }
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    store.read(move |tx| tx.query_one(sql, params![])?.get(0)).await.expect("it can be counted")
}

const WAITING: &str = "select count(*) from audit_waiting";
const REASONS: &str = "select count(*) from audit_reasons";

#[test]
fn every_statement_is_understood() {
    for_each_engine(MIGRATIONS, async |store| prepare_all(&store, STATEMENTS).await);
}

#[test]
fn an_entry_is_there_if_the_act_is() {
    for_each_engine(MIGRATIONS, async |store| {
        let id = store.locked(|tx| audit::record(tx, &entry(1))).await.unwrap();
        assert_eq!(id.get_version_num(), 7);
        let undone: Result<(), Error> = store
            .locked(|tx| {
                audit::record(tx, &entry(2))?;
                Err(Error::NoRow)
            })
            .await;
        assert_eq!(undone, Err(Error::NoRow));
        assert_eq!(count(&store, WAITING).await, 1);
    });
}

#[test]
fn many_are_recorded_at_once_and_keep_their_order() {
    for_each_engine(MIGRATIONS, async |store| {
        let entries: Vec<Entry> = (0..500).map(|n| entry(n / 100)).collect();
        let ids = store.locked(move |tx| audit::record_all(tx, &entries)).await.unwrap();
        assert!(ids.is_sorted() && ids.len() == 500);
        assert_eq!(store.locked(|tx| audit::record_all(tx, &[])).await, Ok(vec![]));
        assert_eq!(count(&store, WAITING).await, 500);
    });
}

#[test]
fn words_lie_apart_and_what_waits_refuses_to_be_changed() {
    for_each_engine(MIGRATIONS, async |store| {
        let reason =
            Reason::sealed_by(Uuid::from_u128(9), "grief", |it| Ok::<_, Error>(it.to_vec())).unwrap();
        let with_reason = Entry { reason: Some(reason), ..entry(1) };
        store.locked(move |tx| audit::record(tx, &with_reason)).await.unwrap();
        assert_eq!((count(&store, WAITING).await, count(&store, REASONS).await), (1, 1));
        for sql in
            ["update audit_waiting set details = '{}'", "update audit_reasons set account_id = account_id"]
        {
            let outcome = store.locked(move |tx| tx.execute(sql, params![])).await;
            assert!(matches!(outcome, Err(Error::Statement { .. })), "{outcome:?}");
        }
    });
}
