//! One file held in memory, ready to be sent: compressed once, named by its content.

use std::fmt::Write as _;
use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Saving less than this is not worth the client's unpacking.
const COMPRESSED_SHARE_MAX: f64 = 0.95;

/// How long a client may keep a file without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The name changes with the content.
    Immutable,
    /// To be asked for each time; unchanged is answered with 304.
    Revalidate,
}

/// A file and everything that is said about it.
#[derive(Clone, Debug)]
pub(crate) struct Asset {
    plain: Bytes,
    gzip: Option<Bytes>,
    content_type: HeaderValue,
    etag: HeaderValue,
    cache_control: HeaderValue,
}

impl Asset {
    /// `fingerprint` is a hash of `content`.
    pub(crate) fn new(path: &str, content: Bytes, fingerprint: &[u8], freshness: Freshness) -> Self {
        let mut hex = String::new();
        for byte in fingerprint.iter().take(16) {
            write!(hex, "{byte:02x}").expect("writing to memory does not fail");
        }
        let content_type = content_type(path);
        let gzip = is_compressible(content_type)
            .then(|| gzip(&content))
            .filter(|packed| (packed.len() as f64) < content.len() as f64 * COMPRESSED_SHARE_MAX);
        Self {
            plain: content,
            gzip,
            content_type: HeaderValue::from_static(content_type),
            // Weak: the compressed and the plain form share it.
            etag: HeaderValue::from_str(&format!("W/\"{hex}\"")).expect("hexadecimal is plain ASCII"),
            cache_control: HeaderValue::from_static(match freshness {
                Freshness::Immutable => "public, max-age=31536000, immutable",
                Freshness::Revalidate => "no-cache",
            }),
        }
    }

    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, request: &HeaderMap) -> Response {
        let mut response = if self.is_known_to(request) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let packed = self.gzip.as_ref().filter(|_| takes_gzip(request));
            let mut response = Response::new(Body::from(packed.unwrap_or(&self.plain).clone()));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, self.content_type.clone());
            if packed.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        };
        let headers = response.headers_mut();
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::CACHE_CONTROL, self.cache_control.clone());
        headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        response
    }

    fn is_known_to(&self, request: &HeaderMap) -> bool {
        let ours = self.etag.to_str().expect("made of ASCII").trim_start_matches("W/");
        list_items(request, &header::IF_NONE_MATCH)
            .any(|theirs| theirs == "*" || theirs.trim_start_matches("W/") == ours)
    }
}

/// Whether `gzip` is among the accepted encodings and not with weight 0.
fn takes_gzip(request: &HeaderMap) -> bool {
    list_items(request, &header::ACCEPT_ENCODING).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).and_then(|weight| weight.parse::<f32>().ok());
        is_gzip && weight != Some(0.0)
    })
}

fn list_items<'h>(headers: &'h HeaderMap, name: &header::HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        // The browser compiles it while it arrives only under this type.
        "wasm" => "application/wasm",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

fn is_compressible(content_type: &str) -> bool {
    content_type.starts_with("text/")
        || [
            "application/json",
            "application/manifest+json",
            "application/wasm",
            "image/svg+xml",
            "image/x-icon",
        ]
        .contains(&content_type)
}

fn gzip(content: &[u8]) -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(7));
    encoder.write_all(content).expect("writing to memory does not fail");
    encoder.finish().expect("writing to memory does not fail").into()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn asset() -> Asset {
        let content = "let planet = 'round'; ".repeat(100);
        Asset::new("assets/a-1b2c.js", content.into(), &[0xab; 32], Freshness::Immutable)
    }

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    async fn body(response: Response) -> Bytes {
        axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap()
    }

    #[tokio::test]
    async fn gzip_is_sent_to_those_who_take_it_and_is_the_same_file() {
        let packed = asset().answer(&headers(&[(header::ACCEPT_ENCODING, "br, GZIP;q=0.8")]));
        assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
        let mut unpacked = String::new();
        let bytes = body(packed).await;
        flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut unpacked).unwrap();
        for refusal in ["", "br", "gzip;q=0", "xgzip"] {
            let plain = asset().answer(&headers(&[(header::ACCEPT_ENCODING, refusal)]));
            assert!(!plain.headers().contains_key(header::CONTENT_ENCODING), "{refusal}");
            assert_eq!(body(plain).await, unpacked.as_bytes());
        }
    }

    #[tokio::test]
    async fn a_file_the_client_has_is_not_sent_again() {
        let first = asset().answer(&HeaderMap::new());
        let etag = first.headers()[header::ETAG].to_str().unwrap().to_owned();
        assert_eq!(etag, format!("W/\"{}\"", "ab".repeat(16)));
        for known in [etag.clone(), format!("\"x\", {etag}"), etag.replace("W/", ""), "*".to_owned()] {
            let mut request = HeaderMap::new();
            request.insert(header::IF_NONE_MATCH, known.parse().unwrap());
            let again = asset().answer(&request);
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{known}");
            assert!(body(again).await.is_empty());
        }
        let other = asset().answer(&headers(&[(header::IF_NONE_MATCH, "\"x\"")]));
        assert_eq!(other.status(), StatusCode::OK);
    }

    #[test]
    fn only_content_named_by_its_hash_is_kept_without_asking() {
        assert!(
            asset().answer(&HeaderMap::new()).headers()[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .contains("immutable")
        );
        let page = Asset::new("index.html", Bytes::from_static(b"<p>"), &[1; 32], Freshness::Revalidate);
        let response = page.answer(&HeaderMap::new());
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-cache");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }
}
