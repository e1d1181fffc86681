//! The log over HTTP, as staff reads it.

mod support;

use std::sync::Arc;

use audit::{Actor, Deps, Entry, MIGRATIONS, Reason, merkle, routes};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use store::Store;
use store::testing::for_each_engine;
use support::{NOW_US, grow, sign};
use tower::ServiceExt as _;
use uuid::Uuid;

/// A key of one byte, and account 13 has none any more.
fn open(account_id: Uuid, sealed: &[u8]) -> Option<Vec<u8>> {
    (account_id != Uuid::from_u128(13)).then(|| sealed.iter().map(|it| it ^ 0x55).collect())
}

fn sealed(account: u128, words: &str) -> Reason {
    let seal = |it: &[u8]| Ok::<_, ()>(it.iter().map(|it| it ^ 0x55).collect());
    Reason::sealed_by(Uuid::from_u128(account), words, seal).expect("it is sealed")
}

fn router(store: &Store) -> Router {
    let open: audit::Open = Arc::new(|_, account_id, sealed| Ok(open(account_id, sealed)));
    routes(Deps { store: store.clone(), open }).into()
}

async fn get(store: &Store, path: &str) -> (StatusCode, Value) {
    let request = Request::get(format!("/api/v1/staff/audit{path}"))
        .body(Body::empty())
        .expect("it is as the tests make it");
    let answer = router(store).oneshot(request).await.expect("it is as the tests make it");
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 1 << 20).await.expect("it is as the tests make it");
    (status, serde_json::from_slice(&body).expect("it is as the tests make it"))
}

async fn ok(store: &Store, path: &str) -> Value {
    let (status, body) = get(store, path).await;
    assert_eq!(status, StatusCode::OK, "{path}: {body}");
    body
}

async fn record(store: &Store, entry: Entry) {
    store.locked(move |tx| audit::record(tx, &entry)).await.expect("it is as the tests make it");
    store.locked(|tx| audit::seal(tx, 1)).await.expect("it is as the tests make it");
}

fn places(page: &Value) -> Vec<i64> {
    page["items"]
        .as_array()
        .expect("it is as the tests make it")
        .iter()
        .map(|it| it["sequence"].as_i64().expect("it is as the tests make it"))
        .collect()
}

#[test]
fn entries_are_found_by_actor_subject_action_and_time_in_pages() {
    for_each_engine(MIGRATIONS, async |store| {
        grow(&store, 1, 12).await;
        let banned = Entry {
            at_us: NOW_US + 60_000_000,
            actor: Actor::account(Uuid::from_u128(8)),
            action: "account.banned",
            subject_kind: "account",
            subject_id: "3".to_owned(),
            reason: Some(sealed(3, "grief at ü")),
            details: json!({}),
        };
        record(&store, banned).await;
        let first = ok(&store, "?limit=5").await;
        assert_eq!(places(&first), [13, 12, 11, 10, 9]);
        assert_eq!(first["items"][0]["reason"], "grief at ü");
        assert_eq!(first["items"][0]["reason_state"], "kept");
        assert_eq!(first["items"][1]["reason_state"], "altered", "it was sealed in another way");
        assert_eq!(first["items"][2]["reason_state"], "none");
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = ok(&store, &format!("?limit=5&cursor={cursor}")).await;
        assert_eq!(places(&second), [8, 7, 6, 5, 4]);
        for (query, expected) in [
            (format!("?actor={}", Uuid::from_u128(8)), vec![13, 1]),
            (format!("?actor={}&action=account.banned", Uuid::from_u128(8)), vec![13]),
            (format!("?subject={}", Uuid::from_u128(5)), vec![5]),
            (format!("?subject={}&action=account.banned", Uuid::from_u128(5)), vec![]),
            (format!("?subject=3&actor={}", Uuid::from_u128(8)), vec![13]),
            (format!("?subject=3&actor={}", Uuid::from_u128(9)), vec![]),
            ("?action=account.banned".to_owned(), vec![13]),
            ("?action=nothing".to_owned(), vec![]),
            ("?from=2025-11-21T09:00:30Z".to_owned(), vec![13]),
            ("?from=2025-11-21T09:00:00.000011Z&to=2025-11-21T09:00:30Z".to_owned(), vec![12, 11]),
            ("?to=2025-11-21T09:00:00.000003Z".to_owned(), vec![2, 1]),
        ] {
            assert_eq!(places(&ok(&store, &query).await), expected, "{query}");
        }
        for wrong in [
            "?limit=0",
            "?limit=101",
            "?cursor=x",
            "?actor=7",
            "?from=now",
            "?subject=",
            "?other=1",
            "?action=0.5",
            "?action=%00",
        ] {
            let (status, body) = get(&store, wrong).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}: {body}");
        }
    });
}

#[test]
fn words_that_were_forgotten_leave_a_sound_log() {
    for_each_engine(MIGRATIONS, async |store| {
        for (account, words) in [(3, "one"), (13, "two")] {
            record(&store, Entry { reason: Some(sealed(account, words)), ..support::entry(1) }).await;
        }
        assert_eq!(ok(&store, "/1").await["reason"], "one");
        assert_eq!(ok(&store, "/2").await["reason_state"], "forgotten");
        assert_eq!(store.read(|tx| audit::reasons_of(tx, Uuid::from_u128(3), 10)).await.unwrap().len(), 1);
        assert_eq!(store.locked(|tx| audit::forget_reasons(tx, Uuid::from_u128(3))).await, Ok(1));
        let entry = ok(&store, "/1").await;
        assert_eq!((&entry["reason_state"], entry.get("reason")), (&json!("forgotten"), None));
        support::assert_sound(&store).await;
    });
}

#[test]
fn a_proof_convinces_with_nothing_but_a_root() {
    for_each_engine(MIGRATIONS, async |store| {
        grow(&store, 1, 9).await;
        let older = sign(&store, 1).await;
        grow(&store, 10, 20).await;
        let newer = sign(&store, 1).await;
        grow(&store, 21, 22).await;
        let hash = |it: &Value| -> merkle::Hash {
            let hex = it.as_str().unwrap();
            let bytes: Vec<u8> = (0..hex.len() / 2)
                .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            bytes.try_into().unwrap()
        };
        let hashes = |it: &Value| -> Vec<merkle::Hash> { it.as_array().unwrap().iter().map(hash).collect() };
        let proof = ok(&store, "/7/proof?from_size=9").await;
        assert_eq!((proof["tree_size"].as_i64(), hash(&proof["root"])), (Some(20), newer.root));
        assert_eq!(hash(&proof["checkpoint"]["root"]), newer.root);
        let root = merkle::root_of_inclusion(6, 20, &hash(&proof["leaf_hash"]), &hashes(&proof["path"]));
        assert_eq!(root, Some(newer.root));
        let grown = hashes(&proof["consistency"]["path"]);
        assert!(merkle::is_consistent((9, &older.root), (20, &newer.root), &grown));
        let whole = ok(&store, "/22/proof").await;
        assert_eq!((whole["tree_size"].as_i64(), whole.get("checkpoint")), (Some(22), None));
        for (path, status) in [
            ("/23/proof", StatusCode::NOT_FOUND),
            ("/0/proof", StatusCode::NOT_FOUND),
            ("/-1/proof", StatusCode::NOT_FOUND),
            ("/9223372036854775807/proof", StatusCode::NOT_FOUND),
            ("/x/proof", StatusCode::BAD_REQUEST),
            ("/7/proof?tree_size=6", StatusCode::BAD_REQUEST),
            ("/7/proof?tree_size=23", StatusCode::BAD_REQUEST),
            ("/7/proof?from_size=0", StatusCode::BAD_REQUEST),
            ("/7/proof?tree_size=9&from_size=10", StatusCode::BAD_REQUEST),
            ("/23", StatusCode::NOT_FOUND),
        ] {
            assert_eq!(get(&store, path).await.0, status, "{path}");
        }
    });
}

#[test]
fn checkpoints_come_newest_first_and_the_log_says_how_it_stands() {
    for_each_engine(MIGRATIONS, async |store| {
        assert_eq!(ok(&store, "/verification").await["entries"], 0);
        assert_eq!(places(&ok(&store, "").await), [0; 0]);
        for n in 1..=3 {
            grow(&store, n, n).await;
            sign(&store, 1).await;
        }
        let page = ok(&store, "/checkpoints?limit=2").await;
        assert_eq!(
            (page["items"][0]["tree_size"].as_i64(), page["items"][1]["tree_size"].as_i64()),
            (Some(3), Some(2))
        );
        let cursor = page["next_cursor"].as_str().unwrap();
        let rest = ok(&store, &format!("/checkpoints?cursor={cursor}")).await;
        assert_eq!(
            (rest["items"].as_array().unwrap().len(), rest["items"][0]["tree_size"].as_i64()),
            (1, Some(1))
        );
        let standing = ok(&store, "/verification").await;
        assert_eq!(
            (&standing["entries"], &standing["waiting"], &standing["faults"]),
            (&json!(3), &json!(0), &json!(0))
        );
        assert_eq!(standing["root"], standing["checkpoint"]["root"]);
    });
}
