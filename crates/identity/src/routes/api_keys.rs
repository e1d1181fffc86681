//! `/users/me/api-keys`.

use std::sync::Arc;

use api::text::{NameRule, parse_name};
use api::{Caller, Problem, ProblemKind, Scope, ValidJson, ValidPath, timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ListAnswer, fault, require_fresh, uncached};
use crate::api_keys::{API_KEY_DAYS_MAX, API_KEYS_PER_ACCOUNT_MAX, ApiKey, ApiKeyError, NewApiKey};
use crate::keys::LABEL_CHARACTERS_MAX;
use crate::service::Identity;

const TOO_MANY_API_KEYS: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "too_many_api_keys",
    "Your account has as many API keys as it may",
);
const NO_SUCH_API_KEY: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_api_key", "Your account has no such API key");

const NAME_RULE: NameRule = NameRule { chars_min: 1, chars_max: LABEL_CHARACTERS_MAX };

pub(super) fn routes() -> OpenApiRouter<Arc<Identity>> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(end))
}

#[derive(Serialize, ToSchema)]
struct ApiKeyItem {
    api_key_id: Uuid,
    /// What you call it.
    #[schema(example = "Price watcher")]
    name: String,
    /// What it may be used for.
    scopes: Vec<Scope>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    #[schema(value_type = String, format = DateTime, example = "2027-02-19T09:00:00Z")]
    expires_at: jiff::Timestamp,
    /// When it was last used, to the minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:00:00Z")]
    last_used_at: Option<jiff::Timestamp>,
}

#[derive(Serialize, ToSchema)]
struct NewApiKeyAnswer {
    #[serde(flatten)]
    key: ApiKeyItem,
    /// The key itself, for the `Authorization` header. It is shown this once.
    #[schema(example = "trn_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    secret: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ApiKeyRequest {
    /// What you call it.
    #[schema(example = "Price watcher", min_length = 1, max_length = 60)]
    name: String,
    /// What it may be used for, at least one. `staff` is for staff alone.
    #[schema(min_items = 1, max_items = 4)]
    scopes: Vec<Scope>,
    /// After how many days it stops working.
    #[schema(example = 90, minimum = 1, maximum = 365)]
    expires_in_days: u32,
}

/// List one's API keys.
#[utoipa::path(get, path = "/api/v1/users/me/api-keys", operation_id = "users_me_api_keys", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The keys that have not expired, newest first", body = ListAnswer<ApiKeyItem>),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    let items = identity.api_keys(caller.account_id).await?.into_iter().map(item).collect();
    Ok(uncached(ListAnswer { items }))
}

/// Make an API key.
///
/// A token for a machine that acts for you within its scopes. It can never change how you sign in. Needs a login of the
/// last 15 minutes.
#[utoipa::path(post, path = "/api/v1/users/me/api-keys", operation_id = "users_me_api_key_make", tag = "users",
    security(("bearer" = [])),
    request_body = ApiKeyRequest,
    responses(
        (status = 201, description = "The key; its secret is shown this once", body = NewApiKeyAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`too_many_api_keys`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value that is not allowed (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn make(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidJson(request): ValidJson<ApiKeyRequest>,
) -> Result<Response, Problem> {
    require_fresh(&identity, &caller)?;
    let name = parse_name(&request.name, NAME_RULE).map_err(|error| fault("name", error.to_string()))?;
    if request.scopes.is_empty() || request.scopes.len() > Scope::ALL.len() {
        return Err(fault("scopes", format!("must be 1 to {}", Scope::ALL.len())));
    }
    let days = request.expires_in_days;
    if !(1..=API_KEY_DAYS_MAX).contains(&days) {
        return Err(fault("expires_in_days", format!("must be from 1 to {API_KEY_DAYS_MAX}")));
    }
    let wish = NewApiKey { name, scopes: request.scopes, days };
    let (key, secret) = identity.make_api_key(caller.account_id, caller.role, wish).await?;
    Ok((StatusCode::CREATED, uncached(NewApiKeyAnswer { key: item(key), secret })).into_response())
}

/// End an API key.
///
/// At once on this node, within five seconds on others.
#[utoipa::path(delete, path = "/api/v1/users/me/api-keys/{api_key_id}", operation_id = "users_me_api_key_end", tag = "users",
    params(("api_key_id" = Uuid, Path, description = "Which key")),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It has ended"),
        (status = 400, description = "Not an id (`invalid_path`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_api_key`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidPath(api_key_id): ValidPath<Uuid>,
) -> Result<StatusCode, Problem> {
    if identity.end_api_key(caller.account_id, api_key_id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(NO_SUCH_API_KEY.into())
    }
}

fn item(key: ApiKey) -> ApiKeyItem {
    ApiKeyItem {
        api_key_id: key.api_key_id,
        name: key.name,
        scopes: key.scopes,
        created_at: timestamp(key.created_us),
        expires_at: timestamp(key.expires_us),
        last_used_at: key.last_used_us.map(timestamp),
    }
}

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        match error {
            ApiKeyError::TooMany => TOO_MANY_API_KEYS.detail(format!("at most {API_KEYS_PER_ACCOUNT_MAX}")),
            ApiKeyError::ScopeNotYours => fault("scopes", "staff is for staff alone"),
            ApiKeyError::Store(error) => error.into(),
        }
    }
}
