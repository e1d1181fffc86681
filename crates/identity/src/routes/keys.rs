//! `/users/me/keys`.

use std::sync::Arc;

use api::text::{NameRule, parse_name};
use api::{Caller, Problem, ProblemKind, ValidJson, ValidPath, timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ListAnswer, fault, parse_key, require_fresh, uncached};
use crate::base64url;
use crate::challenge::Nonce;
use crate::device_key::DeviceKey;
use crate::keys::{KEYS_PER_ACCOUNT_MAX, KeyError, LABEL_CHARACTERS_MAX, OwnKey};
use crate::service::Identity;

const KEY_TAKEN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "key_taken", "This key opens another account");
const KEY_KNOWN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "key_known", "This key opens your account already");
const TOO_MANY_KEYS: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "too_many_keys", "Your account has as many keys as it may");
const LAST_WAY_IN: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "last_way_in", "Without this you could not come in any more");
const NO_SUCH_KEY: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_key", "Your account has no such key");

const LABEL_RULE: NameRule = NameRule { chars_min: 1, chars_max: LABEL_CHARACTERS_MAX };

pub(super) fn routes() -> OpenApiRouter<Arc<Identity>> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(label, remove))
}

#[derive(Serialize, ToSchema)]
struct KeyItem {
    /// The public key in base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    key_id: String,
    /// What you call the device.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Laptop")]
    label: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    /// When it last opened a session.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    last_used_at: jiff::Timestamp,
    /// Whether it opened the session that asks.
    is_current: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyRequest {
    /// Ed25519 public key of the device: 32 bytes in base64url without padding.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", min_length = 43, max_length = 43)]
    public_key: String,
    /// The `nonce` of a challenge for the purpose `add_key`.
    #[schema(example = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc", min_length = 43, max_length = 43)]
    nonce: String,
    /// The key's signature over the challenge's `message`: 64 bytes in base64url without padding.
    #[schema(min_length = 86, max_length = 86)]
    signature: String,
    /// What you call the device.
    #[schema(example = "Laptop", min_length = 1, max_length = 60)]
    label: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct KeyChange {
    /// What you call the device; `null` for nothing.
    #[schema(example = "Laptop", min_length = 1, max_length = 60)]
    label: Option<String>,
}

/// List one's device keys.
#[utoipa::path(get, path = "/api/v1/users/me/keys", operation_id = "users_me_keys", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The keys, oldest first", body = ListAnswer<KeyItem>),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    let keys = identity.keys(caller.account_id).await?;
    let current = current_key(&identity, &caller).await?;
    Ok(uncached(ListAnswer { items: keys.into_iter().map(|key| item(key, current)).collect() }))
}

/// Add a device key.
///
/// Needs a login of the last 15 minutes, and the key's signature over a challenge for the purpose `add_key`. A key
/// opens one account: one that opens another cannot be added, so make a new one on that device first.
#[utoipa::path(post, path = "/api/v1/users/me/keys", operation_id = "users_me_key_add", tag = "users",
    security(("bearer" = [])),
    request_body = KeyRequest,
    responses(
        (status = 201, description = "The key opens the account now", body = KeyItem),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`, `challenge_not_open`, `signature_refused`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`key_taken`, `key_known`, `too_many_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field cannot be read (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn add(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidJson(request): ValidJson<KeyRequest>,
) -> Result<Response, Problem> {
    require_fresh(&identity, &caller)?;
    let key = parse_key(&request.public_key)?;
    let nonce = Nonce::parse(&request.nonce)
        .ok_or_else(|| fault("nonce", "must be 32 bytes in base64url without padding"))?;
    let signature = base64url::decode_array(&request.signature)
        .ok_or_else(|| fault("signature", "must be 64 bytes in base64url without padding"))?;
    let label = parse_label(request.label)?;
    let added = identity.add_key(caller.account_id, key, nonce, &signature, label).await?;
    let current = current_key(&identity, &caller).await?;
    Ok((StatusCode::CREATED, uncached(item(added, current))).into_response())
}

/// Name a device.
#[utoipa::path(patch, path = "/api/v1/users/me/keys/{key_id}", operation_id = "users_me_key_label", tag = "users",
    params(("key_id" = String, Path, description = "The public key in base64url")),
    security(("bearer" = [])),
    request_body = KeyChange,
    responses(
        (status = 200, description = "The key as it is now", body = KeyItem),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_key`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "Not a name (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn label(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidPath(key_id): ValidPath<String>,
    ValidJson(change): ValidJson<KeyChange>,
) -> Result<Response, Problem> {
    let key = DeviceKey::parse(&key_id).map_err(|_| NO_SUCH_KEY)?;
    let key = identity.label_key(caller.account_id, key, parse_label(change.label)?).await?;
    let current = current_key(&identity, &caller).await?;
    Ok(uncached(item(key, current)))
}

/// Remove a device key.
///
/// The sessions that it opened end, and it opens nothing any more, not even a new account. The key of the session that
/// asks may go at any time; others need a login of the last 15 minutes. The last way into the account stays.
#[utoipa::path(delete, path = "/api/v1/users/me/keys/{key_id}", operation_id = "users_me_key_remove", tag = "users",
    params(("key_id" = String, Path, description = "The public key in base64url")),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is removed"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_key`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_way_in`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidPath(key_id): ValidPath<String>,
) -> Result<StatusCode, Problem> {
    let key = DeviceKey::parse(&key_id).map_err(|_| NO_SUCH_KEY)?;
    let is_own = current_key(&identity, &caller).await? == Some(*key.as_bytes());
    if !is_own {
        require_fresh(&identity, &caller)?;
    }
    identity.remove_key(caller.account_id, key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The key that opened the caller's session.
async fn current_key(identity: &Identity, caller: &Caller) -> Result<Option<[u8; 32]>, Problem> {
    Ok(identity.key_of_session(caller.account_id, caller.session_id).await?)
}

fn parse_label(label: Option<String>) -> Result<Option<String>, Problem> {
    let label = label.map(|it| parse_name(&it, LABEL_RULE)).transpose();
    label.map_err(|error| fault("label", error.to_string()))
}

fn item(key: OwnKey, current: Option<[u8; 32]>) -> KeyItem {
    KeyItem {
        key_id: base64url::encode(&key.public_key),
        is_current: current == Some(key.public_key),
        label: key.label,
        created_at: timestamp(key.created_us),
        last_used_at: timestamp(key.last_used_us),
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Taken => KEY_TAKEN.detail("make a new key on that device, and add that one"),
            KeyError::Known => KEY_KNOWN.into(),
            KeyError::TooMany => TOO_MANY_KEYS.detail(format!("at most {KEYS_PER_ACCOUNT_MAX}")),
            KeyError::NotFound => NO_SUCH_KEY.into(),
            KeyError::LastWayIn => {
                LAST_WAY_IN.detail("add another key, or an address and a password, before you remove it")
            }
            KeyError::Login(error) => error.into(),
        }
    }
}
