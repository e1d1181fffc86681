//! The browser client, embedded in the binary.

use std::collections::HashMap;
use std::sync::Arc;

use api::{Problem, kinds};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use rust_embed::Embed;

use crate::asset::{Asset, Freshness};

/// What `make run` built; nothing, if the binary was built without the client.
#[derive(Embed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
// Vite's own list of files, of no use to a browser.
#[exclude = ".vite/*"]
struct Dist;

const PAGE: &str = "index.html";

/// Vite puts everything whose name holds a hash of its content here, and nothing else.
const HASHED_FOLDER: &str = "assets/";

const NOT_BUILT: &str = include_str!("../assets/not_built.html");

/// Every file of the client by its path.
#[derive(Clone)]
pub(crate) struct Client(Arc<HashMap<String, Asset>>);

impl Client {
    /// Compresses all of it, once.
    pub(crate) fn load() -> Self {
        let mut files: HashMap<String, Asset> = Dist::iter()
            .filter_map(|path| {
                let file = Dist::get(&path)?;
                let hashed = path.starts_with(HASHED_FOLDER);
                let freshness = if hashed { Freshness::Immutable } else { Freshness::Revalidate };
                let content = match file.data {
                    std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
                };
                let asset = Asset::new(&path, content, &file.metadata.sha256_hash(), freshness);
                Some((path.into_owned(), asset))
            })
            .collect();
        files.entry(PAGE.to_owned()).or_insert_with(|| {
            Asset::new(PAGE, Bytes::from_static(NOT_BUILT.as_bytes()), b"not built", Freshness::Revalidate)
        });
        Self(Arc::new(files))
    }

    /// The file a browser asks for by `path`. A page address without a file is a place inside the client, which
    /// reads it itself; anything else that is not there is not there.
    fn find(&self, path: &str, takes_html: bool) -> Option<&Asset> {
        let file = path.trim_start_matches('/');
        self.0.get(file).or_else(|| {
            // A page of its own, as the map is, or a place inside the client.
            let is_page = file.is_empty() || is_page(path, takes_html);
            let page = self.0.get(&format!("{file}.html")).or_else(|| self.0.get(PAGE));
            page.filter(|_| is_page)
        })
    }
}

/// Whether a path may be a place inside the client.
pub(crate) fn is_page(path: &str, takes_html: bool) -> bool {
    let path = path.trim_start_matches('/');
    let is_ours =
        path.split('/').next().is_some_and(|first| !["api", "health", ".well-known"].contains(&first));
    is_ours && takes_html && !path.rsplit('/').next().is_some_and(|name| name.contains('.'))
}

/// Whether it is a browser that wants to show something.
pub(crate) fn takes_html(headers: &HeaderMap) -> bool {
    let mut accepts = headers.get_all(header::ACCEPT).iter();
    accepts.any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")))
}

/// The fallback of the router: whatever no route takes.
pub(crate) async fn serve(
    State(client): State<Client>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match client.find(uri.path(), takes_html(&headers)) {
        Some(_) if !matches!(method, Method::GET | Method::HEAD) => Problem::from(kinds::METHOD_NOT_ALLOWED)
            .header(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"))
            .into_response(),
        Some(asset) => asset.answer(&headers),
        None => Problem::from(kinds::NOT_FOUND).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_page_and_its_places_lead_to_it() {
        let client = Client::load();
        let page =
            |path, takes_html| client.find(path, takes_html).map(|asset| asset.answer(&HeaderMap::new()));
        for (path, takes_html) in [("/", false), ("/index.html", false), ("/map", true), ("/lots/4be6", true)]
        {
            let answer = page(path, takes_html).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        }
        for (path, takes_html) in [
            ("/map", false),
            ("/missing.js", true),
            ("/api/v1/missing", true),
            ("/health/x", true),
            ("/../x.y", true),
        ] {
            assert!(page(path, takes_html).is_none(), "{path}");
        }
    }
}
