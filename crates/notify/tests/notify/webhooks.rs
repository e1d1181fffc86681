//! Setting webhooks up, changing them, and what is refused.

use axum::http::StatusCode;
use serde_json::{Value, json};
use store::testing::for_each_engine;

use crate::world::{ANN, BOB, World, migrations};

const URL: &str = "https://example.com/hook";

#[test]
fn a_webhook_is_its_owners_alone_and_its_secret_is_shown_once() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let (webhook, secret) = world.webhook(ANN, URL, &["market.*"]).await;
        assert!(secret.starts_with("whsec_"));
        let view = world.webhook_view(ANN, &webhook).await;
        assert_eq!(
            (&view["url"], &view["kinds"], &view["is_enabled"]),
            (&json!(URL), &json!(["market.*"]), &json!(true))
        );
        assert!(!view.to_string().contains("whsec_"));
        let (_, of_bob) = world.ask(BOB, "GET", "/webhooks", None).await;
        assert_eq!(of_bob, json!({ "items": [] }));
        for (method, path, body) in [
            ("PATCH", String::new(), Some(json!({ "is_enabled": false }))),
            ("DELETE", String::new(), None),
            ("POST", "/test".into(), None),
            ("POST", "/rotate".into(), Some(json!({}))),
            ("GET", "/deliveries".into(), None),
            ("POST", format!("/deliveries/{webhook}/replay"), None),
        ] {
            let (status, problem) = world.ask(BOB, method, &format!("/webhooks/{webhook}{path}"), body).await;
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::NOT_FOUND, &json!("no_such_webhook")),
                "{method} {path}"
            );
        }
        let (status, _) = world.ask(ANN, "DELETE", &format!("/webhooks/{webhook}"), None).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        let (status, _) = world.ask(ANN, "DELETE", &format!("/webhooks/{webhook}"), None).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn the_same_key_sets_up_one_webhook_with_one_secret() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let body = json!({ "url": URL, "kinds": ["*"] });
        let first = world.ask_with_key(ANN, "POST", "/webhooks", Some(body.clone()), "k").await;
        let again = world.ask_with_key(ANN, "POST", "/webhooks", Some(body), "k").await;
        assert_eq!(first, again);
        let other = json!({ "url": URL, "kinds": ["market.*"] });
        let (status, problem) = world.ask_with_key(ANN, "POST", "/webhooks", Some(other), "k").await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
        );
        let (_, list) = world.ask(ANN, "GET", "/webhooks", None).await;
        assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    });
}

#[test]
fn what_cannot_be_a_webhook_is_refused_with_a_pointer() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let cases: [(Value, &str); 9] = [
            (json!({ "url": "http://example.com/", "kinds": ["*"] }), "#/url"),
            (json!({ "url": "https://169.254.169.254/", "kinds": ["*"] }), "#/url"),
            (json!({ "url": "https://ann:b@example.com/", "kinds": ["*"] }), "#/url"),
            (json!({ "url": "javascript:alert(1)", "kinds": ["*"] }), "#/url"),
            (json!({ "url": URL, "kinds": [] }), "#/kinds"),
            (json!({ "url": URL, "kinds": ["Market.Sold!"] }), "#/kinds"),
            (json!({ "url": URL, "kinds": vec!["a"; 21] }), "#/kinds"),
            (json!({ "url": URL, "kinds": ["*"], "description": "a\u{202e}b" }), "#/description"),
            (json!({ "url": URL, "kinds": ["*"], "account_id": "x" }), "#/account_id"),
        ];
        for (body, pointer) in cases {
            let (status, problem) = world.ask(ANN, "POST", "/webhooks", Some(body.clone())).await;
            assert_eq!(
                (status, &problem["code"]),
                (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_body")),
                "{body}"
            );
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
        }
    });
}

#[test]
fn an_account_has_a_bounded_number_of_webhooks_even_if_it_asks_for_all_at_once() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let asked = (0..10).map(|_| {
            let body = json!({ "url": URL, "kinds": ["*"] });
            world.ask(ANN, "POST", "/webhooks", Some(body))
        });
        let mut made = 0;
        for (status, problem) in join_all(asked).await {
            match status {
                StatusCode::CREATED => made += 1,
                _ => assert_eq!(
                    (status, &problem["code"]),
                    (StatusCode::CONFLICT, &json!("too_many_webhooks"))
                ),
            }
        }
        assert_eq!(made, notify::ENDPOINTS_PER_ACCOUNT_MAX);
        world.webhook(BOB, URL, &["*"]).await;
    });
}

/// All at once.
async fn join_all<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut pending: Vec<_> = futures.map(|it| (Box::pin(it), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in &mut pending {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if pending.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    pending.into_iter().filter_map(|(_, done)| done).collect()
}

#[test]
fn a_webhook_can_be_changed_and_switched_off_and_on() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let (webhook, _) = world.webhook(ANN, URL, &["market.*"]).await;
        let path = format!("/webhooks/{webhook}");
        world.happen("market.sold", &[ANN], 1).await;
        world.dispatch().await;
        assert_eq!(world.deliveries(ANN, &webhook).await[0]["state"], "waiting");
        let off = json!({ "is_enabled": false, "kinds": ["rent.due"], "description": "Accounting" });
        let (status, view) = world.ask(ANN, "PATCH", &path, Some(off)).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!((&view["is_enabled"], &view["disabled_reason"]), (&json!(false), &json!("by_owner")));
        assert_eq!((&view["kinds"], &view["description"]), (&json!(["rent.due"]), &json!("Accounting")));
        assert_eq!(world.deliveries(ANN, &webhook).await[0]["state"], "failed", "what waited is given up");
        let (status, problem) = world.ask(ANN, "POST", &format!("{path}/test"), None).await;
        assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("webhook_disabled")));
        world.happen("rent.due", &[ANN], 2).await;
        world.dispatch().await;
        assert_eq!(world.deliveries(ANN, &webhook).await.len(), 1, "nothing is queued for one that is off");
        let (_, view) = world.ask(ANN, "PATCH", &path, Some(json!({ "is_enabled": true }))).await;
        assert_eq!((&view["is_enabled"], &view["disabled_reason"]), (&json!(true), &Value::Null));
        world.happen("market.sold", &[ANN], 3).await;
        world.happen("rent.due", &[ANN], 4).await;
        world.dispatch().await;
        let deliveries = world.deliveries(ANN, &webhook).await;
        assert_eq!(deliveries.len(), 2);
        assert_eq!(
            (&deliveries[0]["kind"], &deliveries[0]["state"]),
            (&json!("rent.due"), &json!("waiting"))
        );
    });
}

#[test]
fn tests_can_be_asked_for_a_few_times_a_minute() {
    for_each_engine(&migrations(), async |store| {
        let world = World::new(store).await;
        let (webhook, _) = world.webhook(ANN, URL, &["*"]).await;
        let path = format!("/webhooks/{webhook}/test");
        for _ in 0..10 {
            assert_eq!(world.ask(ANN, "POST", &path, None).await.0, StatusCode::ACCEPTED);
        }
        assert_eq!(world.ask(ANN, "POST", &path, None).await.0, StatusCode::TOO_MANY_REQUESTS);
        world.clock.advance_us(60_000_001);
        assert_eq!(world.ask(ANN, "POST", &path, None).await.0, StatusCode::ACCEPTED);
    });
}
