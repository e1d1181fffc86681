//! Bytes that never change, answered as HTTP wants it: conditions, ranges, caches.

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::problems;
use crate::range::{self, Wanted};

/// What can be sent, with all that is said about it.
#[derive(Clone, Debug)]
pub(crate) struct File {
    bytes: Bytes,
    etag: HeaderValue,
    media_type: &'static str,
    is_gzip: bool,
}

/// How long who has it may keep it without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The address names the planet by its hash.
    Immutable,
    /// It follows from the planet and from how this node is reached.
    Hour,
    /// The address may mean another planet tomorrow.
    Revalidate,
}

impl Freshness {
    fn cache_control(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Hour => "public, max-age=3600",
            Self::Revalidate => "no-cache",
        })
    }
}

impl File {
    pub(crate) fn new(media_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        let hash = blake3::hash(&bytes).to_hex();
        Self::with_tag(media_type, bytes, &hash[..32])
    }

    /// For bytes whose hash is known already.
    pub(crate) fn with_tag(media_type: &'static str, bytes: impl Into<Bytes>, tag: &str) -> Self {
        let etag = HeaderValue::from_str(&format!("\"{tag}\"")).expect("tags are hexadecimal");
        Self { bytes: bytes.into(), etag, media_type, is_gzip: false }
    }

    /// Says that the bytes are packed by gzip.
    pub(crate) fn packed(self) -> Self {
        Self { is_gzip: true, ..self }
    }

    /// Bytes in memory.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The answer to a request with these headers.
    pub(crate) fn answer(&self, request: &HeaderMap, freshness: Freshness) -> Response {
        let mut response = self.content(request);
        let headers = response.headers_mut();
        // A refused range is a problem document, which no cache may keep.
        headers.entry(header::CACHE_CONTROL).or_insert(freshness.cache_control());
        headers.insert(header::ETAG, self.etag.clone());
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        open_to_all_sites(headers);
        response
    }

    fn content(&self, request: &HeaderMap) -> Response {
        if range::names_tag(request, &header::IF_NONE_MATCH, &self.etag) {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        let length = self.bytes.len() as u64;
        let (status, bytes, content_range) = match range::wanted(request, &self.etag, length) {
            Wanted::All => (StatusCode::OK, self.bytes.clone(), None),
            Wanted::Part { first, last } => (
                StatusCode::PARTIAL_CONTENT,
                self.bytes.slice(first as usize..=last as usize),
                Some(format!("bytes {first}-{last}/{length}")),
            ),
            Wanted::Nothing => {
                let problem = problems::RANGE_NOT_SATISFIABLE.detail(format!("there are {length} bytes"));
                return problem
                    .header(header::CONTENT_RANGE, ascii(&format!("bytes */{length}")))
                    .into_response();
            }
        };
        let mut response = Response::new(Body::from(bytes));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        if self.is_gzip {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(range) = content_range {
            headers.insert(header::CONTENT_RANGE, ascii(&range));
        }
        response
    }
}

/// Anybody's page may show our maps.
pub(crate) fn open_to_all_sites(headers: &mut HeaderMap) {
    const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let readable = HeaderValue::from_static("accept-ranges, content-range, etag, retry-after, x-request-id");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, readable);
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("cross-origin"));
}

fn ascii(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("made of letters and digits")
}
