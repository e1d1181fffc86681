//! One provider: what it says of itself, kept as long as it may be, and the exchange of a code for a person.

use std::time::{Duration, SystemTime};

use axum::http::{HeaderValue, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;
use serde::Deserialize;
use tokio::sync::Mutex;
use tracing::warn;

use crate::config::{ClientSecret, ProviderConfig};
use crate::discovery::{self, ClientAuth, Metadata};
use crate::fault::{Fault, RETRY_AFTER_S};
use crate::fetch::{Answer, Fetcher};
use crate::id_token::{self, Expected, Signed};
use crate::keys::{Key, Keys};

const SECOND_US: i64 = 1_000_000;

/// Documents are kept at least so long, also where a provider says nothing or "not at all": a crowd that signs in must
/// not become a crowd of questions.
const KEEP_US_MIN: i64 = 60 * SECOND_US;

/// And never longer, whatever it says.
const KEEP_US_MAX: i64 = 24 * 3600 * SECOND_US;

/// A provider that was away is asked again after this; until then nobody waits for it.
const AWAY_US: i64 = RETRY_AFTER_S as i64 * SECOND_US;

/// An unknown key id makes us look again, once in this time: tokens with made-up ids must not make us ask.
const LOOK_AGAIN_US: i64 = 30 * SECOND_US;

/// What is asked of a browser that comes back.
pub(crate) struct Exchange<'a> {
    pub(crate) code: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: &'a str,
    pub(crate) nonce: &'a str,
}

/// What is asked of a browser that leaves.
pub(crate) struct Leaving<'a> {
    pub(crate) state: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) nonce: &'a str,
}

/// A provider and what is known of it.
pub(crate) struct Provider {
    pub(crate) config: ProviderConfig,
    fetcher: Fetcher,
    /// Held while asking, so that many who wait for one answer make one question.
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    metadata: Option<Kept<Metadata>>,
    keys: Option<Kept<Keys>>,
    away: Option<Kept<Fault>>,
    look_again_us: i64,
}

struct Kept<T> {
    value: T,
    until_us: i64,
}

impl<T: Clone> Kept<T> {
    fn of(this: Option<&Self>, now_us: i64) -> Option<T> {
        this.filter(|it| now_us < it.until_us).map(|it| it.value.clone())
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    id_token: Option<String>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

impl Provider {
    /// For a checked configuration. Asks nothing yet: a provider that is away keeps no planet from starting.
    pub(crate) fn new(config: ProviderConfig) -> Self {
        Self { fetcher: Fetcher::new(&config), config, known: Mutex::default() }
    }

    /// Where a browser is sent to sign in.
    pub(crate) async fn leave(&self, leaving: &Leaving<'_>, now_us: i64) -> Result<String, Fault> {
        let mut url = self.metadata(now_us).await?.authorization_endpoint;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.config.client_id)
            .append_pair("redirect_uri", leaving.redirect_uri)
            .append_pair("scope", &self.config.scopes.join(" "))
            .append_pair("state", leaving.state)
            .append_pair("nonce", leaving.nonce)
            .append_pair("code_challenge", leaving.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// RFC 9207: whether an answer with this `iss` can be this provider's.
    pub(crate) async fn check_answer_issuer(&self, named: Option<&str>, now_us: i64) -> Result<(), Fault> {
        let is_ours = match named {
            Some(named) => named == self.config.issuer,
            None => !self.metadata(now_us).await?.names_issuer,
        };
        if is_ours { Ok(()) } else { Err(Fault::AnswerIssuer) }
    }

    /// Who the person is, by the provider's word for `exchange.code`.
    pub(crate) async fn subject(&self, exchange: &Exchange<'_>, now_us: i64) -> Result<String, Fault> {
        let token = self.id_token(exchange, now_us).await?;
        let key = self.key(&id_token::signed(&token)?, now_us).await?;
        let expected = Expected {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: exchange.nonce,
            now_s: now_us.div_euclid(SECOND_US),
        };
        id_token::check(&token, &key, &expected)
    }

    async fn id_token(&self, exchange: &Exchange<'_>, now_us: i64) -> Result<String, Fault> {
        let metadata = self.metadata(now_us).await?;
        let (form, authorization) = self.question(exchange, metadata.client_auth);
        let answer = self.fetcher.post(metadata.token_endpoint, form, authorization).await?;
        match answer.status {
            StatusCode::OK => {
                let tokens: TokenAnswer =
                    serde_json::from_slice(&answer.body).map_err(|_| Fault::TokenMalformed)?;
                tokens.id_token.ok_or(Fault::TokenMalformed)
            }
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let refusal = serde_json::from_slice(&answer.body).ok();
                let error = refusal.map_or_else(String::new, |it: TokenRefusal| safe_word(&it.error));
                warn!(provider = self.config.id, error, "a provider refused a code");
                Err(Fault::CodeRefused)
            }
            _ => Err(Fault::Unavailable),
        }
    }

    /// What is posted for the tokens, and the header beside it.
    fn question(&self, exchange: &Exchange<'_>, auth: ClientAuth) -> (String, Option<HeaderValue>) {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "authorization_code")
            .append_pair("code", exchange.code)
            .append_pair("redirect_uri", exchange.redirect_uri)
            .append_pair("code_verifier", exchange.verifier);
        let client_id = &self.config.client_id;
        let mut authorization = None;
        match (auth, &self.config.client_secret) {
            (ClientAuth::Basic, Some(secret)) => authorization = Some(basic(client_id, secret)),
            (ClientAuth::Post, Some(secret)) => {
                form.append_pair("client_id", client_id).append_pair("client_secret", &secret.0);
            }
            _ => {
                form.append_pair("client_id", client_id);
            }
        }
        (form.finish(), authorization)
    }

    async fn metadata(&self, now_us: i64) -> Result<Metadata, Fault> {
        let mut known = self.known.lock().await;
        self.metadata_in(&mut known, now_us).await
    }

    async fn metadata_in(&self, known: &mut Known, now_us: i64) -> Result<Metadata, Fault> {
        if let Some(metadata) = Kept::of(known.metadata.as_ref(), now_us) {
            return Ok(metadata);
        }
        let address = discovery::address(&self.config).ok_or(Fault::DiscoveryUnusable)?;
        let read = |body: &[u8]| discovery::read(body, &self.config, &self.fetcher);
        let kept = self.document(&mut known.away, address, now_us, read).await?;
        // Keys belong to the address that the document names.
        known.keys = None;
        Ok(known.metadata.insert(kept).value.clone())
    }

    /// The key that a token names; looks again, once, if none is known by that name.
    async fn key(&self, signed: &Signed, now_us: i64) -> Result<Key, Fault> {
        let mut known = self.known.lock().await;
        let address = self.metadata_in(&mut known, now_us).await?.jwks_uri;
        let mut is_new = false;
        let mut keys = if let Some(keys) = Kept::of(known.keys.as_ref(), now_us) {
            keys
        } else {
            is_new = true;
            self.keys(&mut known, address.clone(), now_us).await?
        };
        if keys.find(signed.key_id.as_deref(), signed.algorithm).is_none()
            && !is_new
            && now_us >= known.look_again_us
        {
            known.look_again_us = now_us + LOOK_AGAIN_US;
            keys = self.keys(&mut known, address, now_us).await?;
        }
        keys.find(signed.key_id.as_deref(), signed.algorithm).cloned().ok_or(Fault::TokenKey)
    }

    async fn keys(&self, known: &mut Known, address: Url, now_us: i64) -> Result<Keys, Fault> {
        let kept = self.document(&mut known.away, address, now_us, Keys::read).await?;
        Ok(known.keys.insert(kept).value.clone())
    }

    /// A document, unless the provider has just been away.
    async fn document<T>(
        &self,
        away: &mut Option<Kept<Fault>>,
        address: Url,
        now_us: i64,
        read: impl Fn(&[u8]) -> Result<T, Fault>,
    ) -> Result<Kept<T>, Fault> {
        if let Some(fault) = Kept::of(away.as_ref(), now_us) {
            return Err(fault);
        }
        let now = SystemTime::UNIX_EPOCH + Duration::from_micros(u64::try_from(now_us).unwrap_or_default());
        let answer = self.fetcher.get(address, now).await.and_then(only_ok);
        match answer.and_then(|answer| Ok((read(&answer.body)?, answer.fresh))) {
            Ok((value, fresh)) => {
                let fresh_us = i64::try_from(fresh.as_micros()).unwrap_or(i64::MAX);
                Ok(Kept { value, until_us: now_us + fresh_us.clamp(KEEP_US_MIN, KEEP_US_MAX) })
            }
            Err(fault) => {
                *away = Some(Kept { value: fault, until_us: now_us + AWAY_US });
                Err(fault)
            }
        }
    }
}

fn only_ok(answer: Answer) -> Result<Answer, Fault> {
    if answer.status == StatusCode::OK { Ok(answer) } else { Err(Fault::Unavailable) }
}

/// RFC 6749 section 2.3.1: both are form-encoded before they are joined.
fn basic(client_id: &str, secret: &ClientSecret) -> HeaderValue {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(client_id), encode(&secret.0));
    HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).expect("base64 is visible ASCII")
}

/// A provider's error code for the log: a word, and not whatever it may have written.
pub(crate) fn safe_word(text: &str) -> String {
    text.chars().filter(|it| it.is_ascii_lowercase() || *it == '_').take(40).collect()
}
