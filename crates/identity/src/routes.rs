//! HTTP: `/api/v1/auth/…`, `/api/v1/users/…`, `/.well-known/jwks.json`. Here: device keys, refreshing, the key set.

mod api_keys;
mod email;
mod keys;
mod profile;
mod sessions;

use std::sync::Arc;

use api::text::{NameRule, parse_name};
use api::{Caller, ClientAddress, Problem, ProblemKind, ValidJson, kinds, timestamp};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Json, http::HeaderName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::base64url;
use crate::challenge::Nonce;
use crate::color::Color;
use crate::device_key::DeviceKey;
use crate::names::DISPLAY_NAME_CHARACTERS_MAX;
use crate::refresh_token::RefreshToken;
use crate::service::{Identity, LoginError, RefreshError, Session, Wishes};
use crate::signing_key::PublicJwk;

const CHALLENGE_NOT_OPEN: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "challenge_not_open", "This challenge cannot be answered");
const SIGNATURE_REFUSED: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "signature_refused", "The signature does not fit");
const REFRESH_REFUSED: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "refresh_token_invalid", "The refresh token is not valid");
const REFRESH_REUSED: ProblemKind = ProblemKind::new(
    StatusCode::UNAUTHORIZED,
    "refresh_token_reused",
    "The refresh token was used before, so the session has been ended",
);
const KEY_REMOVED: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "key_removed", "This key was removed from its account");
const ACCOUNT_GONE: ProblemKind =
    ProblemKind::new(StatusCode::UNAUTHORIZED, "account_gone", "The account of this token does not exist");

const NAME_RULE: NameRule = NameRule { chars_min: 1, chars_max: DISPLAY_NAME_CHARACTERS_MAX };

/// How long others may keep the key set: well below the time between two rotations.
const JWKS_CACHE: &str = "public, max-age=300";

/// The origin that a request counts for, as the gateway found it: an extension of every request.
#[derive(Clone, Debug)]
pub struct SiteOrigin(pub String);

/// All routes of this crate.
pub fn routes(identity: Arc<Identity>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(challenge))
        .routes(routes!(verify))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(jwks))
        .merge(email::routes())
        .merge(profile::routes())
        .merge(keys::routes())
        .merge(sessions::routes())
        .merge(api_keys::routes())
        .with_state(identity)
}

/// A list that is always whole.
#[derive(Serialize, ToSchema)]
struct ListAnswer<T> {
    items: Vec<T>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ChallengePurpose {
    /// To open a session, and an account if the key has none.
    #[default]
    Login,
    /// To add the key to the account of the caller, which needs their token.
    AddKey,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChallengeRequest {
    /// Ed25519 public key of the device: 32 bytes in base64url without padding.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", min_length = 43, max_length = 43)]
    public_key: String,
    /// What the signature is for.
    #[serde(default)]
    purpose: ChallengePurpose,
}

#[derive(Serialize, ToSchema)]
struct ChallengeAnswer {
    /// The exact text to sign, as UTF-8. Sign it only if its `origin` line is the address you have open.
    #[schema(
        example = "terrane-login/1\norigin: http://127.0.0.1:7380\nkey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\nnonce: BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc\nissued: 1795251600\nexpires: 1795251720\n"
    )]
    message: String,
    /// Names the challenge in the answer.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    nonce: String,
    /// When it stops being answerable.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:02:00Z")]
    expires_at: jiff::Timestamp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyRequest {
    /// The key the challenge was asked for with.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", min_length = 43, max_length = 43)]
    public_key: String,
    /// The `nonce` of the challenge.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", min_length = 43, max_length = 43)]
    nonce: String,
    /// Ed25519 signature over `message`: 64 bytes in base64url without padding.
    #[schema(min_length = 86, max_length = 86)]
    signature: String,
    /// Wanted on the first visit; made up if absent. Ignored for an account that exists.
    #[schema(example = "Quiet Heron", min_length = 1, max_length = 32)]
    display_name: Option<String>,
    /// Wanted on the first visit; picked if absent. Ignored for an account that exists.
    #[schema(example = "#e4572e", pattern = "^#[0-9a-fA-F]{6}$")]
    color: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshRequest {
    /// The newest refresh token of the session.
    #[schema(min_length = 43, max_length = 43)]
    refresh_token: String,
}

/// An open session as every way of signing in answers.
#[derive(Serialize, ToSchema)]
pub struct SessionAnswer {
    /// For the `Authorization` header and the hello of `/ws`.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 900)]
    expires_in: i64,
    /// Good for one refresh; keep it where only the device can read it.
    refresh_token: String,
    account: AccountAnswer,
}

#[derive(Serialize, ToSchema)]
struct AccountAnswer {
    account_id: Uuid,
    /// What others see; not unique.
    #[schema(example = "Quiet Heron")]
    display_name: String,
    #[schema(example = "#e4572e")]
    color: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    /// Whether the account was made by this very request.
    is_new: bool,
}

/// A JWK set (RFC 7517).
#[derive(Serialize, ToSchema)]
struct JwksAnswer {
    keys: Vec<PublicJwk>,
}

/// Ask for a text to sign.
///
/// The answer is the same for keys that have an account and keys that have none. A challenge can be answered once,
/// within two minutes. For `add_key` the text begins with `terrane-add-key/1` and ends with a line that names the
/// account, and the caller must have signed in within the last 15 minutes.
#[utoipa::path(post, path = "/api/v1/auth/challenge", operation_id = "auth_challenge", tag = "auth",
    request_body = ChallengeRequest,
    responses(
        (status = 200, description = "The text to sign", body = ChallengeAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "To add a key: `token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The request comes from another site (`origin_refused`); to add a key: `fresh_login_required`, `forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a usable public key (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn challenge(
    State(identity): State<Arc<Identity>>,
    Extension(SiteOrigin(origin)): Extension<SiteOrigin>,
    caller: Result<Caller, Problem>,
    ValidJson(request): ValidJson<ChallengeRequest>,
) -> Result<Response, Problem> {
    let key = parse_key(&request.public_key)?;
    let issued = match request.purpose {
        ChallengePurpose::Login => identity.challenge(key, &origin).await?,
        ChallengePurpose::AddKey => {
            let caller = caller?;
            require_fresh(&identity, &caller)?;
            identity.challenge_to_add(&caller, key, &origin).await?
        }
    };
    Ok(uncached(ChallengeAnswer {
        message: issued.text,
        nonce: issued.nonce.text(),
        expires_at: timestamp(issued.expires_s * 1_000_000),
    }))
}

/// Answer a challenge and open a session.
///
/// The first answer of a key makes an account with a welcome grant. Whether right or wrong, the answer uses the
/// challenge up.
#[utoipa::path(post, path = "/api/v1/auth/verify", operation_id = "auth_verify", tag = "auth",
    request_body = VerifyRequest,
    responses(
        (status = 200, description = "A session", body = SessionAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "The challenge was never issued to this key, is used or expired (`challenge_not_open`), the signature is wrong (`signature_refused`), or the key was removed from its account (`key_removed`)", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many new accounts from this address (`quota_exceeded`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be read, or the name looks like that of staff (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn verify(
    State(identity): State<Arc<Identity>>,
    address: ClientAddress,
    headers: HeaderMap,
    ValidJson(request): ValidJson<VerifyRequest>,
) -> Result<Response, Problem> {
    let key = parse_key(&request.public_key)?;
    let nonce = Nonce::parse(&request.nonce)
        .ok_or_else(|| fault("nonce", "must be 32 bytes in base64url without padding"))?;
    let signature = base64url::decode_array(&request.signature)
        .ok_or_else(|| fault("signature", "must be 64 bytes in base64url without padding"))?;
    let wishes = Wishes {
        display_name: request.display_name.as_deref().map(parse_display_name).transpose()?,
        color: request.color.as_deref().map(parse_color).transpose()?,
    };
    if !identity.knows_key(key.clone()).await? {
        identity.take_registration(address).await?;
    }
    let session = identity.answer(key, nonce, &signature, wishes, user_agent(&headers)).await?;
    Ok(session_response(session))
}

/// Go on with a session.
///
/// Spends the refresh token and gives a new pair. A token that comes back later than 20 seconds after its use, or
/// after its successor was used, ends the session for everybody who holds one of its tokens.
#[utoipa::path(post, path = "/api/v1/auth/refresh", operation_id = "auth_refresh", tag = "auth",
    request_body = RefreshRequest,
    responses(
        (status = 200, description = "The session with new tokens", body = SessionAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`refresh_token_invalid`, `refresh_token_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`account_suspended`; the token stays good for when it may be used again", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body has another form (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn refresh(
    State(identity): State<Arc<Identity>>,
    ValidJson(request): ValidJson<RefreshRequest>,
) -> Result<Response, Problem> {
    let token = RefreshToken::parse(&request.refresh_token).ok_or(REFRESH_REFUSED)?;
    let session = identity.refresh(token).await?;
    Ok(session_response(session))
}

/// End a session.
///
/// All tokens of the session are dead afterwards, the access token too: here at once, on other nodes within five
/// seconds. A token that is not
/// known is no error, so that logging out twice is the same as once.
#[utoipa::path(post, path = "/api/v1/auth/logout", operation_id = "auth_logout", tag = "auth",
    request_body = RefreshRequest,
    responses(
        (status = 204, description = "The session has ended"),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The body has another form (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn logout(
    State(identity): State<Arc<Identity>>,
    ValidJson(request): ValidJson<RefreshRequest>,
) -> Result<StatusCode, Problem> {
    if let Some(token) = RefreshToken::parse(&request.refresh_token) {
        identity.logout(token).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The public keys of this planet's access tokens.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "jwks", tag = "auth",
    responses((status = 200, description = "A JWK set; a token's `kid` names its key", body = JwksAnswer)))]
async fn jwks(State(identity): State<Arc<Identity>>) -> Response {
    let cache: (HeaderName, HeaderValue) = (header::CACHE_CONTROL, HeaderValue::from_static(JWKS_CACHE));
    ([cache], Json(JwksAnswer { keys: identity.public_keys() })).into_response()
}

fn parse_key(text: &str) -> Result<DeviceKey, Problem> {
    DeviceKey::parse(text).map_err(|error| fault("public_key", error.to_string()))
}

fn parse_display_name(text: &str) -> Result<String, Problem> {
    parse_name(text, NAME_RULE).map_err(|error| fault("display_name", error.to_string()))
}

fn parse_color(text: &str) -> Result<Color, Problem> {
    Color::parse(text).ok_or_else(|| fault("color", "must look like #e4572e"))
}

fn fault(field: &str, detail: impl Into<String>) -> Problem {
    Problem::from(kinds::INVALID_BODY).at(format!("#/{field}"), detail)
}

/// The answer to somebody who has just signed in.
pub fn session_response(session: Session) -> Response {
    uncached(SessionAnswer::from(session))
}

/// What the browser calls itself.
fn user_agent(headers: &HeaderMap) -> Option<String> {
    headers.get(header::USER_AGENT)?.to_str().ok().map(str::to_owned)
}

/// Refuses machines, and people who signed in too long ago.
fn require_fresh(identity: &Identity, caller: &Caller) -> Result<(), Problem> {
    caller.require_fresh(identity.now_us().div_euclid(1_000_000))
}

/// A name that looks like that of a member of staff.
fn name_reserved() -> Problem {
    fault("display_name", "looks like the name of a member of staff")
}

fn suspended(until_us: Option<i64>) -> Problem {
    let problem = Problem::from(kinds::ACCOUNT_SUSPENDED);
    match until_us {
        Some(until_us) => problem.detail(format!("until {}", timestamp(until_us))),
        None => problem,
    }
}

/// Answers about one person and their keys belong in nobody's cache.
fn uncached(body: impl Serialize) -> Response {
    ([(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)).into_response()
}

impl From<Session> for SessionAnswer {
    fn from(session: Session) -> Self {
        Self {
            access_token: session.access_token,
            token_type: "Bearer",
            expires_in: crate::ACCESS_TOKEN_LIFE_S,
            refresh_token: session.refresh_token.text(),
            account: AccountAnswer {
                account_id: session.account.account_id,
                display_name: session.account.display_name,
                color: session.account.color.to_string(),
                created_at: timestamp(session.account.created_us),
                is_new: session.is_new,
            },
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::ChallengeNotOpen => {
                CHALLENGE_NOT_OPEN.detail("ask for a new one and answer it once, within two minutes")
            }
            LoginError::SignatureRefused => SIGNATURE_REFUSED
                .detail("sign the exact bytes of the challenge's message with the key it names"),
            LoginError::KeyRemoved => KEY_REMOVED.into(),
            LoginError::NoSuchAccount => ACCOUNT_GONE.into(),
            LoginError::Suspended { until_us } => suspended(until_us),
            LoginError::NameReserved => name_reserved(),
            LoginError::Setup(cause) => Self::internal(&cause),
            LoginError::Store(error) => error.into(),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Refused => REFRESH_REFUSED.into(),
            RefreshError::Reused => REFRESH_REUSED.into(),
            RefreshError::Suspended { until_us } => suspended(until_us),
            RefreshError::Store(error) => error.into(),
        }
    }
}
