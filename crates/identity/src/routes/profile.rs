//! `/users/me`, `/users/me/settings`, `/users/{account_id}`.

use std::sync::Arc;

use api::{Caller, Problem, ProblemKind, Role, ValidJson, ValidPath, timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ACCOUNT_GONE, fault, name_reserved, parse_color, parse_display_name, uncached};
use crate::service::{Identity, ProfileError};
use crate::settings::Settings;

const NO_SUCH_PERSON: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_person", "There is nobody with this id");

pub(super) fn routes() -> OpenApiRouter<Arc<Identity>> {
    OpenApiRouter::new()
        .routes(routes!(me, change_me))
        .routes(routes!(settings, change_settings))
        .routes(routes!(person))
}

#[derive(Serialize, ToSchema)]
struct OwnProfileAnswer {
    account_id: Uuid,
    /// What others see; not unique.
    #[schema(example = "Quiet Heron")]
    display_name: String,
    #[schema(example = "#e4572e")]
    color: String,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    /// What the account is to this planet.
    role: Role,
    /// Whether one can sign in with address and password.
    has_password: bool,
    /// The address; of one that was named and not confirmed yet, that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "ann@example.org")]
    email: Option<String>,
    /// Whether its owner has followed the link sent there.
    email_is_confirmed: bool,
    /// Whether nothing but device keys opens the account: whoever loses them loses it.
    is_guest: bool,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProfileChange {
    /// The new name; absent to keep the old one.
    #[schema(example = "Quiet Heron", min_length = 1, max_length = 32)]
    display_name: Option<String>,
    /// The new colour; absent to keep the old one.
    #[schema(example = "#e4572e", pattern = "^#[0-9a-fA-F]{6}$")]
    color: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct PersonAnswer {
    account_id: Uuid,
    #[schema(example = "Quiet Heron")]
    display_name: String,
    #[schema(example = "#e4572e")]
    color: String,
    /// Whether they act for this planet.
    is_staff: bool,
    /// Whether there is nobody any more; the name is not one then.
    is_erased: bool,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    /// When the account was last used, to the hour, if its owner shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T09:00:00Z")]
    last_seen_at: Option<jiff::Timestamp>,
}

/// See oneself.
#[utoipa::path(get, path = "/api/v1/users/me", operation_id = "users_me", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The account of the token", body = OwnProfileAnswer),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`, `account_gone`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn me(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    own_profile(&identity, &caller).await
}

/// Change one's name or colour.
///
/// Others see the change at once. A name must not look like that of a member of staff.
#[utoipa::path(patch, path = "/api/v1/users/me", operation_id = "users_me_change", tag = "users",
    security(("bearer" = [])),
    request_body = ProfileChange,
    responses(
        (status = 200, description = "The account as it is now", body = OwnProfileAnswer),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`, `account_gone`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A name or colour that is not allowed (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change_me(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidJson(change): ValidJson<ProfileChange>,
) -> Result<Response, Problem> {
    let display_name = change.display_name.as_deref().map(parse_display_name).transpose()?;
    let color = change.color.as_deref().map(parse_color).transpose()?;
    identity.change_profile(caller.account_id, display_name, color).await?.ok_or(ACCOUNT_GONE)?;
    own_profile(&identity, &caller).await
}

/// See one's settings.
///
/// They follow the account to each of its devices.
#[utoipa::path(get, path = "/api/v1/users/me/settings", operation_id = "users_me_settings", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The settings", body = Settings),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn settings(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    Ok(uncached(identity.settings(caller.account_id).await?))
}

/// Replace one's settings.
///
/// What is not given is as for somebody who has set nothing.
#[utoipa::path(put, path = "/api/v1/users/me/settings", operation_id = "users_me_settings_change", tag = "users",
    security(("bearer" = [])),
    request_body = Settings,
    responses(
        (status = 200, description = "The settings as they are now", body = Settings),
        (status = 400, description = "The body is not JSON (`malformed_json`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A value that is not allowed (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change_settings(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidJson(settings): ValidJson<Settings>,
) -> Result<Response, Problem> {
    if !settings.has_fit_language() {
        return Err(fault("language", "must look like en or de-CH"));
    }
    identity.change_settings(caller.account_id, settings.clone()).await?;
    Ok(uncached(settings))
}

/// See somebody.
///
/// What everybody may see: name, colour, whether they are staff.
#[utoipa::path(get, path = "/api/v1/users/{account_id}", operation_id = "users_get", tag = "users",
    params(("account_id" = Uuid, Path, description = "Whose profile")),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The person", body = PersonAnswer),
        (status = 400, description = "Not an id (`invalid_path`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_person`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn person(
    State(identity): State<Arc<Identity>>,
    _: Caller,
    ValidPath(account_id): ValidPath<Uuid>,
) -> Result<Response, Problem> {
    let profile = identity.public_profile(account_id).await?.ok_or(NO_SUCH_PERSON)?;
    Ok(uncached(PersonAnswer {
        account_id: profile.account.account_id,
        display_name: profile.account.display_name,
        color: profile.account.color.to_string(),
        is_staff: profile.role.is_staff(),
        is_erased: profile.is_erased,
        created_at: timestamp(profile.account.created_us),
        last_seen_at: profile.last_seen_us.map(timestamp),
    }))
}

async fn own_profile(identity: &Identity, caller: &Caller) -> Result<Response, Problem> {
    let own = identity.own_account(caller.account_id).await?.ok_or(ACCOUNT_GONE)?;
    let (email, email_is_confirmed) = own.address.map_or((None, false), |(address, is)| (Some(address), is));
    Ok(uncached(OwnProfileAnswer {
        account_id: own.account.account_id,
        display_name: own.account.display_name,
        color: own.account.color.to_string(),
        created_at: timestamp(own.account.created_us),
        role: caller.role,
        has_password: own.has_password,
        email,
        email_is_confirmed,
        is_guest: own.is_guest,
    }))
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::NameReserved => name_reserved(),
            ProfileError::Store(error) => error.into(),
        }
    }
}
