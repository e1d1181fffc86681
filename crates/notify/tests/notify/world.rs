//! Everything that is needed to be told something.

use std::sync::Arc;

use api::{Caller, Clock as _, ManualClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use events::{Audience, NewEvent, Relay};
use notify::{Courier, CourierDeps, Destinations, Sender};
use serde_json::{Value, json};
use store::{Migration, Store};
use tower::ServiceExt as _;
use uuid::Uuid;

pub(crate) const NOW_US: i64 = 1_763_715_600_000_000;
pub(crate) const ANN: u128 = 1;
pub(crate) const BOB: u128 = 2;

pub(crate) fn migrations() -> Vec<Migration> {
    [api::MIGRATIONS, events::MIGRATIONS, notify::MIGRATIONS].concat()
}

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

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) relay: Relay,
    router: Router,
}

impl World {
    /// Nothing is dispatched or sent unless asked for.
    pub(crate) async fn new(store: Store) -> Self {
        let clock = Arc::new(ManualClock::at(NOW_US));
        let relay = Relay::new(store.clone(), clock.clone());
        relay.start().await.expect("the relay starts");
        let deps = notify::Deps {
            store: store.clone(),
            clock: clock.clone(),
            destinations: Destinations::PublicAndLoopback,
        };
        let verifier: Verifier = Arc::new(Numbers);
        let (router, _) = notify::routes(deps).split_for_parts();
        let world = Self { store, clock, relay, router: router.layer(Extension(verifier)) };
        // From here on events are its business.
        world.dispatch().await;
        world
    }

    /// As the background of a process does it.
    pub(crate) fn courier(&self, destinations: Destinations) -> Courier {
        let deps = CourierDeps {
            store: self.store.clone(),
            clock: self.clock.clone(),
            sender: Sender::new(destinations),
        };
        Courier::start(deps, self.relay.subscribe())
    }

    pub(crate) async fn dispatch(&self) -> usize {
        notify::dispatch(&self.store, self.clock.now_us()).await.expect("it is worked on")
    }

    /// Something happens to accounts, and has its position when this comes back.
    pub(crate) async fn happen(&self, kind: &'static str, accounts: &[u128], number: i64) {
        let accounts = accounts.iter().map(|it| Uuid::from_u128(*it)).collect();
        let data = json!({ "number": number });
        let event = NewEvent { kind, audience: Audience::Accounts(accounts), data };
        self.record(vec![event]).await;
    }

    pub(crate) async fn record(&self, happened: Vec<NewEvent>) {
        let now_us = self.clock.now_us();
        let before = self.store.read(events::last_position).await.expect("it can be read");
        let count = happened.len() as i64;
        let stored = self.store.locked(move |tx| events::record(tx, &happened, now_us)).await;
        stored.expect("they are stored");
        while self.store.read(events::last_position).await.expect("it can be read") < before + count {
            self.relay.wake();
            tokio::task::yield_now().await;
        }
    }

    pub(crate) async fn ask(
        &self,
        account: u128,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        self.ask_with_key(account, method, path, body, &Uuid::new_v4().to_string()).await
    }

    pub(crate) async fn ask_with_key(
        &self,
        account: u128,
        method: &str,
        path: &str,
        body: Option<Value>,
        key: &str,
    ) -> (StatusCode, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(header::AUTHORIZATION, format!("Bearer {account}"))
            .header("idempotency-key", key)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or_else(Body::empty, |it| Body::from(it.to_string())))
            .expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let bytes = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") })
    }

    /// A webhook of an account; its id and its secret.
    pub(crate) async fn webhook(&self, account: u128, url: &str, kinds: &[&str]) -> (String, String) {
        let body = json!({ "url": url, "kinds": kinds });
        let (status, answer) = self.ask(account, "POST", "/webhooks", Some(body)).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        (text(&answer["webhook"]["webhook_id"]), text(&answer["secret"]))
    }

    pub(crate) async fn deliveries(&self, account: u128, webhook: &str) -> Vec<Value> {
        let (status, page) = self.ask(account, "GET", &format!("/webhooks/{webhook}/deliveries"), None).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        page["items"].as_array().expect("items").clone()
    }

    pub(crate) async fn webhook_view(&self, account: u128, webhook: &str) -> Value {
        let (_, list) = self.ask(account, "GET", "/webhooks", None).await;
        let items = list["items"].as_array().expect("items");
        items.iter().find(|it| it["webhook_id"] == webhook).expect("the webhook").clone()
    }
}
