//! `GET /api/v1/events`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api::{Caller, Problem, ProblemKind, Verifier};
use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use store::{Store, params};
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::feed::{Feed, HEARTBEAT_INTERVAL, Reader};
use crate::{Relay, StoredEvent, outbox};

/// Streams that one account may have open at once.
pub const PER_ACCOUNT_MAX: usize = 4;
/// Streams that one process carries at once.
pub const STREAMS_MAX: usize = 5000;

store::statements! {
    /// Where an event is in the order.
    POSITION_OF = "select event_position from events where event_id = $1 and event_position is not null";
}

const TOO_MANY: ProblemKind =
    ProblemKind::new(StatusCode::TOO_MANY_REQUESTS, "too_many_streams", "Too many event streams are open");
const FULL: ProblemKind = ProblemKind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "streams_full",
    "As many event streams are open as this node carries",
);
const GONE: ProblemKind =
    ProblemKind::new(StatusCode::GONE, "event_gone", "The event to go on from is not kept any more");
const INVALID_ID: ProblemKind =
    ProblemKind::new(StatusCode::BAD_REQUEST, "invalid_last_event_id", "The Last-Event-ID cannot be read");

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The open streams of this process.
pub struct Streams {
    store: Store,
    listeners: broadcast::Sender<Arc<StoredEvent>>,
    stop: watch::Sender<bool>,
    open: Mutex<HashMap<Uuid, usize>>,
}

impl Streams {
    /// Streams of what this relay tells.
    pub fn new(store: Store, relay: &Relay) -> Arc<Self> {
        let listeners = relay.listeners();
        Arc::new(Self { store, listeners, stop: watch::Sender::new(false), open: Mutex::default() })
    }

    /// Ends all of them: their readers go on elsewhere, from where they stopped.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        // Each change is one statement, so a panic elsewhere leaves it whole.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_place(self: &Arc<Self>, account_id: Uuid) -> Result<Place, Problem> {
        let mut open = self.lock();
        if open.values().sum::<usize>() >= STREAMS_MAX {
            return Err(Problem::from(FULL).retry_after_s(10));
        }
        let of_account = open.entry(account_id).or_default();
        if *of_account >= PER_ACCOUNT_MAX {
            return Err(TOO_MANY.detail(format!("an account can have {PER_ACCOUNT_MAX}")).retry_after_s(10));
        }
        *of_account += 1;
        metrics::gauge!("terrane_event_streams").increment(1);
        Ok(Place { streams: Arc::clone(self), account_id })
    }
}

/// One open stream of an account.
pub(crate) struct Place {
    streams: Arc<Streams>,
    account_id: Uuid,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.lock();
        if let Some(count) = open.get_mut(&self.account_id) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.account_id);
            }
        }
        metrics::gauge!("terrane_event_streams").decrement(1);
    }
}

/// The route.
pub fn routes(streams: Arc<Streams>) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(events)).with_state(streams)
}

/// What happens, as it happens
///
/// Your own events and those that are open to all, as `text/event-stream`. The data of each is `{"event_id", "kind",
/// "at", "data"}`. Give the id of the last one you saw as `Last-Event-ID` to go on after it; without it the stream
/// begins now. A comment comes every 15 seconds when nothing else does. The stream ends with your access token: come
/// again with a new one. Events can be read again for 7 days.
#[utoipa::path(get, path = "/api/v1/events", operation_id = "events", tag = "events",
    security(("bearer" = [])),
    params(("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was read", example = "019aa5c3-1f00-7000-8000-000000000001")),
    responses(
        (status = 200, description = "The stream", body = String, content_type = "text/event-stream"),
        (status = 400, description = "`invalid_last_event_id`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The event is unknown or not kept any more (`event_gone`): ask for the state of things and begin anew", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_streams`: 4 of one account", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`streams_full`, `preparing`, `timeout`, `storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn events(
    State(streams): State<Arc<Streams>>,
    caller: Caller,
    Extension(verifier): Extension<Verifier>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let last_event_id = parse_last_event_id(&headers)?;
    let place = streams.take_place(caller.account_id)?;
    // Listening begins before the table is asked, so that nothing falls between the two.
    let listener = streams.listeners.subscribe();
    let position = match last_event_id {
        None => streams.store.read(outbox::last_position).await?,
        Some(event_id) => streams
            .store
            .read(move |tx| {
                let row = tx.query_opt(POSITION_OF, params![event_id])?;
                row.map(|row| row.get::<i64>(0)).transpose()
            })
            .await?
            .ok_or_else(|| Problem::from(GONE))?,
    };
    let mut heartbeat = interval_at(Instant::now() + HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let feed = Feed {
        store: streams.store.clone(),
        reader: Reader { account_id: caller.account_id, token: bearer(&headers), verifier },
        listener,
        stop: streams.stop.subscribe(),
        position,
        is_behind: last_event_id.is_some(),
        heartbeat,
        token_seen_at: Instant::now(),
        _place: place,
    };
    // The first bytes at once, so that a reader behind a proxy knows that it is connected.
    let hello = futures_util::stream::once(std::future::ready(":\n\n".into()));
    let told = futures_util::stream::unfold(feed, async |mut feed| feed.next().await.map(|it| (it, feed)));
    let bytes = futures_util::StreamExt::map(
        futures_util::StreamExt::chain(hello, told),
        Ok::<bytes::Bytes, std::convert::Infallible>,
    );
    let mut response = Body::from_stream(bytes).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Proxies that gather answers before they pass them on are asked not to.
    answer.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

fn parse_last_event_id(headers: &HeaderMap) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(LAST_EVENT_ID) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let id = Uuid::try_parse(text).map_err(|_| INVALID_ID.detail("it is the `id` of an event, a UUID"))?;
    Ok(Some(id))
}

/// The token that [`Caller`] was read from, to be looked at again.
fn bearer(headers: &HeaderMap) -> String {
    let value = headers.get(header::AUTHORIZATION).and_then(|it| it.to_str().ok());
    let token = value.and_then(|it| it.split_once(' ')).map(|(_, token)| token.trim());
    token.unwrap_or_default().to_owned()
}
