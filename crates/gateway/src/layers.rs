//! What happens to every request, whichever route it is for.

use std::time::{Duration, Instant};

use api::{Problem, ProblemKind, REQUEST_ID};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use telemetry::{TraceContext, trace_state};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::peer::{Peer, Proxies};

/// How long a request may take, its body included; then it is answered with `timeout`.
pub(crate) const REQUEST_TIME_MAX: Duration = Duration::from_secs(15);

const TIMEOUT: ProblemKind =
    ProblemKind::new(StatusCode::SERVICE_UNAVAILABLE, "timeout", "The request took too long");

/// No inline script, no script from elsewhere, no frame around us. `'wasm-unsafe-eval'` lets the page compile its
/// WebAssembly and nothing else.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; \
     script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     object-src 'none'; base-uri 'none'; frame-ancestors 'none'";

const SECURITY_HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
];

/// A browser that has seen us over TLS comes so for a year.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// Outermost: finds out where the request comes from, names it, writes it down, and puts our headers on its answer.
pub(crate) async fn frame_layer(
    State(proxies): State<Proxies>,
    mut request: Request,
    next: Next,
) -> Response {
    // Ours, never the client's: what stands in a log must not be chosen by a stranger.
    let request_uuid = Uuid::now_v7();
    let request_id = request_uuid.to_string();
    let id_value = HeaderValue::from_str(&request_id).expect("a UUID is plain ASCII");
    request.headers_mut().insert(REQUEST_ID, id_value.clone());
    let trace_id = settle_trace(&mut request, request_uuid).trace_id();

    let peer = request.extensions().get::<Peer>().copied().expect("the server says who is at the other end");
    let (address, way) = proxies.see(peer, request.headers_mut());
    request.extensions_mut().insert(address);
    request.extensions_mut().insert(way);
    let is_personal = request.headers().contains_key(header::AUTHORIZATION);

    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", %request_id, trace_id, %method, route);
    let started = Instant::now();

    let mut response = next.run(request).instrument(span.clone()).await;

    let status = response.status();
    let seconds = started.elapsed().as_secs_f64();
    // Bounded labels: routes are ours, and an unknown method is refused before it is counted by name.
    let method = if route == "unmatched" { "any".to_owned() } else { method.to_string() };
    let labels = [("method", method), ("route", route), ("status", status.as_str().to_owned())];
    metrics::counter!("terrane_http_requests_total", &labels).increment(1);
    metrics::histogram!("terrane_http_request_seconds", &labels[1..2]).record(seconds);
    span.in_scope(|| tracing::debug!(status = status.as_u16(), seconds, "answered"));

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id_value);
    for (name, value) in SECURITY_HEADERS {
        // A route may say otherwise: map tiles are for the pages of others, too.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if way.is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
    }
    if is_personal {
        // What is said to one person is kept nowhere, unless the route says otherwise.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    }
    response
}

/// Follows the caller's trace, or begins one; what stands in the request afterwards may be handed on.
fn settle_trace(request: &mut Request, request_id: Uuid) -> TraceContext {
    // The second half of the id is random.
    let (_, span_id) = request_id.as_u64_pair();
    let headers = request.headers_mut();
    let mut parents = headers.get_all(TRACE_PARENT).iter();
    let theirs = match (parents.next(), parents.next()) {
        (Some(parent), None) => parent.to_str().ok().and_then(TraceContext::parse),
        _ => None,
    };
    // Without its trace a state means nothing.
    let state = theirs.and_then(|_| {
        let lines: Option<Vec<&str>> =
            headers.get_all(TRACE_STATE).iter().map(|it| it.to_str().ok()).collect();
        trace_state(lines?.into_iter())
    });
    let ours = match theirs {
        Some(theirs) => theirs.step(span_id),
        None => TraceContext::begin(request_id.as_u128(), span_id),
    };
    let value = |text: &str| HeaderValue::from_str(text).expect("checked to be plain ASCII");
    headers.insert(TRACE_PARENT, value(&ours.header()));
    match state {
        Some(state) => headers.insert(TRACE_STATE, value(&state)),
        None => headers.remove(TRACE_STATE),
    };
    ours
}

/// Ends a request that takes too long, because its body dawdles or because we do.
pub(crate) async fn time_layer(State(time_max): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(time_max, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(TIMEOUT).retry_after_s(2).into_response(),
    }
}
