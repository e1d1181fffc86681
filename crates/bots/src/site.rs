//! A running server: what it says about its planet, and how to log in to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use glam::DVec3;
use motion::{Ground, Surface};
use planet::Planet;
use planet::artifact::{self, ARTIFACT_BYTES_MAX, ArtifactError, Digest};
use reqwest::{Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How often an overloaded server is asked again.
const TRIES: u32 = 6;
/// The longest wait before asking again.
const WAIT_MAX: Duration = Duration::from_secs(10);
const REQUEST_TIME_MAX: Duration = Duration::from_secs(30);

/// Why a site cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Not an address this client can speak to.
    #[error("`{0}` is not an address like http://127.0.0.1:7380")]
    Address(String),
    /// Nobody answers, or not in HTTP.
    #[error("no answer: {0}")]
    Unreachable(#[from] reqwest::Error),
    /// The server says no.
    #[error("{what} was refused with {status}: {detail}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The HTTP status.
        status: StatusCode,
        /// The beginning of the answer.
        detail: String,
    },
    /// The server speaks of something this build does not know.
    #[error("this build does not fit the server: {0}")]
    Mismatch(String),
    /// The planet that came is not the one that was announced.
    #[error("the server's planet cannot be used: {0}")]
    Planet(#[from] ArtifactError),
    /// The text to sign is for another site.
    #[error("the server asks to sign a login to another site: {0:?}")]
    ForeignChallenge(String),
}

/// A player's key.
#[derive(Clone)]
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// The key made of these 32 secret bytes.
    pub fn from_bytes(secret: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&secret))
    }

    /// A new key.
    pub fn random() -> Self {
        Self::from_bytes(rand::random())
    }

    fn public_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().as_bytes())
    }
}

/// The planet as the ground of crate `motion`.
#[derive(Clone)]
pub(crate) struct PlanetGround(Arc<Planet>);

impl Ground for PlanetGround {
    fn surface(&self, dir: DVec3) -> Surface {
        let planet::Ground { elevation_m, water_m } = self.0.ground(dir);
        Surface { elevation_m, water_m }
    }

    fn radius_m(&self) -> f64 {
        self.0.radius_m()
    }
}

/// A running server. Cheap to clone; its planet is made once.
#[derive(Clone)]
pub struct Site {
    origin: String,
    http: reqwest::Client,
    planet: Arc<Planet>,
}

/// A player who has logged in.
#[derive(Clone, Debug)]
pub struct Login {
    /// For the `Authorization` header and the hello.
    pub access_token: String,
    /// For a new access token.
    pub refresh_token: String,
    /// Who.
    pub account_id: Uuid,
    /// The name others see.
    pub display_name: String,
    /// Whether this login made the account.
    pub is_new: bool,
}

/// What a server answered.
pub(crate) struct Answer {
    status: StatusCode,
    /// Null if it was no JSON.
    pub(crate) body: serde_json::Value,
    /// From the request to the whole answer.
    pub(crate) took: Duration,
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        self.status.is_success()
    }
}

#[derive(Deserialize)]
struct PlanetInfo {
    planet_hash: String,
    protocol_hash: String,
}

#[derive(Serialize)]
struct ChallengeRequest {
    public_key: String,
}

#[derive(Deserialize)]
struct Challenge {
    message: String,
    nonce: String,
}

#[derive(Serialize)]
struct VerifyRequest<'a> {
    public_key: String,
    nonce: String,
    signature: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
}

#[derive(Deserialize)]
struct LoginAnswer {
    access_token: String,
    refresh_token: String,
    account: AccountAnswer,
}

#[derive(Deserialize)]
struct AccountAnswer {
    account_id: Uuid,
    display_name: String,
    is_new: bool,
}

impl Site {
    /// Asks the server at `address` (`http://host:port`) about its planet, and takes the planet's artifact from it.
    pub async fn open(address: &str) -> Result<Self, SiteError> {
        let origin = address.trim_end_matches('/').to_owned();
        let host = origin.strip_prefix("http://").filter(|host| !host.is_empty() && !host.contains('/'));
        if host.is_none() {
            return Err(SiteError::Address(address.to_owned()));
        }
        let http = reqwest::Client::builder().timeout(REQUEST_TIME_MAX).build()?;
        let answer = http.get(format!("{origin}/api/v1/planet")).send().await?;
        let info: PlanetInfo = accept("the planet", answer).await?.json().await?;
        if info.protocol_hash != wire::PROTOCOL_HASH.to_string() {
            return Err(SiteError::Mismatch("it was built from another protocol or other rules".into()));
        }
        let hash: Digest = info
            .planet_hash
            .parse()
            .map_err(|_| SiteError::Mismatch(format!("planet {}", info.planet_hash)))?;
        let answer = http.get(format!("{origin}/api/v1/planet/{hash}/artifact")).send().await?;
        let artifact = body_of(accept("the planet's artifact", answer).await?).await?;
        let planet = tokio::task::spawn_blocking(move || planet_of(&artifact, hash));
        let planet = planet.await.map_err(|_| SiteError::Mismatch("its planet cannot be made".into()))??;
        Ok(Self { origin, http, planet: Arc::new(planet) })
    }

    /// The server's planet.
    pub fn planet(&self) -> &Arc<Planet> {
        &self.planet
    }

    pub(crate) fn ground(&self) -> PlanetGround {
        PlanetGround(Arc::clone(&self.planet))
    }

    /// `host:port`.
    pub(crate) fn host(&self) -> &str {
        self.origin.strip_prefix("http://").expect("open has checked it")
    }

    /// Address of the realtime socket.
    pub(crate) fn socket_address(&self) -> String {
        format!("ws://{}/ws", self.host())
    }

    /// Asks `/api/v1/…` as somebody: a question without a body, a decision under a new key with one (null for none).
    pub(crate) async fn ask(
        &self,
        login: &Login,
        path: &str,
        decision: Option<&serde_json::Value>,
    ) -> Result<Answer, reqwest::Error> {
        let address = format!("{}/api/v1/{path}", self.origin);
        let began_at = Instant::now();
        let request = match decision {
            None => self.http.get(address),
            Some(body) => {
                let key = Uuid::from_bytes(rand::random()).to_string();
                let request = self.http.post(address).header("idempotency-key", key);
                if body.is_null() { request } else { request.json(body) }
            }
        };
        let answer = request.bearer_auth(&login.access_token).send().await?;
        let status = answer.status();
        let body = serde_json::from_slice(&answer.bytes().await?).unwrap_or_default();
        Ok(Answer { status, body, took: began_at.elapsed() })
    }

    /// Logs in with a key, by challenge and signature. A key not seen before makes an account, named `display_name` if
    /// given.
    pub async fn log_in(&self, key: &DeviceKey, display_name: Option<&str>) -> Result<Login, SiteError> {
        let asked = ChallengeRequest { public_key: key.public_text() };
        let challenge: Challenge = self.post("a challenge", "challenge", &asked).await?.json().await?;
        let names_us = challenge.message.lines().any(|line| line == format!("origin: {}", self.origin));
        if !names_us {
            return Err(SiteError::ForeignChallenge(challenge.message));
        }
        let signature = key.0.sign(challenge.message.as_bytes());
        let answer = VerifyRequest {
            public_key: key.public_text(),
            nonce: challenge.nonce,
            signature: URL_SAFE_NO_PAD.encode(signature.to_bytes()),
            display_name,
        };
        let login: LoginAnswer = self.post("the login", "verify", &answer).await?.json().await?;
        Ok(Login {
            access_token: login.access_token,
            refresh_token: login.refresh_token,
            account_id: login.account.account_id,
            display_name: login.account.display_name,
            is_new: login.account.is_new,
        })
    }

    /// Posts to `/api/v1/auth/…`, and again if the server asks to come back later.
    async fn post(
        &self,
        what: &'static str,
        route: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Response, SiteError> {
        let address = format!("{}/api/v1/auth/{route}", self.origin);
        let mut tries = 1;
        loop {
            let answer = self.http.post(&address).json(body).send().await?;
            let wait = retry_after(&answer).filter(|_| tries < TRIES);
            let Some(wait) = wait else { return accept(what, answer).await };
            tracing::debug!(what, ?wait, "the server asks to come back later");
            tokio::time::sleep(wait).await;
            tries += 1;
        }
    }
}

/// Bytes of an artifact, no more than one can have.
async fn body_of(mut answer: Response) -> Result<Vec<u8>, SiteError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if bytes.len() + chunk.len() > ARTIFACT_BYTES_MAX {
            return Err(SiteError::Mismatch("its planet's artifact does not end".into()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The planet of this hash and no other.
fn planet_of(artifact: &[u8], hash: Digest) -> Result<Planet, SiteError> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let (manifest, raster) = artifact::read(artifact, threads)?;
    if manifest.planet_hash() != hash {
        return Err(SiteError::Mismatch(format!("it sent planet {} for {hash}", manifest.planet_hash())));
    }
    Ok(Planet::new(manifest.identity().spec, Arc::new(raster)))
}

/// How long an overloaded server asks to wait.
fn retry_after(answer: &Response) -> Option<Duration> {
    let is_busy = matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let seconds = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    is_busy.then(|| Duration::from_secs(seconds.unwrap_or(1)).min(WAIT_MAX))
}

async fn accept(what: &'static str, answer: Response) -> Result<Response, SiteError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let detail = answer.text().await.unwrap_or_default().chars().take(300).collect();
    Err(SiteError::Refused { what, status, detail })
}
