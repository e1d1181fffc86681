//! Fences and permissions over HTTP.

use std::sync::Arc;

use api::{Caller, Page, Problem, ValidJson, ValidPath, kinds};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cell::CellId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::rule::{FenceRule, Permission, Role, Standing};
use super::service::AccessService;

/// Whom a parcel shall let in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FenceRequest {
    /// The rule.
    pub rule: FenceRule,
}

/// The fence of a parcel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"token": "4be64c3c", "rule": "list", "may_enter": true, "may_manage": false}))]
pub struct FenceView {
    /// The parcel's token.
    pub token: String,
    /// Whom it lets in. The banned are kept out always, owner and tenant never.
    pub rule: FenceRule,
    /// Whether it lets you in now.
    pub may_enter: bool,
    /// Whether you may change this, and who has a role here.
    pub may_manage: bool,
}

impl FenceView {
    pub(super) fn of(parcel: CellId, rule: FenceRule, standing: &Standing) -> Self {
        Self {
            token: parcel.token(),
            rule,
            may_enter: standing.may(Permission::Enter, rule),
            may_manage: standing.may(Permission::Manage, rule),
        }
    }
}

/// A role to give.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PermissionRequest {
    /// What the account or group is to be here.
    pub role: GivenRole,
    /// Until when; absent or null: until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<jiff::Timestamp>,
}

/// A role that can be given. (Tenants are made by leases.)
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GivenRole {
    /// Sets the fence and gives roles other than this one; only the owner makes managers.
    Manager,
    /// Goes in and builds.
    Builder,
    /// Goes in.
    Guest,
    /// Is kept out always.
    Banned,
}

impl From<GivenRole> for Role {
    fn from(role: GivenRole) -> Self {
        match role {
            GivenRole::Manager => Self::Manager,
            GivenRole::Builder => Self::Builder,
            GivenRole::Guest => Self::Guest,
            GivenRole::Banned => Self::Banned,
        }
    }
}

/// What an account or group is on a parcel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct PermissionView {
    /// An account or a group.
    pub subject_id: Uuid,
    /// What it is called now.
    pub display_name: String,
    /// What it is here.
    pub role: Role,
    /// Until when; absent: until it is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<jiff::Timestamp>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub since: jiff::Timestamp,
    /// By whom.
    pub granted_by: Uuid,
}

/// The routes of this module, to be merged at the root.
pub fn routes(access: Arc<AccessService>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(get_fence, put_fence))
        .routes(routes!(permissions))
        .routes(routes!(put_permission, delete_permission))
        .with_state(access)
}

/// The fence of a parcel
///
/// Land of nobody is open to everyone.
#[utoipa::path(get, path = "/api/v1/lands/{token}/fence", operation_id = "land_fence", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of one of its lots", example = "4be64c3c")),
    responses(
        (status = 200, description = "Whom it lets in", body = FenceView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_fence(
    State(access): State<Arc<AccessService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<Json<FenceView>, Problem> {
    let lot = access.parse_lot(&token)?;
    Ok(Json(access.fence(caller, lot).await?))
}

/// Open or close a parcel
///
/// For its owner, those who act for it, and its managers. It holds for walkers within a second: nobody enters any more,
/// and who is inside may stay and leave. A change of owner opens it again.
#[utoipa::path(put, path = "/api/v1/lands/{token}/fence", operation_id = "land_put_fence", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of one of its lots", example = "4be64c3c")),
    request_body = FenceRequest,
    responses(
        (status = 200, description = "The fence as it is now", body = FenceView),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Neither owner nor manager (`not_allowed`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such rule (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put_fence(
    State(access): State<Arc<AccessService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    ValidJson(request): ValidJson<FenceRequest>,
) -> Result<Json<FenceView>, Problem> {
    let lot = access.parse_lot(&token)?;
    Ok(Json(access.set_fence(caller, lot, request.rule).await?))
}

/// Who has a role on a parcel
///
/// For those who may change it; all on one page.
#[utoipa::path(get, path = "/api/v1/lands/{token}/permissions", operation_id = "land_permissions", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of one of its lots", example = "4be64c3c")),
    responses(
        (status = 200, description = "The roles that hold now, by subject", body = Page<PermissionView>),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Neither owner nor manager (`not_allowed`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn permissions(
    State(access): State<Arc<AccessService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<Json<Page<PermissionView>>, Problem> {
    let lot = access.parse_lot(&token)?;
    Ok(Json(Page { items: access.permissions(caller, lot).await?, next_cursor: None }))
}

/// Give a role on a parcel
///
/// To an account, or to a group for all its members; a role it had is replaced. Managers cannot make or unmake
/// managers. A parcel has at most 100.
#[utoipa::path(put, path = "/api/v1/lands/{token}/permissions/{subject_id}", operation_id = "land_put_permission", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of one of its lots", example = "4be64c3c"),
        ("subject_id" = Uuid, Path, description = "An account or a group"),
    ),
    request_body = PermissionRequest,
    responses(
        (status = 200, description = "The role as it is now", body = PermissionView),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Neither owner nor manager (`not_allowed`), `only_owner_makes_managers`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`); `no_such_subject`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`subject_owns`, `subject_is_tenant`, `too_many_permissions`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such role, or an end in the past (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn put_permission(
    State(access): State<Arc<AccessService>>,
    caller: Caller,
    ValidPath((token, subject_id)): ValidPath<(String, Uuid)>,
    ValidJson(request): ValidJson<PermissionRequest>,
) -> Result<Json<PermissionView>, Problem> {
    let lot = access.parse_lot(&token)?;
    let expires_at_us = request.expires_at.map(parse_end).transpose()?;
    Ok(Json(access.grant(caller, lot, subject_id, request.role.into(), expires_at_us).await?))
}

/// Further away than this is a slip of the pen: the end of the year 9999 is not stored alike everywhere.
const END_MAX_US: i64 = 4_102_444_800_000_000;

fn parse_end(end: jiff::Timestamp) -> Result<i64, Problem> {
    let end_us = end.as_microsecond();
    if end_us > END_MAX_US {
        return Err(Problem::from(kinds::INVALID_BODY).at("#/expires_at", "must be before the year 2100"));
    }
    Ok(end_us)
}

/// Take a role back
#[utoipa::path(delete, path = "/api/v1/lands/{token}/permissions/{subject_id}", operation_id = "land_delete_permission", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of one of its lots", example = "4be64c3c"),
        ("subject_id" = Uuid, Path, description = "An account or a group"),
    ),
    responses(
        (status = 204, description = "It has no role here (any more)"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Neither owner nor manager (`not_allowed`), `only_owner_makes_managers`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`subject_is_tenant`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn delete_permission(
    State(access): State<Arc<AccessService>>,
    caller: Caller,
    ValidPath((token, subject_id)): ValidPath<(String, Uuid)>,
) -> Result<StatusCode, Problem> {
    let lot = access.parse_lot(&token)?;
    access.revoke(caller, lot, subject_id).await?;
    Ok(StatusCode::NO_CONTENT)
}
