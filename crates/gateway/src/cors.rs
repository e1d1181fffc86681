//! Pages of others that may use the API from a browser: those of `http.cors_origins`, and none by default.
//!
//! Access is by token alone, so browsers are not told to send cookies along. What answers everybody (tiles) says so
//! itself.

use std::time::Duration;

use api::REQUEST_ID;
use axum::http::{HeaderName, HeaderValue, Method, header};
use limits::{RATE_LIMIT, RATE_LIMIT_POLICY};
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what is allowed.
const REMEMBERED: Duration = Duration::from_mins(10);

/// `origins` in lower case.
pub(crate) fn layer(origins: &[String]) -> CorsLayer {
    let allowed = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(allowed))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("traceparent"),
            HeaderName::from_static("tracestate"),
        ])
        .expose_headers([
            header::ETAG,
            header::RETRY_AFTER,
            header::LOCATION,
            REQUEST_ID,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
        ])
        .max_age(REMEMBERED)
}
