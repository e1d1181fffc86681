//! Groups over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::text::{self, NameRule};
use api::{Caller, IdempotencyKey, Page, Problem, ValidJson, ValidPath, kinds};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::rules::Role;
use crate::service::Groups;
use crate::view::GroupView;

const GROUP_NAME: NameRule = NameRule { chars_min: 2, chars_max: 40 };

/// A new group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateRequest {
    /// 2 to 40 characters as people count them; spaces around it are taken off.
    #[schema(min_length = 2, example = "Harbour Guild")]
    pub name: String,
}

/// A place in a group.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    /// What the account is to be.
    pub role: Role,
}

/// The routes of this crate, to be merged at the root.
pub fn routes(groups: Arc<Groups>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(list_mine))
        .routes(routes!(get_one, dissolve))
        .routes(routes!(put_member, remove_member))
        .with_state(groups)
}

/// Make a group
///
/// You are its first owner. An account may be in 16 groups, a group may have 100 members.
#[utoipa::path(post, path = "/api/v1/groups", operation_id = "group_create", tag = "groups",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")),
    request_body = CreateRequest,
    responses(
        (status = 201, description = "The group", body = GroupView),
        (status = 400, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`too_many_groups`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such name is possible (`invalid_body`); `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn create(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<CreateRequest>,
) -> Result<Answer, Problem> {
    let name = text::parse_name(&request.name, GROUP_NAME)
        .map_err(|fault| Problem::from(kinds::INVALID_BODY).at("#/name", fault.to_string()))?;
    groups.create(caller, name, key).await
}

/// Your groups
///
/// Those you are in and those you are invited to (`is_invited`), all on one page.
#[utoipa::path(get, path = "/api/v1/groups/mine", operation_id = "groups_mine", tag = "groups",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Your groups, without their members", body = Page<GroupView>),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_mine(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
) -> Result<Json<Page<GroupView>>, Problem> {
    Ok(Json(Page { items: groups.of_account(caller.account_id).await?, next_cursor: None }))
}

/// One group
///
/// Everybody may know its name and how many members it has; who they are is told to those who have joined.
#[utoipa::path(get, path = "/api/v1/groups/{group_id}", operation_id = "group", tag = "groups",
    security(("bearer" = [])),
    params(("group_id" = Uuid, Path, description = "The group's id, the owner id of its land")),
    responses(
        (status = 200, description = "The group", body = GroupView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_group`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_one(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
    ValidPath(group_id): ValidPath<Uuid>,
) -> Result<Json<GroupView>, Problem> {
    Ok(Json(groups.group(caller.account_id, group_id).await?))
}

/// Dissolve a group
///
/// Only an owner can, and only when the group owns no land and has no money. Its name stays known.
#[utoipa::path(delete, path = "/api/v1/groups/{group_id}", operation_id = "group_dissolve", tag = "groups",
    security(("bearer" = [])),
    params(("group_id" = Uuid, Path, description = "The group's id")),
    responses(
        (status = 204, description = "It is no more"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`not_in_group`, `not_allowed`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_group`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`group_owns_something` with `property`: `land` or `money`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn dissolve(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
    ValidPath(group_id): ValidPath<Uuid>,
) -> Result<StatusCode, Problem> {
    groups.dissolve(caller, group_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invite, accept, promote or step down
///
/// Of another account: an officer invites it as `member`, an owner in any role; an owner gives members and officers
/// another role, `owner` included (who then may leave). Of yourself: the role you were invited in accepts the
/// invitation, a lower one than you have is stepping down.
#[utoipa::path(put, path = "/api/v1/groups/{group_id}/members/{account_id}", operation_id = "group_put_member", tag = "groups",
    security(("bearer" = [])),
    params(
        ("group_id" = Uuid, Path, description = "The group's id"),
        ("account_id" = Uuid, Path, description = "Whose place"),
    ),
    request_body = RoleRequest,
    responses(
        (status = 200, description = "The group as you see it, without its members", body = GroupView),
        (status = 400, description = "`invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`not_in_group`, `not_allowed`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_group`, `no_such_account`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`role_not_offered` with `offered`; `last_owner`, `too_many_groups`, `too_many_invitations`, `group_full`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such role (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put_member(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
    ValidPath((group_id, account_id)): ValidPath<(Uuid, Uuid)>,
    ValidJson(request): ValidJson<RoleRequest>,
) -> Result<Json<GroupView>, Problem> {
    Ok(Json(groups.put_member(caller, group_id, account_id, request.role).await?))
}

/// Leave, decline, or take somebody out
///
/// An owner takes out anybody but other owners, an officer members. The last owner cannot leave.
#[utoipa::path(delete, path = "/api/v1/groups/{group_id}/members/{account_id}", operation_id = "group_remove_member", tag = "groups",
    security(("bearer" = [])),
    params(
        ("group_id" = Uuid, Path, description = "The group's id"),
        ("account_id" = Uuid, Path, description = "Whose place"),
    ),
    responses(
        (status = 204, description = "The account is not in the group (any more)"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`not_in_group`, `not_allowed`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_group`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`last_owner`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn remove_member(
    State(groups): State<Arc<Groups>>,
    caller: Caller,
    ValidPath((group_id, account_id)): ValidPath<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    groups.remove_member(caller, group_id, account_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
