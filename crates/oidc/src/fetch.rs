//! Questions to a provider: bounded in time, size, number and destination.
//!
//! The operator named the issuer, so its host is asked wherever it stands. Other hosts are named by the provider's
//! documents and must be of the open internet, so that nobody reaches through us what only we can reach. No redirect
//! is followed, and nothing of the environment's proxies is used.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, Request, Response as HttpResponse, StatusCode};
use http_cache_semantics::{CacheOptions, CachePolicy};
use notify::Destinations;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, Url, redirect};
use tokio::sync::Semaphore;
use tracing::warn;

use crate::config::{ProviderConfig, endpoint, literal};
use crate::fault::Fault;

/// From the first step to the last byte.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(5);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// Bytes of an answer; a discovery document has about 2 000, a set of keys about 4 000.
pub(crate) const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Questions to one provider at once; a further one is refused rather than kept waiting.
const QUESTIONS_MAX: usize = 32;

const AGENT: &str = concat!("Terrane-Login/", env!("CARGO_PKG_VERSION"));

/// An answer with its body.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Vec<u8>,
    /// How long it may be kept, as its headers say.
    pub(crate) fresh: Duration,
}

/// The HTTP client for one provider.
pub(crate) struct Fetcher {
    /// None where the machine has no certificates to believe.
    client: Option<Client>,
    own_host: String,
    allow_http: bool,
    questions: Semaphore,
}

impl Fetcher {
    /// For the provider of a checked configuration.
    pub(crate) fn new(config: &ProviderConfig) -> Self {
        let own_host = Url::parse(&config.issuer)
            .ok()
            .and_then(|it| it.host_str().map(str::to_owned))
            .expect("the configuration was checked");
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(Hosts { own: own_host.clone() }))
            .no_proxy()
            .timeout(TIME_MAX)
            .connect_timeout(CONNECT_TIME_MAX)
            // A connection that waits was checked long ago.
            .pool_max_idle_per_host(0)
            .user_agent(AGENT)
            .build();
        let client = client
            .inspect_err(|error| warn!(provider = config.id, ?error, "nobody can sign in with this provider"))
            .ok();
        Self { client, own_host, allow_http: config.allow_http, questions: Semaphore::new(QUESTIONS_MAX) }
    }

    /// An address that the provider's documents name for us to ask.
    pub(crate) fn parse_endpoint(&self, text: &str) -> Option<Url> {
        let url = endpoint(text, self.allow_http)?;
        let host = url.host_str()?;
        // The client connects to a written address without asking its resolver.
        let is_allowed = host == self.own_host
            || url.scheme() == "http"
            || literal(host).is_none()
            || Destinations::Public.check_url(text).is_ok();
        is_allowed.then_some(url)
    }

    /// Reads a document.
    pub(crate) async fn get(&self, url: Url, now: SystemTime) -> Result<Answer, Fault> {
        let question = self.client()?.get(url.clone()).header(ACCEPT, "application/json");
        let (status, headers, body) = self.ask(question).await?;
        Ok(Answer { status, body, fresh: fresh(&url, status, headers, now) })
    }

    /// Sends a form; `authorization` is a whole header.
    pub(crate) async fn post(
        &self,
        url: Url,
        form: String,
        authorization: Option<HeaderValue>,
    ) -> Result<Answer, Fault> {
        let mut question = self
            .client()?
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form);
        if let Some(mut header) = authorization {
            header.set_sensitive(true);
            question = question.header(AUTHORIZATION, header);
        }
        let (status, _, body) = self.ask(question).await?;
        Ok(Answer { status, body, fresh: Duration::ZERO })
    }

    fn client(&self) -> Result<&Client, Fault> {
        self.client.as_ref().ok_or(Fault::Unavailable)
    }

    async fn ask(
        &self,
        question: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, HeaderMap, Vec<u8>), Fault> {
        let _permit = self.questions.try_acquire().map_err(|_| Fault::Unavailable)?;
        let answer = question.send().await.map_err(|error| unavailable(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok((status, headers, body_of(answer).await?))
    }
}

/// Nothing of the URL, which may hold what is nobody's business, gets into the log.
fn unavailable(error: &reqwest::Error) -> Fault {
    warn!(is_timeout = error.is_timeout(), is_connect = error.is_connect(), "a provider did not answer");
    Fault::Unavailable
}

/// The length that is announced is a promise of the other side: bytes are counted as they come.
async fn body_of(mut answer: Response) -> Result<Vec<u8>, Fault> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unavailable(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            warn!("a provider's answer is too large");
            return Err(Fault::Unavailable);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// RFC 9111, as for any cache of one user.
fn fresh(url: &Url, status: StatusCode, headers: HeaderMap, now: SystemTime) -> Duration {
    let Ok(question) = Request::get(url.as_str()).body(()) else { return Duration::ZERO };
    let mut answer = HttpResponse::new(());
    (*answer.status_mut(), *answer.headers_mut()) = (status, headers);
    let options = CacheOptions { shared: false, ..CacheOptions::default() };
    let policy = CachePolicy::new_options(&question, &answer, now, options);
    if policy.is_storable() { policy.time_to_live(now) } else { Duration::ZERO }
}

/// The resolver of the client: the client connects to the addresses that it gives.
struct Hosts {
    own: String,
}

impl Resolve for Hosts {
    fn resolve(&self, name: Name) -> Resolving {
        // `http` goes to this machine alone, by what is written; see `endpoint`.
        if name.as_str() != self.own && name.as_str() != "localhost" {
            return Destinations::Public.resolve(name);
        }
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header;

    use super::*;

    #[test]
    fn an_answer_is_kept_as_long_as_its_headers_say() {
        let url = Url::parse("https://login.example/keys").unwrap();
        let now = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
        let check = |headers: &[(header::HeaderName, &str)]| {
            let headers =
                headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
            fresh(&url, StatusCode::OK, headers, now).as_secs()
        };
        assert_eq!(check(&[(header::CACHE_CONTROL, "public, max-age=600")]), 600);
        assert_eq!(check(&[(header::CACHE_CONTROL, "private, max-age=600")]), 600);
        assert_eq!(check(&[(header::CACHE_CONTROL, "max-age=600"), (header::AGE, "500")]), 100);
        assert_eq!(check(&[(header::CACHE_CONTROL, "no-store, max-age=600")]), 0);
        assert_eq!(check(&[(header::CACHE_CONTROL, "no-cache")]), 0);
        assert_eq!(check(&[]), 0);
    }

    #[test]
    fn a_providers_documents_lead_to_its_own_host_or_to_the_open_internet() {
        let config = |issuer: &str, allow_http| ProviderConfig {
            id: "a".to_owned(),
            name: "A".to_owned(),
            issuer: issuer.to_owned(),
            client_id: "a".to_owned(),
            client_secret: None,
            scopes: vec!["openid".to_owned()],
            allow_http,
        };
        let inside = Fetcher::new(&config("https://10.0.0.5/realm", false));
        let outside = Fetcher::new(&config("https://login.example", false));
        let here = Fetcher::new(&config("http://127.0.0.1:3000", true));
        for (fetcher, url, is_allowed) in [
            (&inside, "https://10.0.0.5/token", true),
            (&inside, "https://10.0.0.6/token", false),
            (&outside, "https://login.example/token", true),
            (&outside, "https://tokens.example/token", true),
            (&outside, "https://169.254.169.254/latest", false),
            (&outside, "https://127.0.0.1/token", false),
            (&outside, "http://login.example/token", false),
            (&here, "http://127.0.0.1:3000/token", true),
            (&here, "http://10.0.0.5/token", false),
        ] {
            assert_eq!(fetcher.parse_endpoint(url).is_some(), is_allowed, "{url}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_to_this_machine_is_not_asked() {
        let hosts = Hosts { own: "login.example".to_owned() };
        assert!(hosts.resolve("127.0.0.1.nip.invalid".parse().unwrap()).await.is_err());
        assert!(hosts.resolve("ip6-localhost".parse().unwrap()).await.is_err());
    }
}
