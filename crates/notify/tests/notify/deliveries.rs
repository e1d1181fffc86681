//! What a receiver gets, whatever it answers and whoever dies.

use std::time::Duration;

use api::Clock as _;
use axum::http::StatusCode;
use events::{Audience, NewEvent};
use notify::{ATTEMPTS_MAX, Destinations, RETRIES_S};
use serde_json::{Value, json};
use store::testing::for_each_engine;
use uuid::Uuid;

use crate::receiver::{Receiver, Reply};
use crate::world::{ANN, BOB, NOW_US, World, migrations};

const S: i64 = 1_000_000;

/// Waits until a delivery is as it should be.
async fn until(world: &World, webhook: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let all = world.deliveries(ANN, webhook).await;
            if let Some(delivery) = all.first().filter(|it| is_so(it)) {
                return delivery.clone();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    waited.await.expect("the delivery gets there")
}

async fn until_state(world: &World, webhook: &str, state: &str) -> Value {
    until(world, webhook, |it| it["state"] == state).await
}

#[test]
fn an_event_is_delivered_once_signed_and_in_the_form_of_the_standard() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        let (webhook, secret) = world.webhook(ANN, &receiver.url, &["market.*"]).await;
        world.webhook(BOB, &receiver.url, &["*"]).await;
        let couriers =
            [world.courier(Destinations::PublicAndLoopback), world.courier(Destinations::PublicAndLoopback)];
        world.happen("market.sold", &[ANN], 7).await;
        world.happen("wallet.paid", &[ANN], 8).await;
        let got = receiver.wait_for(1).await;
        let delivery = until_state(&world, &webhook, "delivered").await;
        assert_eq!((&delivery["attempt_count"], &delivery["answer_status"]), (&json!(1), &json!(204)));
        assert!(got[0].is_signed_with(&secret));
        assert_eq!((got[0].timestamp_s, got[0].content_type.as_str()), (NOW_US / S, "application/json"));
        assert_eq!(got[0].id, delivery["message_id"].as_str().unwrap());
        let body = got[0].json();
        assert_eq!(
            (&body["type"], &body["timestamp"]),
            (&json!("market.sold"), &json!("2025-11-21T09:00:00Z"))
        );
        assert_eq!((&body["data"]["number"], &body["data"]["sequence"]), (&json!(7), &json!(1)));
        assert_eq!(body["data"]["event_id"], delivery["event_id"]);
        for courier in couriers {
            courier.stop().await;
        }
        assert_eq!(
            receiver.got().len(),
            1,
            "what is not asked for, is not for the account or was taken is not sent"
        );
    });
}

#[test]
fn what_is_not_taken_is_tried_again_by_the_schedule_under_the_same_id() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        receiver.reply([500, 302, 404, 502, 429, 400, 503, 301, 500, 500].map(Reply::status));
        let (webhook, secret) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        for attempt in 1..=ATTEMPTS_MAX as usize {
            let got = receiver.wait_for(attempt).await;
            let last = got.last().unwrap();
            assert!(last.is_signed_with(&secret), "each attempt is signed with its own time");
            assert_eq!((&last.id, &last.body), (&got[0].id, &got[0].body));
            let delivery = until(&world, &webhook, |it| it["attempt_count"] == attempt).await;
            let Some(retry_s) = RETRIES_S.get(attempt - 1) else { break };
            assert_eq!(delivery["state"], "waiting");
            let due: jiff::Timestamp = delivery["next_attempt_at"].as_str().unwrap().parse().unwrap();
            let wait_us = due.as_microsecond() - world.clock.now_us();
            assert!(
                (retry_s * S..=retry_s * S * 6 / 5).contains(&wait_us),
                "attempt {attempt}: {wait_us} µs"
            );
            // One that fails all the time is left alone for up to an hour, which is less than all later steps.
            world.clock.advance_us(wait_us.max(3_600 * S * 6 / 5));
        }
        let delivery = until_state(&world, &webhook, "failed").await;
        assert_eq!((&delivery["attempt_count"], &delivery["answer_status"]), (&json!(10), &json!(500)));
        // Its owner is told, and asks once more.
        let (_, notices) = world.ask(ANN, "GET", "/notices", None).await;
        let kinds: Vec<&str> =
            notices["items"].as_array().unwrap().iter().filter_map(|it| it["kind"].as_str()).collect();
        assert!(kinds.contains(&"market.sold"), "{kinds:?}");
        let path =
            format!("/webhooks/{webhook}/deliveries/{}/replay", delivery["delivery_id"].as_str().unwrap());
        world.clock.advance_us(2 * 3_600 * S);
        assert_eq!(world.ask(ANN, "POST", &path, None).await.0, StatusCode::ACCEPTED);
        let got = receiver.wait_for(11).await;
        assert_eq!(got[10].id, got[0].id);
        until_state(&world, &webhook, "delivered").await;
        courier.stop().await;
    });
}

#[test]
fn who_asks_to_wait_is_left_alone_so_long() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        receiver.reply([Reply::status(429).with("retry-after", "600")]);
        let (webhook, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        until(&world, &webhook, |it| it["attempt_count"] == 1).await;
        // Other deliveries wait with it.
        world.happen("market.sold", &[ANN], 2).await;
        world.clock.advance_us(599 * S);
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        assert_eq!(receiver.got().len(), 1);
        world.clock.advance_us(122 * S);
        receiver.wait_for(3).await;
        courier.stop().await;
    });
}

#[test]
fn who_is_gone_is_sent_nothing_more() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        receiver.reply([Reply::status(410)]);
        let (webhook, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        until_state(&world, &webhook, "failed").await;
        let view = world.webhook_view(ANN, &webhook).await;
        assert_eq!((&view["is_enabled"], &view["disabled_reason"]), (&json!(false), &json!("gone")));
        let told = async {
            loop {
                let (_, notices) = world.ask(ANN, "GET", "/notices", None).await;
                if notices["items"][0]["kind"] == "webhook.disabled" {
                    return notices["items"][0]["data"]["reason"].clone();
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let reason = tokio::time::timeout(Duration::from_secs(20), told).await.expect("its owner is told");
        assert_eq!(reason, "gone");
        courier.stop().await;
        assert_eq!(receiver.got().len(), 1);
    });
}

#[test]
fn one_at_which_nothing_succeeds_for_days_is_disabled() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        receiver.reply([Reply::status(500), Reply::status(500)]);
        let (webhook, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        until(&world, &webhook, |it| it["attempt_count"] == 1).await;
        assert!(world.webhook_view(ANN, &webhook).await["failing_since"].is_string());
        world.clock.advance_us(5 * 86_400 * S + S);
        until_state(&world, &webhook, "failed").await;
        assert_eq!(world.webhook_view(ANN, &webhook).await["disabled_reason"], "failing");
        courier.stop().await;
    });
}

#[test]
fn while_a_secret_is_changed_both_sign_and_afterwards_the_new_one_alone() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        let (webhook, old) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let path = format!("/webhooks/{webhook}/rotate");
        let first = world.ask_with_key(ANN, "POST", &path, Some(json!({ "grace_s": 3600 })), "k").await;
        let again = world.ask_with_key(ANN, "POST", &path, Some(json!({ "grace_s": 3600 })), "k").await;
        assert_eq!((first.0, &first), (StatusCode::OK, &again), "repeating it makes no third secret");
        let new = first.1["secret"].as_str().unwrap();
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        let got = receiver.wait_for(1).await;
        assert_eq!(got[0].signatures.len(), 2);
        assert!(got[0].is_signed_with(&old) && got[0].is_signed_with(new));
        until_state(&world, &webhook, "delivered").await;
        world.clock.advance_us(3_600 * S);
        world.happen("market.sold", &[ANN], 2).await;
        let got = receiver.wait_for(2).await;
        assert!(got[1].signatures.len() == 1 && got[1].is_signed_with(new));
        courier.stop().await;
        let (status, _) = world.ask(ANN, "POST", &path, Some(json!({ "grace_s": 604_801 }))).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    });
}

#[test]
fn a_delivery_under_way_when_a_process_dies_is_sent_again_under_the_same_id() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        receiver.reply([Reply { delay: Duration::from_mins(1), ..Reply::status(200) }]);
        let (webhook, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        receiver.wait_for(1).await;
        courier.stop().await;
        let next = world.courier(Destinations::PublicAndLoopback);
        let got = receiver.wait_for(2).await;
        assert_eq!(got[0].id, got[1].id);
        until_state(&world, &webhook, "delivered").await;
        next.stop().await;
        assert_eq!(receiver.got().len(), 2);
    });
}

#[test]
fn a_lease_of_a_process_that_died_ends_also_if_the_clock_is_set_back() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store.clone()).await;
        let receiver = Receiver::start().await;
        let (webhook, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        world.happen("market.sold", &[ANN], 1).await;
        world.dispatch().await;
        // Leased by somebody who is no more.
        let leased = "update webhook_endpoints set lease_id = $1, leased_until = $2";
        let until_us = NOW_US + 60 * S;
        store
            .locked(move |tx| tx.execute(leased, store::params![Uuid::from_u128(9), until_us]))
            .await
            .unwrap();
        let courier = world.courier(Destinations::PublicAndLoopback);
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert_eq!(receiver.got().len(), 0);
        world.clock.advance_us(-3_600 * S);
        // What was due is due an hour later now; a new event is due at once.
        world.happen("market.sold", &[ANN], 2).await;
        receiver.wait_for(1).await;
        world.clock.advance_us(3_600 * S);
        receiver.wait_for(2).await;
        until_state(&world, &webhook, "delivered").await;
        courier.stop().await;
    });
}

#[test]
fn this_machine_is_not_reached_unless_development_asks_for_it() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let receiver = Receiver::start().await;
        let by_name = receiver.url.replace("127.0.0.1", "localhost");
        let (by_address, _) = world.webhook(ANN, &receiver.url, &["*"]).await;
        let (by_name, _) = world.webhook(ANN, &by_name, &["*"]).await;
        // Set up under looser rules, sent under the strict ones.
        let courier = world.courier(Destinations::Public);
        world.happen("market.sold", &[ANN], 1).await;
        for webhook in [by_address, by_name] {
            let delivery = until(&world, &webhook, |it| it["attempt_count"] == 1).await;
            assert_eq!(delivery["answer_fault"], "the URL is not allowed any more");
        }
        courier.stop().await;
        assert_eq!(receiver.got().len(), 0);
    });
}

#[test]
fn one_that_is_too_far_behind_is_disabled() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let (webhook, _) = world.webhook(ANN, "https://example.com/", &["*"]).await;
        let happened = |count: usize| {
            let audience = Audience::Accounts(vec![Uuid::from_u128(ANN)]);
            vec![NewEvent { kind: "market.sold", audience, data: json!({}) }; count]
        };
        world.record(happened(1000)).await;
        while world.dispatch().await > 0 {}
        assert_eq!(world.webhook_view(ANN, &webhook).await["is_enabled"], true);
        world.record(happened(1)).await;
        world.dispatch().await;
        let view = world.webhook_view(ANN, &webhook).await;
        assert_eq!(
            (&view["is_enabled"], &view["disabled_reason"]),
            (&json!(false), &json!("too_far_behind"))
        );
    });
}

#[test]
fn a_slow_receiver_holds_up_nobody_else() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let (slow, quick) = (Receiver::start().await, Receiver::start().await);
        slow.reply([Reply { delay: Duration::from_mins(1), ..Reply::status(200) }]);
        world.webhook(ANN, &slow.url, &["*"]).await;
        world.webhook(BOB, &quick.url, &["*"]).await;
        let courier = world.courier(Destinations::PublicAndLoopback);
        world.happen("market.sold", &[ANN], 1).await;
        slow.wait_for(1).await;
        for number in 2..30 {
            world.happen("market.sold", &[BOB], number).await;
        }
        let got = quick.wait_for(28).await;
        let numbers: Vec<i64> = got.iter().filter_map(|it| it.json()["data"]["number"].as_i64()).collect();
        assert!(numbers.is_sorted() && numbers.len() == 28, "{numbers:?}");
        courier.stop().await;
    });
}
