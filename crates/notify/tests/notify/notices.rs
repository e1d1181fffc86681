//! Notices come once, to those they are for, and are read.

use axum::http::StatusCode;
use events::{Audience, NewEvent};
use serde_json::{Value, json};
use store::testing::for_each_engine;
use uuid::Uuid;

use crate::world::{ANN, BOB, NOW_US, World, migrations};

fn numbers(page: &Value) -> Vec<i64> {
    let items = page["items"].as_array().expect("items");
    items.iter().map(|it| it["data"]["number"].as_i64().expect("a number")).collect()
}

async fn notices(world: &World, account: u128, query: &str) -> Value {
    let (status, page) = world.ask(account, "GET", &format!("/notices{query}"), None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    page
}

#[test]
fn an_account_is_told_of_what_concerns_it_and_of_nothing_else() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        world.happen("market.sold", &[ANN], 1).await;
        world.happen("market.won", &[ANN, BOB], 2).await;
        world.happen("wallet.held", &[ANN], 3).await;
        let listed =
            NewEvent { kind: "market.sold", audience: Audience::Public, data: json!({ "number": 4 }) };
        world.record(vec![listed]).await;
        world.dispatch().await;
        let page = notices(&world, ANN, "").await;
        assert_eq!((numbers(&page), page["unread_count"].as_i64()), (vec![2, 1], Some(2)));
        let first = &page["items"][1];
        assert_eq!(
            (&first["kind"], &first["is_read"], &first["at"]),
            (&json!("market.sold"), &json!(false), &json!("2025-11-21T09:00:00Z"))
        );
        assert_eq!(numbers(&notices(&world, BOB, "").await), [2]);
        assert_eq!(numbers(&notices(&world, 3, "").await), Vec::<i64>::new());
    });
}

#[test]
fn a_notice_is_made_once_by_however_many_processes() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store.clone()).await;
        for round in 0..5 {
            let happened = (0..40).map(|number| NewEvent {
                kind: "market.sold",
                audience: Audience::Accounts(vec![Uuid::from_u128(ANN)]),
                data: json!({ "number": round * 40 + number }),
            });
            world.record(happened.collect()).await;
            let dispatchers = (0..4).map(|_| {
                let store = store.clone();
                tokio::spawn(async move { while notify::dispatch(&store, NOW_US).await != Ok(0) {} })
            });
            for dispatcher in dispatchers.collect::<Vec<_>>() {
                dispatcher.await.unwrap();
            }
        }
        let mut all = Vec::new();
        let mut query = "?limit=33".to_owned();
        loop {
            let page = notices(&world, ANN, &query).await;
            all.extend(numbers(&page));
            let Some(next) = page["next_cursor"].as_str() else { break };
            query = format!("?limit=33&cursor={next}");
        }
        assert!(all.iter().copied().eq((0..200).rev()), "{all:?}");
    });
}

#[test]
fn reading_one_reads_all_before_it() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        for number in 1..=4 {
            world.happen("market.outbid", &[ANN, BOB], number).await;
        }
        world.dispatch().await;
        let page = notices(&world, ANN, "").await;
        let up_to = page["items"][1]["notice_id"].clone();
        let read = |body: Value| world.ask(ANN, "POST", "/notices/read", Some(body));
        assert_eq!(read(json!({ "up_to": up_to })).await, (StatusCode::OK, json!({ "unread_count": 1 })));
        assert_eq!(numbers(&notices(&world, ANN, "?unread=true").await), [4]);
        assert_eq!(read(json!({ "up_to": up_to })).await, (StatusCode::OK, json!({ "unread_count": 1 })));
        assert_eq!(notices(&world, BOB, "").await["unread_count"], 4, "each reads for themselves");
        let (status, problem) = read(json!({ "up_to": Uuid::nil() })).await;
        assert_eq!((status, &problem["code"]), (StatusCode::NOT_FOUND, &json!("no_such_notice")));
        let (status, _) = read(json!({ "up_to": up_to, "account_id": Uuid::from_u128(BOB) })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn an_account_keeps_a_bounded_number_and_none_for_ever() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store.clone()).await;
        let happened = (0..notify::NOTICES_PER_ACCOUNT_MAX + 100).map(|number| NewEvent {
            kind: "market.outbid",
            audience: Audience::Accounts(vec![Uuid::from_u128(ANN)]),
            data: json!({ "number": number }),
        });
        world.record(happened.collect()).await;
        world.happen("market.outbid", &[BOB], 0).await;
        while world.dispatch().await > 0 {}
        assert_eq!(notices(&world, ANN, "").await["unread_count"], notify::NOTICES_PER_ACCOUNT_MAX);
        assert_eq!(notices(&world, BOB, "").await["unread_count"], 1);
        let day_us = 24 * 60 * 60 * 1_000_000;
        assert_eq!(notify::sweep(&store, NOW_US + 89 * day_us).await, Ok(0));
        assert_eq!(
            notify::sweep(&store, NOW_US + 91 * day_us).await,
            Ok(notify::NOTICES_PER_ACCOUNT_MAX as u64 + 1)
        );
    });
}
