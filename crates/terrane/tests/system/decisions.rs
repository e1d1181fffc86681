//! Every decision of the API happens once: the same key and content give the same answer, other content is refused.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::claims::free_lots;
use crate::support::{Account, Answer, Server, run};

/// A decision, and another one of its kind.
struct Pair {
    operation: &'static str,
    method: Method,
    paths: [String; 2],
    bodies: [Value; 2],
}

/// One with another body.
fn with_bodies(operation: &'static str, method: Method, path: String, bodies: [Value; 2]) -> Pair {
    Pair { operation, method, paths: [path.clone(), path], bodies }
}

/// One about another thing.
fn about(operation: &'static str, method: Method, paths: [String; 2]) -> Pair {
    Pair { operation, method, paths, bodies: [Value::Null, Value::Null] }
}

/// About two things that nobody has, where being told so is the answer that is kept.
fn about_nothing(operation: &'static str, method: Method, path: &str) -> Pair {
    about(operation, method, [(); 2].map(|()| path.replace("{id}", &uuid::Uuid::now_v7().to_string())))
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
/// Every decision there is. The lots: two of the caller's, two of nobody's.
fn decisions(owned: &[String], free: &[String]) -> Vec<Pair> {
    let new = || uuid::Uuid::now_v7().to_string();
    let (post, market) = (|| Method::POST, "marketplace");
    let sale = |price: i64| json!({ "parcel": free[0], "currency": "coin", "price_minor": price });
    let price = |minor: i64| json!({ "price_minor": minor });
    let auction = |minor: i64| json!({ "parcel": free[0], "kind": "english", "currency": "coin", "start_minor": minor });
    let transfer =
        |minor: i64| json!({ "to_account_id": uuid::Uuid::nil(), "currency": "coin", "amount_minor": minor });
    let hook = |url: &str| json!({ "url": url, "kinds": ["market.*"] });
    let lease = |minor: i64| {
        json!({
            "tenant_id": uuid::Uuid::nil(), "currency": "coin", "rent_minor": minor, "deposit_minor": 5,
            "period_days": 7, "periods": 4
        })
    };
    vec![
        about("land_claim", post(), [0, 1].map(|at| format!("lands/{}/claim", free[at]))),
        with_bodies(
            "land_claims",
            post(),
            "lands/claims".into(),
            [0, 1].map(|at| json!({ "cells": [free[at]] })),
        ),
        with_bodies(
            "land_split",
            post(),
            format!("lands/{}/split", owned[0]),
            [0, 1].map(|at| json!({ "cells": [owned[at]] })),
        ),
        with_bodies(
            "land_merge",
            post(),
            format!("lands/{}/merge", owned[0]),
            [1, 0].map(|at| json!({ "with": [owned[at]] })),
        ),
        with_bodies(
            "land_gift",
            post(),
            format!("lands/{}/gift", owned[0]),
            [(); 2].map(|()| json!({ "to_id": new() })),
        ),
        about_nothing("land_gift_accept", post(), "lands/gifts/{id}/accept"),
        about_nothing("land_gift_decline", post(), "lands/gifts/{id}/decline"),
        about_nothing("land_gift_cancel", post(), "lands/gifts/{id}/cancel"),
        with_bodies("wallet_transfer", post(), "wallet/transfers".into(), [transfer(1), transfer(2)]),
        with_bodies(
            "group_create",
            post(),
            "groups".into(),
            ["Guild", "Other"].map(|name| json!({ "name": name })),
        ),
        with_bodies(
            "webhook_create",
            post(),
            "webhooks".into(),
            ["https://a.example/x", "https://b.example/x"].map(hook),
        ),
        with_bodies(
            "webhook_rotate",
            post(),
            format!("webhooks/{}/rotate", new()),
            [5, 6].map(|it| json!({ "grace_s": it })),
        ),
        with_bodies("listing_open", post(), format!("{market}/listings"), [5, 6].map(sale)),
        with_bodies(
            "listing_change",
            Method::PATCH,
            format!("{market}/listings/{}", new()),
            [5, 6].map(price),
        ),
        about_nothing("listing_cancel", Method::DELETE, "marketplace/listings/{id}"),
        with_bodies(
            "listing_purchase",
            post(),
            format!("{market}/listings/{}/purchase", new()),
            [5, 6].map(price),
        ),
        with_bodies("auction_open", post(), format!("{market}/auctions"), [5, 6].map(auction)),
        with_bodies(
            "auction_bid",
            post(),
            format!("{market}/auctions/{}/bids", new()),
            [5, 6].map(|it| json!({ "max_minor": it })),
        ),
        about_nothing("auction_cancel", post(), "marketplace/auctions/{id}/cancel"),
        with_bodies(
            "auction_accept",
            post(),
            format!("{market}/auctions/{}/accept", new()),
            [5, 6].map(price),
        ),
        with_bodies("offer_make", post(), format!("{market}/offers"), [5, 6].map(sale)),
        about_nothing("offer_accept", post(), "marketplace/offers/{id}/accept"),
        about_nothing("offer_decline", post(), "marketplace/offers/{id}/decline"),
        about_nothing("offer_withdraw", post(), "marketplace/offers/{id}/withdraw"),
        with_bodies("lease_offer", post(), format!("lands/{}/lease", owned[0]), [5, 6].map(lease)),
        about_nothing("lease_accept", post(), "leases/{id}/accept"),
        about_nothing("lease_decline", post(), "leases/{id}/decline"),
        with_bodies(
            "lease_end",
            post(),
            format!("leases/{}/end", new()),
            [true, false].map(|it| json!({ "at_once": it })),
        ),
        // Last: it takes away what the others are about.
        about("land_abandon", post(), [1, 0].map(|at| format!("lands/{}/abandon", owned[at]))),
    ]
}

/// The operations of the document that take a key.
async fn documented(account: &Account) -> BTreeSet<String> {
    let document = account.ask(Method::GET, "../openapi.json", None, None).await.unwrap().expect(200);
    // What staff decide is tried with staff, by the tests of crate `staff`.
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.contains("/staff/"));
    let operations = paths.flat_map(|(_, it)| it.as_object().unwrap().values());
    let takes_key = |operation: &&Value| {
        let parameters = operation["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|it| it["name"] == "Idempotency-Key"))
    };
    operations.filter(takes_key).map(|it| it["operationId"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_decision_happens_once() {
    let server = Server::start();
    run(async {
        let account = Account::new(&server).await;
        let present = account.enter(&server).await;
        let mut owned = free_lots(&account, 4).await;
        let free = owned.split_off(2);
        for lot in &owned {
            account.claim(lot, lot).await.unwrap();
        }
        drop(present);
        let decisions = decisions(&owned, &free);
        let tried: BTreeSet<_> = decisions.iter().map(|it| it.operation.to_owned()).collect();
        let documented = documented(&account).await;
        let missing: Vec<_> = documented.difference(&tried).collect();
        assert!(missing.is_empty(), "the table must have every operation that takes a key: {missing:?}");

        for Pair { operation, method, paths, bodies } in decisions {
            if !documented.contains(operation) {
                continue;
            }
            let key = uuid::Uuid::now_v7().to_string();
            let ask = async |at: usize, key: Option<&str>| -> Answer {
                let body = (!bodies[at].is_null()).then_some(&bodies[at]);
                let mut answer = account.ask(method.clone(), &paths[at], key, body).await.unwrap();
                // What is of the request and not of the decision.
                for of_request in ["request_id", "trace_id"] {
                    answer.body.as_object_mut().unwrap().remove(of_request);
                }
                answer
            };
            assert_eq!(ask(0, None).await.outcome(), (400, "idempotency_key_missing"), "{operation}");
            let first = ask(0, Some(&key)).await;
            assert!(first.status < 500 && first.status != 403, "{operation}: {}", first.body);
            assert!(!first.headers.contains_key("idempotency-replayed"), "{operation}: {}", first.body);
            for _ in 0..2 {
                let again = ask(0, Some(&key)).await;
                assert_eq!((again.status, &again.body), (first.status, &first.body), "{operation}");
                let is_replayed = again.headers.get("idempotency-replayed").is_some_and(|it| it == "true");
                assert!(is_replayed, "{operation}: {}", first.body);
            }
            let other = ask(1, Some(&key)).await;
            assert_eq!(other.outcome(), (422, "idempotency_key_reused"), "{operation}: {}", first.body);
        }
    });
}
