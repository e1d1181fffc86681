//! What a client reads at `GET /api/v1/events`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use api::{Caller, SystemClock, TokenFault, TokenVerifier, Verification, Verifier};
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, StatusCode, header};
use axum::{Extension, Router};
use events::{Audience, NewEvent, PER_ACCOUNT_MAX, Relay, Streams};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use store::Store;
use store::testing::for_each_engine;
use tower::ServiceExt as _;
use uuid::Uuid;

const NOW_US: i64 = 1_763_715_600_000_000;

/// A token is the account's number, good until the switch is turned.
#[derive(Default)]
struct Numbers {
    are_expired: AtomicBool,
}

impl TokenVerifier for Numbers {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(async move {
            if self.are_expired.load(Ordering::Relaxed) {
                return Err(TokenFault::Expired);
            }
            let number = token.parse().map_err(|_| TokenFault::Invalid)?;
            Ok(Caller::player(Uuid::from_u128(number)))
        })
    }
}

struct World {
    store: Store,
    relay: Relay,
    streams: Arc<Streams>,
    tokens: Arc<Numbers>,
    router: Router,
}

async fn world(store: Store) -> World {
    let relay = Relay::new(store.clone(), Arc::new(SystemClock));
    relay.start().await.expect("the relay starts");
    let streams = Streams::new(store.clone(), &relay);
    let tokens = Arc::<Numbers>::default();
    let verifier: Verifier = tokens.clone();
    let (router, _) = events::routes(Arc::clone(&streams)).split_for_parts();
    World { store, relay, streams, tokens, router: router.layer(Extension(verifier)) }
}

impl World {
    async fn happen(&self, audience: Audience, number: u64) {
        let event = NewEvent { kind: "test.happened", audience, data: json!({ "number": number }) };
        let stored = self
            .store
            .locked(move |tx| events::record(tx, std::slice::from_ref(&event), NOW_US + number as i64))
            .await;
        stored.expect("it is stored");
        self.relay.wake();
    }

    async fn ask(&self, account: &str, after: Option<&str>) -> (StatusCode, BodyDataStream) {
        let mut request =
            Request::get("/api/v1/events").header(header::AUTHORIZATION, format!("Bearer {account}"));
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let request = request.body(Body::empty()).expect("a request");
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        (response.status(), response.into_body().into_data_stream())
    }

    async fn open(&self, account: &str, after: Option<&str>) -> Stream {
        let (status, body) = self.ask(account, after).await;
        assert_eq!(status, StatusCode::OK);
        Stream { body, text: String::new() }
    }
}

struct Stream {
    body: BodyDataStream,
    text: String,
}

impl Stream {
    /// The next frame that is no comment; `None` at the end.
    async fn next_frame(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.text.find("\n\n") {
                let frame: String = self.text.drain(..end + 2).collect();
                if frame.starts_with(':') {
                    continue;
                }
                return Some(frame);
            }
            let waited = tokio::time::timeout(Duration::from_secs(20), self.body.next()).await;
            let bytes = waited.expect("something comes")?.expect("the stream does not break");
            self.text.push_str(std::str::from_utf8(&bytes).expect("text"));
        }
    }

    /// The id and the number of the next event.
    async fn next(&mut self) -> Option<(String, u64)> {
        let frame = self.next_frame().await?;
        let line =
            |name: &str| frame.lines().find_map(|it| it.strip_prefix(name)).expect("the line").to_owned();
        let body: Value = serde_json::from_str(&line("data: ")).expect("JSON");
        assert_eq!(
            (line("event: "), line("id: ").as_str()),
            ("test.happened".into(), body["event_id"].as_str().expect("an id"))
        );
        assert_eq!(
            (body["kind"].as_str(), body["at"].as_str().map(|it| &it[..19])),
            (Some("test.happened"), Some("2025-11-21T09:00:00"))
        );
        Some((line("id: "), body["data"]["number"].as_u64().expect("a number")))
    }

    async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.push(self.next().await.expect("the stream goes on").1);
        }
        numbers
    }
}

fn of(number: u128) -> Audience {
    Audience::Accounts(vec![Uuid::from_u128(number)])
}

#[test]
fn a_reader_gets_what_is_theirs_and_what_is_open_to_all() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store).await;
        let (mut ann, mut bob) = (world.open("1", None).await, world.open("2", None).await);
        for (number, audience) in [(1, Audience::Public), (2, of(1)), (3, of(2)), (4, Audience::Public)] {
            world.happen(audience, number).await;
        }
        assert_eq!(ann.numbers(3).await, [1, 2, 4]);
        assert_eq!(bob.numbers(3).await, [1, 3, 4]);
        world.relay.stop().await;
    });
}

#[test]
fn a_reader_goes_on_after_the_last_event_without_a_gap_and_without_a_repetition() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store).await;
        let mut stream = world.open("1", None).await;
        world.happen(of(1), 1).await;
        let (last, _) = stream.next().await.unwrap();
        drop(stream);
        // More than is read at once, most of it not for this reader.
        for number in 2..450 {
            world.happen(of(if number % 3 == 0 { 1 } else { 2 }), number).await;
        }
        let mut stream = world.open("1", Some(&last)).await;
        world.happen(Audience::Public, 450).await;
        let expected: Vec<u64> = (2..=450).filter(|it| it % 3 == 0).collect();
        assert_eq!(stream.numbers(expected.len()).await, expected);
        world.happen(Audience::Public, 451).await;
        assert_eq!(stream.numbers(1).await, [451]);
        world.relay.stop().await;
    });
}

#[test]
fn who_falls_far_behind_reads_everything_all_the_same() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store.clone()).await;
        let mut stream = world.open("1", None).await;
        // Read nothing while more goes by than is held for a listener.
        let happened: Vec<NewEvent> = (0..6000)
            .map(|number| NewEvent {
                kind: "test.happened",
                audience: Audience::Public,
                data: json!({ "number": number }),
            })
            .collect();
        store.locked(move |tx| events::record(tx, &happened, NOW_US)).await.unwrap();
        let mut last = 0;
        while last < 6000 {
            world.relay.wake();
            last = store.read(events::last_position).await.unwrap();
        }
        let numbers = stream.numbers(6000).await;
        assert!(numbers.into_iter().eq(0..6000));
        world.relay.stop().await;
    });
}

#[test]
fn a_stream_ends_with_the_token_and_with_the_server() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store).await;
        let mut first = world.open("1", None).await;
        world.happen(Audience::Public, 1).await;
        assert_eq!(first.numbers(1).await, [1]);
        let mut second = world.open("1", None).await;
        world.tokens.are_expired.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(1_050)).await;
        world.happen(Audience::Public, 2).await;
        assert_eq!(first.next().await, None);
        assert_eq!(second.next().await, None);
        world.tokens.are_expired.store(false, Ordering::Relaxed);
        let mut third = world.open("1", None).await;
        world.streams.stop();
        assert_eq!(third.next().await, None);
        world.relay.stop().await;
    });
}

#[test]
fn an_account_has_a_bounded_number_of_streams_and_gets_a_place_back() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store).await;
        let mut open = Vec::new();
        for _ in 0..PER_ACCOUNT_MAX {
            open.push(world.open("1", None).await);
        }
        assert_eq!(world.ask("1", None).await.0, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(world.ask("2", None).await.0, StatusCode::OK);
        open.pop();
        assert_eq!(world.ask("1", None).await.0, StatusCode::OK);
        world.relay.stop().await;
    });
}

#[test]
fn a_place_to_go_on_from_must_be_one() {
    for_each_engine(events::MIGRATIONS, async |store| {
        let world = world(store).await;
        for (after, status) in [
            ("x", StatusCode::BAD_REQUEST),
            ("", StatusCode::BAD_REQUEST),
            ("019aa5c3-1f00-7000-8000-000000000001", StatusCode::GONE),
        ] {
            assert_eq!(world.ask("1", Some(after)).await.0, status, "{after}");
        }
        assert_eq!(world.ask("ann", None).await.0, StatusCode::UNAUTHORIZED);
        // A refusal holds no place.
        for _ in 0..PER_ACCOUNT_MAX {
            assert_eq!(
                world.ask("1", Some("019aa5c3-1f00-7000-8000-000000000001")).await.0,
                StatusCode::GONE
            );
        }
        assert_eq!(world.ask("1", None).await.0, StatusCode::OK);
        world.relay.stop().await;
    });
}
