//! One attempt to deliver.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use reqwest::{Client, Response, redirect};
use tracing::warn;

use crate::address::{AddressFault, Destinations};

/// From the first step to the answer's head.
const TIME_MAX: Duration = Duration::from_secs(20);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);
const AGENT: &str = concat!("Terrane-Webhooks/", env!("CARGO_PKG_VERSION"));

/// What is sent.
#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) url: String,
    /// The same at each attempt: by it the receiver knows what it has seen.
    pub(crate) id: String,
    pub(crate) timestamp_s: i64,
    pub(crate) signatures: String,
    pub(crate) body: String,
}

/// What came of an attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Outcome {
    /// `None` if there was no answer.
    pub(crate) status: Option<u16>,
    /// Why there was no answer, in words for the webhook's owner.
    pub(crate) fault: Option<&'static str>,
    /// What the answer asks for.
    pub(crate) retry_after_s: Option<i64>,
}

impl Outcome {
    fn without_answer(fault: &'static str) -> Self {
        Self { status: None, fault: Some(fault), retry_after_s: None }
    }

    /// Taken: any 2xx. A redirect is none: it is not followed.
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_some_and(|it| (200..300).contains(&it))
    }

    /// The receiver wants nothing any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.status == Some(410)
    }
}

/// The HTTP client of webhooks.
#[derive(Clone)]
pub struct Sender {
    /// None where the machine has no certificates to believe.
    client: Option<Client>,
    destinations: Destinations,
}

impl Sender {
    /// Sends only to these. On a machine without certificates it sends nothing and says why: everything else of a planet
    /// works without webhooks.
    pub fn new(destinations: Destinations) -> Self {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .dns_resolver(Arc::new(destinations))
            // What the environment says about proxies is for other programs.
            .no_proxy()
            .timeout(TIME_MAX)
            .connect_timeout(CONNECT_TIME_MAX)
            // A connection that waits was checked long ago.
            .pool_max_idle_per_host(0)
            .build();
        let client = client.inspect_err(|error| warn!(?error, "webhooks cannot be sent")).ok();
        Self { client, destinations }
    }

    /// Which addresses it sends to.
    pub fn destinations(&self) -> Destinations {
        self.destinations
    }

    pub(crate) async fn send(&self, letter: Letter) -> Outcome {
        // The rules may have become stricter since the URL was taken.
        let Ok(url) = self.destinations.check_url(&letter.url) else {
            return Outcome::without_answer("the URL is not allowed any more");
        };
        let Some(client) = &self.client else {
            return Outcome::without_answer("this server cannot send webhooks at the moment");
        };
        let request = client
            .post(url)
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", letter.id)
            .header("webhook-timestamp", letter.timestamp_s)
            .header("webhook-signature", letter.signatures)
            .body(letter.body);
        match request.send().await {
            // The answer's body says nothing to us and is not read.
            Ok(answer) => Outcome {
                status: Some(answer.status().as_u16()),
                fault: None,
                retry_after_s: retry_after_s(&answer),
            },
            Err(error) => Outcome::without_answer(explain(&error)),
        }
    }
}

/// Seconds, or an instant.
fn retry_after_s(answer: &Response) -> Option<i64> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    text.parse().ok().or_else(|| {
        let until = DateTimeParser::new().parse_timestamp(text).ok()?;
        Some(until.as_second() - Timestamp::now().as_second())
    })
}

/// In words that say what to do about it and nothing about our network.
fn explain(error: &reqwest::Error) -> &'static str {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.is::<AddressFault>() {
            return "the host's address is not public";
        }
        cause = inner.source();
    }
    if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection: is the name right, the server up, its certificate valid?"
    } else {
        "the connection broke before an answer came"
    }
}
