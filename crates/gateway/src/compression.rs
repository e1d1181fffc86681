//! Answers made smaller on their way.
//!
//! Files of the client are compressed once, when the program starts; pictures are small already. What is left are
//! lists in JSON. Compression tells a listener something about what is in an answer together with what he made the
//! client ask (BREACH). So no answer with a secret is compressed: only answers to `GET` that may be kept, and tokens,
//! keys and codes are given out by `POST` and `no-store` alone.

use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;

/// Below this it is not worth the work.
const BYTES_MIN: u64 = 1_024;

/// Types that shrink.
const TYPES: [&str; 4] = ["application/json", "application/geo+json", "text/csv", "application/schema+json"];

/// On an answer: it was asked for with `GET` and holds no secret.
#[derive(Clone, Copy)]
struct Harmless;

/// Compresses what [`mark_layer`] has marked.
pub(crate) fn layer() -> CompressionLayer<Worthwhile> {
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(Worthwhile)
}

/// Middleware inside of [`layer`].
pub(crate) async fn mark_layer(request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let mut response = next.run(request).await;
    if is_get && response.status() == StatusCode::OK && is_harmless(response.headers()) {
        response.extensions_mut().insert(Harmless);
    }
    response
}

fn is_harmless(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // A strong tag names these very bytes.
    let has_strong_tag = headers.contains_key(header::ETAG) && !text(header::ETAG).starts_with("W/");
    !text(header::CACHE_CONTROL).contains("no-store")
        && !headers.contains_key(header::SET_COOKIE)
        && !has_strong_tag
}

/// What is marked, large and of a type that shrinks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Worthwhile;

impl Predicate for Worthwhile {
    fn should_compress<B: http_body::Body>(&self, response: &axum::http::Response<B>) -> bool {
        let declared = response.headers().get(header::CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let essence = declared.and_then(|it| it.split(';').next()).unwrap_or_default();
        response.extensions().get::<Harmless>().is_some()
            && TYPES.contains(&essence)
            && response.body().size_hint().exact().is_none_or(|bytes| bytes >= BYTES_MIN)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http_body::Body as _;

    use super::*;

    fn is_compressed(headers: &[(header::HeaderName, &'static str)], bytes: usize) -> bool {
        let mut response = Response::new(Body::from(vec![b' '; bytes]));
        for (name, value) in headers {
            response.headers_mut().insert(name, value.parse().unwrap());
        }
        if is_harmless(response.headers()) {
            response.extensions_mut().insert(Harmless);
        }
        assert_eq!(response.body().size_hint().exact(), Some(bytes as u64));
        Worthwhile.should_compress(&response)
    }

    #[test]
    fn lists_are_made_smaller_and_secrets_are_not() {
        let json = (header::CONTENT_TYPE, "application/json");
        assert!(is_compressed(std::slice::from_ref(&json), 1_024));
        assert!(is_compressed(&[(header::CONTENT_TYPE, "application/geo+json; charset=utf-8")], 9_000));
        assert!(is_compressed(&[json.clone(), (header::ETAG, "W/\"x\"")], 9_000));
        assert!(!is_compressed(std::slice::from_ref(&json), 1_023));
        assert!(!is_compressed(&[(header::CONTENT_TYPE, "image/webp")], 9_000));
        assert!(!is_compressed(&[(header::CONTENT_TYPE, "text/event-stream")], 9_000));
        assert!(!is_compressed(&[json.clone(), (header::CACHE_CONTROL, "private, no-store")], 9_000));
        assert!(!is_compressed(&[json.clone(), (header::SET_COOKIE, "a=b")], 9_000));
        assert!(!is_compressed(&[json, (header::ETAG, "\"x\"")], 9_000));
    }
}
