//! What a player sees of the books.

use std::sync::Arc;

use api::{Caller, Page, TokenFault, TokenVerifier, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use store::Store;
use store::testing::for_each_engine;
use tower::ServiceExt;
use uuid::Uuid;
use wallet::{MIGRATIONS, PostingView};

const NOW_US: i64 = 1_763_715_600_000_000;

/// A token is the account's number.
struct Numbers;

impl TokenVerifier for Numbers {
    fn verify(&self, token: &str) -> Result<Caller, TokenFault> {
        let number = token.parse().map_err(|_| TokenFault::Invalid)?;
        Ok(Caller { account_id: Uuid::from_u128(number), session_id: Uuid::nil() })
    }
}

fn router(store: &Store) -> Router {
    let (router, _) = wallet::routes(store.clone()).split_for_parts();
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
    for_each_engine(MIGRATIONS, async |store| {
        welcome(&store, 1, NOW_US).await;
        let coins = |amount: i64| json!({"balances": [{"asset": "coin", "code": "coin", "amount_minor": amount, "scale": 2}]});
        assert_eq!(get(&store, "1", "/api/v1/wallet").await, (StatusCode::OK, coins(50_000)));
        assert_eq!(get(&store, "2", "/api/v1/wallet").await, (StatusCode::OK, coins(0)));
        let (status, problem): (_, Value) = get(&store, "ann", "/api/v1/wallet").await;
        assert_eq!((status, &problem["code"]), (StatusCode::UNAUTHORIZED, &json!("token_invalid")));
    });
}

#[test]
fn postings_come_newest_first_in_pages_and_only_to_their_owner() {
    use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
    for_each_engine(MIGRATIONS, async |store| {
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
    for_each_engine(MIGRATIONS, async |store| {
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
