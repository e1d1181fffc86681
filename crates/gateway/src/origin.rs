//! Which web pages may speak for a person.
//!
//! A browser tells with `Origin` which page a request comes from. Two things depend on it: the text that a device
//! signs to log in names it, and only our own page may change something or open a WebSocket. With configured origins
//! exactly those pass; without, a page must come from the host that the request was sent to, which is right on one's
//! own machine and behind a proxy that passes `Host` on.

use std::sync::Arc;

use api::{Problem, ProblemKind};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use identity::SiteOrigin;
use identity::challenge::is_plain_origin;

use crate::hosts::{HOST_INVALID, name_of};
use crate::peer::Way;

const ORIGIN_REFUSED: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "origin_refused", "This web page may not speak to this planet");

/// The pages that are ours.
#[derive(Clone, Debug)]
pub(crate) struct Origins {
    public: Arc<[String]>,
    /// Pages of others that may use the API as our own do.
    welcome: Arc<[String]>,
}

impl Origins {
    /// `public` in lower case; empty for "the host that was asked". `welcome`, too.
    pub(crate) fn new(public: &[String], welcome: &[String]) -> Self {
        Self { public: public.into(), welcome: welcome.into() }
    }

    /// The origin a request counts for.
    fn of(&self, headers: &HeaderMap, is_https: bool) -> Result<SiteOrigin, Problem> {
        let text =
            |name| headers.get(name).map(|value| value.to_str().unwrap_or_default().to_ascii_lowercase());
        let host = text(header::HOST);
        let origin = text(header::ORIGIN);
        let origin = match (origin, self.public.first(), host) {
            (Some(origin), ..) if self.welcome.contains(&origin) => origin,
            (Some(origin), Some(_), _) if self.public.contains(&origin) => origin,
            (Some(origin), None, Some(host)) if host_of(&origin) == Some(host.as_str()) => origin,
            (Some(origin), ..) => {
                return Err(ORIGIN_REFUSED.detail(format!(
                    "requests from {:?} are not taken; if this page is yours, name it in http.public_origins",
                    origin.chars().take(100).collect::<String>()
                )));
            }
            // No browser page: a program speaks for itself.
            (None, Some(first), _) => first.clone(),
            (None, None, Some(host)) if is_https => format!("https://{host}"),
            (None, None, Some(host)) => format!("http://{host}"),
            (None, None, None) => return Err(HOST_INVALID.into()),
        };
        if is_plain_origin(&origin) { Ok(SiteOrigin(origin)) } else { Err(HOST_INVALID.into()) }
    }
}

impl Origins {
    /// Whether a page may open a session on another port of the host that is asked: a page of ours comes from a port
    /// of HTTP.
    pub(crate) fn check_on_another_port(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let name = |host: &HeaderValue| host.to_str().ok().and_then(name_of);
        let origin =
            headers.get(header::ORIGIN).map(|it| it.to_str().unwrap_or_default().to_ascii_lowercase());
        let host = headers.get(header::HOST).and_then(name);
        let is_from_host = |origin: &str| host_of(origin).and_then(name_of) == host && host.is_some();
        match origin {
            Some(origin) if self.public.is_empty() && is_from_host(&origin) => Ok(()),
            _ => self.of(headers, true).map(drop),
        }
    }
}

fn host_of(origin: &str) -> Option<&str> {
    origin.split_once("://").map(|(_, host)| host)
}

/// Middleware: notes the origin of every request that could change something, and refuses it from other pages.
pub(crate) async fn origin_layer(
    State(origins): State<Origins>,
    mut request: Request,
    next: Next,
) -> Response {
    let is_upgrade = request.headers().contains_key(header::UPGRADE);
    if is_upgrade || !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        let is_https = request.extensions().get::<Way>().is_some_and(|way| way.is_https);
        match origins.of(request.headers(), is_https) {
            Ok(origin) => {
                request.extensions_mut().insert(origin);
            }
            Err(problem) => return problem.into_response(),
        }
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        public: &[&str],
        origin: Option<&'static str>,
        host: Option<&'static str>,
        expected: Result<&str, &str>,
    ) {
        let public: Vec<String> = public.iter().map(ToString::to_string).collect();
        let mut headers = HeaderMap::new();
        origin.map(|origin| headers.insert(header::ORIGIN, origin.parse().unwrap()));
        host.map(|host| headers.insert(header::HOST, host.parse().unwrap()));
        let found = Origins::new(&public, &["https://friend.example".to_owned()]).of(&headers, false);
        let found = found.as_ref().map(|SiteOrigin(origin)| origin.as_str()).map_err(Problem::code);
        assert_eq!(found, expected, "{public:?} {origin:?} {host:?}");
    }

    #[test]
    fn without_configuration_a_page_must_come_from_the_host_that_was_asked() {
        let host = Some("localhost:7380");
        check(&[], Some("http://localhost:7380"), host, Ok("http://localhost:7380"));
        check(&[], Some("http://LocalHost:7380"), host, Ok("http://localhost:7380"));
        check(&[], Some("https://planet.example"), Some("planet.example"), Ok("https://planet.example"));
        check(&[], None, host, Ok("http://localhost:7380"));
        check(&[], Some("https://friend.example"), host, Ok("https://friend.example"));
        for foreign in ["http://localhost:7381", "http://evil.example", "null", "", "localhost:7380"] {
            check(&[], Some(foreign), host, Err("origin_refused"));
        }
        check(&[], None, None, Err("host_invalid"));
        check(&[], None, Some("a b"), Err("host_invalid"));
        check(&[], Some("http://a/b"), Some("a/b"), Err("host_invalid"));
    }

    #[test]
    fn with_configuration_only_the_named_pages_pass_whatever_the_host_says() {
        let public = ["https://planet.example", "https://www.planet.example"];
        check(
            &public,
            Some("https://www.planet.example"),
            Some("10.0.0.7:7380"),
            Ok("https://www.planet.example"),
        );
        check(&public, None, Some("10.0.0.7:7380"), Ok("https://planet.example"));
        check(&public, Some("https://evil.example"), Some("evil.example"), Err("origin_refused"));
        check(&public, Some("http://planet.example"), Some("planet.example"), Err("origin_refused"));
    }
}
