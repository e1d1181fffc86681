//! What a player sees of the books.

use std::sync::Arc;

use api::{Caller, ManualClock, Page, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::testing::for_each_engine;
use store::{Migration, Store, params};
use tower::ServiceExt;
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest, HoldView, MIGRATIONS, PostingView, StatementLine};

const NOW_US: i64 = 1_763_715_600_000_000;

/// A token is the account's number.
struct Numbers;

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(Uuid::from_u128(number)))
        })
    }
}

/// Whoever has an even number acts for the group 100.
fn deps(store: &Store) -> wallet::Deps {
    wallet::Deps {
        store: store.clone(),
        clock: Arc::new(ManualClock::at(NOW_US)),
        authority: Arc::new(|_, owner, account| {
            Ok(owner == Uuid::from_u128(100) && account.as_u128().is_multiple_of(2))
        }),
        wake: events::Wake::default(),
    }
}

fn migrations() -> Vec<Migration> {
    [MIGRATIONS, api::MIGRATIONS, events::MIGRATIONS].concat()
}

fn router(store: &Store) -> Router {
    let (router, _) = wallet::routes(deps(store)).split_for_parts();
    let verifier: Verifier = Arc::new(Numbers);
    router.layer(Extension(verifier))
}

async fn get<T: DeserializeOwned>(store: &Store, token: &str, path: &str) -> (StatusCode, T) {
    let request =
        Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}")).body(Body::empty());
    let response = router(store).oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON of the expected shape"))
}

async fn welcome(store: &Store, number: u128, now_us: i64) {
    store
        .locked(move |tx| wallet::open_for(tx, Uuid::from_u128(number), now_us))
        .await
        .expect("it is booked");
}

#[test]
fn a_wallet_shows_its_money() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        let coins = |amount: i64| {
            json!({"balances": [{"asset": "coin", "code": "coin", "amount_minor": amount,
                "held_minor": 0, "available_minor": amount, "scale": 2}]})
        };
        assert_eq!(get(&store, "1", "/api/v1/wallet").await, (StatusCode::OK, coins(50_000)));
        assert_eq!(get(&store, "2", "/api/v1/wallet").await, (StatusCode::OK, coins(0)));
        let (status, problem): (_, Value) = get(&store, "ann", "/api/v1/wallet").await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("token_invalid")));
    });
}

#[test]
fn postings_come_newest_first_in_pages_and_only_to_their_owner() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        for n in 1..=4i64 {
            let one = Amount::try_from_minor(1).unwrap();
            let sale = Posting::of(PostingKind::LandClaim, format!("{n}"), format!("lot:{n}"))
                .transfer(AccountRef::Wallet(Uuid::from_u128(1)), AccountRef::Treasury, &AssetId::coin(), one)
                .transfer(
                    AccountRef::LandOffice,
                    AccountRef::Wallet(Uuid::from_u128(1)),
                    &AssetId::try_deed(&n.to_string()).unwrap(),
                    one,
                )
                .finish()
                .unwrap();
            store.locked(move |tx| wallet::post(tx, &sale, NOW_US + n)).await.unwrap();
        }
        let mut path = "/api/v1/wallet/postings?limit=2".to_owned();
        let mut pages = Vec::new();
        loop {
            let (status, page): (_, Page<PostingView>) = get(&store, "1", &path).await;
            assert_eq!(status, StatusCode::OK);
            pages.push(page.items.iter().map(|it| (it.reference.clone(), it.legs.len())).collect::<Vec<_>>());
            match page.next_cursor {
                Some(cursor) => path = format!("/api/v1/wallet/postings?limit=2&cursor={cursor}"),
                None => break,
            }
        }
        let lot = |n: u8| (format!("lot:{n}"), 2);
        assert_eq!(pages, [vec![lot(4), lot(3)], vec![lot(2), lot(1)], vec![(String::new(), 1)]]);
        let (_, page): (_, Page<PostingView>) = get(&store, "2", "/api/v1/wallet/postings").await;
        assert_eq!(page.items.len(), 1);
        assert_eq!(
            (page.items[0].kind.as_str(), page.items[0].legs[0].amount_minor),
            ("welcome_grant", 50_000)
        );
    });
}

#[test]
fn a_bad_page_is_refused() {
    for_each_engine(&migrations(), async |store| {
        for (query, code) in [
            ("limit=0", "invalid_query"),
            ("limit=101", "invalid_query"),
            ("limit=many", "invalid_query"),
            ("page=2", "invalid_query"),
            ("cursor=!", "invalid_cursor"),
            ("cursor=AAAA", "invalid_cursor"),
        ] {
            let (status, problem): (_, Value) =
                get(&store, "1", &format!("/api/v1/wallet/postings?{query}")).await;
            assert_eq!((status, &problem["code"]), (StatusCode::BAD_REQUEST, &json!(code)), "{query}");
        }
    });
}

async fn post_json(store: &Store, token: &str, key: &str, body: &str) -> (StatusCode, Value) {
    let request = Request::post("/api/v1/wallet/transfers")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body.to_owned()));
    let response = router(store).oneshot(request.expect("a request")).await.expect("an answer");
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, serde_json::from_slice(&body).expect("JSON"))
}

fn gift(to: u128, amount: i64) -> String {
    json!({"to_account_id": Uuid::from_u128(to), "currency": "coin", "amount_minor": amount}).to_string()
}

async fn amount(store: &Store, token: &str) -> i64 {
    let (_, wallet): (_, Value) = get(store, token, "/api/v1/wallet").await;
    wallet["balances"][0]["amount_minor"].as_i64().expect("an amount")
}

#[test]
fn money_is_given_once_per_key_and_both_are_told() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        let body = json!({"to_account_id": Uuid::from_u128(2), "currency": "coin", "amount_minor": 1_500,
            "message": "  for the   bench "})
        .to_string();
        let (status, first) = post_json(&store, "1", "k", &body).await;
        assert_eq!((status, &first["message"]), (StatusCode::CREATED, &json!("for the bench")));
        assert_eq!(post_json(&store, "1", "k", &body).await, (StatusCode::CREATED, first.clone()));
        let (status, other) = post_json(&store, "1", "k", &gift(2, 1)).await;
        assert_eq!(
            (status, &other["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency_key_reused"))
        );
        assert_eq!((amount(&store, "1").await, amount(&store, "2").await), (48_500, 51_500));
        let (_, page): (_, Page<StatementLine>) = get(&store, "2", "/api/v1/wallet/statement").await;
        let line = &page.items[0];
        assert_eq!((line.number, line.amount_minor, line.balance_minor), (2, 1_500, 51_500));
        assert_eq!(line.counterparty_id, Some(Uuid::from_u128(1)));
        assert_eq!(line.message.as_deref(), Some("for the bench"));
        let told: i64 =
            store.read(|tx| tx.query_one("select count(*) from events", params![])?.get(0)).await.unwrap();
        assert_eq!(told, 2);
    });
}

#[test]
fn a_transfer_that_cannot_be_is_refused_with_its_reason() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        let to = Uuid::from_u128(2);
        let with =
            |amount: &str| format!(r#"{{"to_account_id":"{to}","currency":"coin","amount_minor":{amount}}}"#);
        let group = json!({"to_account_id": to, "currency": "coin", "amount_minor": 1,
            "as_group": Uuid::from_u128(100)});
        let cases = [
            (with("0"), 422, "invalid_body"),
            (with("-5"), 422, "invalid_body"),
            (with("1.5"), 422, "invalid_body"),
            (with("1e2"), 422, "invalid_body"),
            (with("\"5\""), 422, "invalid_body"),
            (with("9007199254740992"), 422, "invalid_body"),
            (with("99999999999999999999"), 422, "invalid_body"),
            (with("1,\"from_account_id\":\"x\""), 422, "invalid_body"),
            (with("1,\"message\":\"a\\u0000b\""), 422, "invalid_body"),
            (with("1,\"message\":\"a\\u202eb\""), 422, "invalid_body"),
            (with(&format!("1,\"message\":\"{}\"", "x".repeat(141))), 422, "invalid_body"),
            (with("1").replace("coin", "gem"), 422, "unknown_currency"),
            (with("1").replace("coin", "deed:4b"), 422, "unknown_currency"),
            (gift(1, 1), 422, "self_transfer"),
            (group.to_string(), 403, "no_authority"),
            (gift(9, 1), 422, "unknown_account"),
            (
                json!({"to_account_id": AccountRef::Mint.id(), "currency": "coin", "amount_minor": 1})
                    .to_string(),
                422,
                "unknown_account",
            ),
            (with("50001"), 422, "insufficient_funds"),
            (with("9007199254740991"), 422, "insufficient_funds"),
        ];
        for (n, (body, status, code)) in cases.into_iter().enumerate() {
            let (found, problem) = post_json(&store, "1", &format!("key-{n}"), &body).await;
            assert_eq!((found.as_u16(), &problem["code"]), (status, &json!(code)), "{body}");
        }
        assert_eq!((amount(&store, "1").await, amount(&store, "2").await), (50_000, 50_000));
    });
}

#[test]
fn an_officer_gives_and_sees_the_money_of_their_group() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 2, NOW_US).await;
        welcome(&store, 3, NOW_US).await;
        let group = Uuid::from_u128(100);
        store.locked(move |tx| wallet::open_account(tx, group, NOW_US)).await.unwrap();
        assert_eq!(post_json(&store, "3", "a", &gift(100, 300)).await.0, StatusCode::CREATED);
        let back = json!({"to_account_id": Uuid::from_u128(3), "currency": "coin", "amount_minor": 100, "as_group": group});
        assert_eq!(post_json(&store, "3", "b", &back.to_string()).await.0, StatusCode::FORBIDDEN);
        assert_eq!(post_json(&store, "2", "c", &back.to_string()).await.0, StatusCode::CREATED);
        let path = format!("/api/v1/wallet?as_group={group}");
        let (_, wallet): (_, Value) = get(&store, "2", &path).await;
        assert_eq!(wallet["balances"][0]["amount_minor"], 200);
        for path in [
            path,
            format!("/api/v1/wallet/statement?as_group={group}"),
            format!("/api/v1/wallet/holds?as_group={group}"),
            format!("/api/v1/wallet/statement.csv?as_group={group}"),
        ] {
            let (status, problem): (_, Value) = get(&store, "3", &path).await;
            assert_eq!((status.as_u16(), &problem["code"]), (403, &json!("no_authority")), "{path}");
        }
    });
}

/// 64 transfers at the same instant from one who can pay for half of them.
#[test]
fn transfers_that_arrive_together_do_not_share_their_fate() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        let router = router(&store);
        let tasks: Vec<_> = (0..64)
            .map(|n| {
                let request = Request::post("/api/v1/wallet/transfers")
                    .header(header::AUTHORIZATION, "Bearer 1")
                    .header(header::CONTENT_TYPE, "application/json")
                    .header("idempotency-key", format!("{n}"))
                    .body(Body::from(gift(2, 1_562)));
                let router = router.clone();
                tokio::spawn(async move { router.oneshot(request.unwrap()).await.unwrap().status() })
            })
            .collect();
        let mut given = 0;
        for task in tasks {
            match task.await.unwrap() {
                StatusCode::CREATED => given += 1,
                status => assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY),
            }
        }
        assert_eq!((given, amount(&store, "1").await, amount(&store, "2").await), (32, 16, 99_984));
    });
}

#[test]
fn a_statement_runs_backwards_in_pages_and_forwards_as_a_table() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        for n in 1..=5 {
            assert_eq!(
                post_json(&store, "1", &format!("{n}"), &gift(2, n * 100)).await.0,
                StatusCode::CREATED
            );
        }
        let mut path = "/api/v1/wallet/statement?limit=4".to_owned();
        let mut lines = Vec::new();
        loop {
            let (status, page): (_, Page<StatementLine>) = get(&store, "1", &path).await;
            assert_eq!(status, StatusCode::OK);
            lines.extend(page.items.iter().map(|it| (it.number, it.amount_minor, it.balance_minor)));
            let Some(cursor) = page.next_cursor else { break };
            path = format!("/api/v1/wallet/statement?limit=4&cursor={cursor}");
        }
        assert_eq!(
            lines,
            [
                (6, -500, 48_500),
                (5, -400, 49_000),
                (4, -300, 49_400),
                (3, -200, 49_700),
                (2, -100, 49_900),
                (1, 50_000, 50_000)
            ]
        );
        let request = Request::get("/api/v1/wallet/statement.csv").header(header::AUTHORIZATION, "Bearer 1");
        let response = router(&store).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8");
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        let text = String::from_utf8(body.to_vec()).unwrap();
        let rows: Vec<_> = text.split("\r\n").collect();
        assert_eq!(rows.len(), 8);
        assert!(rows[1].contains("welcome_grant,,500.00,500.00,,,"), "{}", rows[1]);
        assert!(
            rows[6].contains("transfer,,-5.00,485.00,00000000-0000-0000-0000-000000000002,,"),
            "{}",
            rows[6]
        );
        for (query, code) in [("asset=gem", "unknown_asset"), ("asset=Coin", "unknown_asset")] {
            let (status, problem): (_, Value) =
                get(&store, "1", &format!("/api/v1/wallet/statement?{query}")).await;
            assert_eq!((status.as_u16(), &problem["code"]), (422, &json!(code)));
        }
        let (_, empty): (_, Page<StatementLine>) =
            get(&store, "1", "/api/v1/wallet/statement?asset=deed:4b").await;
        assert!(empty.items.is_empty());
    });
}

#[test]
fn what_is_held_is_shown_and_cannot_be_given() {
    for_each_engine(&migrations(), async |store| {
        welcome(&store, 1, NOW_US).await;
        welcome(&store, 2, NOW_US).await;
        for n in 1..=3u128 {
            let request = HoldRequest {
                hold_id: Uuid::from_u128(n),
                account_id: Uuid::from_u128(1),
                asset: AssetId::coin(),
                amount: Amount::try_from_minor(10_000).unwrap(),
                kind: HoldKind::Bid,
                reference: format!("auction:{n}"),
                expires_at_us: (n == 2).then_some(NOW_US + 1),
            };
            store.locked(move |tx| wallet::hold(tx, &request, NOW_US)).await.unwrap();
        }
        let (_, wallet): (_, Value) = get(&store, "1", "/api/v1/wallet").await;
        let coins = &wallet["balances"][0];
        assert_eq!((&coins["held_minor"], &coins["available_minor"]), (&json!(30_000), &json!(20_000)));
        let (status, problem) = post_json(&store, "1", "k", &gift(2, 20_001)).await;
        assert_eq!((status.as_u16(), &problem["available_minor"]), (422, &json!(20_000)));
        let (_, page): (_, Page<HoldView>) = get(&store, "1", "/api/v1/wallet/holds?limit=2").await;
        assert_eq!(page.items.iter().map(|it| it.expires_at.is_some()).collect::<Vec<_>>(), [false, true]);
        let path = format!("/api/v1/wallet/holds?limit=2&cursor={}", page.next_cursor.unwrap());
        let (_, rest): (_, Page<HoldView>) = get(&store, "1", &path).await;
        assert_eq!((rest.items.len(), rest.items[0].reference.as_str()), (1, "auction:3"));
        let (_, others): (_, Page<HoldView>) = get(&store, "2", "/api/v1/wallet/holds").await;
        assert!(others.items.is_empty());
    });
}
