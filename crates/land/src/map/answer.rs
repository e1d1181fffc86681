//! Maps over HTTP: they change, so whoever has one asks whether it is still right.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// The answer with a body, or that the one the client has is right.
pub(crate) fn answer(request: &HeaderMap, media_type: &'static str, bytes: Vec<u8>) -> Response {
    let hash = blake3::hash(&bytes).to_hex();
    let etag = HeaderValue::from_str(&format!("\"{}\"", &hash[..32])).expect("hexadecimal is plain ASCII");
    let mut response = if names_tag(request, &etag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(bytes));
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
        response
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, etag);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Anybody's page may show our maps.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("etag, x-request-id"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
    response
}

/// Is a tag, or `*`, in `If-None-Match`? Weakness does not matter there.
fn names_tag(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let lines = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|theirs| {
        theirs == "*" || theirs.strip_prefix("W/").unwrap_or(theirs).as_bytes() == etag.as_bytes()
    })
}
