//! HTTP: one's own data, and being forgotten.

use std::sync::Arc;

use api::{Caller, Problem, ProblemKind, ValidPath, timestamp};
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::erasures::{Erasure, ErasureState};
use crate::exports::{Export, ExportRefusal};
use crate::person::Consequence;
use crate::service::Privacy;

const EXPORT_PENDING: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "export_pending", "An archive is being made already");
const TOO_MANY_EXPORTS: ProblemKind = ProblemKind::new(
    StatusCode::CONFLICT,
    "too_many_exports",
    "There are enough archives; wait until one of them expires",
);
const NO_SUCH_EXPORT: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_export", "You have no such archive");
const NO_ERASURE: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_erasure", "Nothing was asked for that could be taken back");
const ERASURE_STARTED: ProblemKind =
    ProblemKind::new(StatusCode::CONFLICT, "erasure_started", "It has begun and cannot be taken back");

/// An archive of one's data.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "export_id": "019aa5c3-1f00-7000-8000-000000000001", "state": "ready",
    "created_at": "2026-11-21T09:00:00Z", "ready_at": "2026-11-21T09:00:04Z",
    "expires_at": "2026-11-28T09:00:04Z", "size_bytes": 12_345
}))]
pub struct ExportView {
    /// Its id.
    pub export_id: Uuid,
    /// `pending`, then `ready` or `failed`, then `expired`.
    #[schema(pattern = "^(pending|ready|failed|expired)$", max_length = 16)]
    pub state: String,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
    /// When it was ready, or had failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready_at: Option<jiff::Timestamp>,
    /// When the file is deleted.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<jiff::Timestamp>,
    /// How large the file is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<i64>,
    /// Why it failed: `too_large` or `internal`.
    #[schema(max_length = 64)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Archives, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ExportsView {
    /// At most 20.
    #[schema(max_items = 20)]
    pub items: Vec<ExportView>,
}

/// Whether one is being forgotten, and what that ends.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "state": "cooling_off", "requested_at": "2026-11-21T09:00:00Z", "due_at": "2026-12-05T09:00:00Z",
    "cooling_off_days": 14, "consequences": [{"code": "land_returned", "count": 3}]
}))]
pub struct ErasureView {
    /// `none`, `cooling_off` (it can be taken back), `erasing`, `settling` (what is personal is gone, something runs on
    /// by the rules), `done`.
    #[schema(pattern = "^(none|cooling_off|erasing|settling|done)$", max_length = 16)]
    pub state: &'static str,
    /// When it was asked for.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<jiff::Timestamp>,
    /// When it comes true.
    #[schema(value_type = Option<String>, format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_at: Option<jiff::Timestamp>,
    /// Days between the wish and its coming true; signing in cancels it.
    #[schema(minimum = 0, maximum = 30)]
    pub cooling_off_days: i64,
    /// What it would end, as of now.
    #[schema(max_items = 50)]
    pub consequences: Vec<Consequence>,
}

impl From<Export> for ExportView {
    fn from(it: Export) -> Self {
        Self {
            export_id: it.export_id,
            state: it.state,
            created_at: timestamp(it.requested_us),
            ready_at: it.finished_us.map(timestamp),
            expires_at: it.expires_us.map(timestamp),
            size_bytes: it.bytes,
            fault: it.fault,
        }
    }
}

impl From<ExportRefusal> for Problem {
    fn from(refusal: ExportRefusal) -> Self {
        match refusal {
            ExportRefusal::Pending => EXPORT_PENDING.into(),
            ExportRefusal::TooMany => TOO_MANY_EXPORTS.into(),
            ExportRefusal::Store(error) => error.into(),
        }
    }
}

/// The routes of this crate.
pub fn routes(privacy: Arc<Privacy>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(ask_export, list_exports))
        .routes(routes!(fetch_export))
        .routes(routes!(show_erasure, ask_erasure, cancel_erasure))
        .with_state(privacy)
}

/// Ask for your data
///
/// Everything the server keeps about you, as one ZIP: a manifest, a text in plain words, and a file of JSON lines for
/// each kind of data. It is made in the background; an event `account.export_ready` says when. Needs a sign-in of the
/// last 15 minutes.
#[utoipa::path(post, path = "/api/v1/users/me/exports", operation_id = "users_me_export_ask", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 202, description = "It will be made", body = ExportView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`export_pending`, `too_many_exports`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn ask_export(
    State(privacy): State<Arc<Privacy>>,
    caller: Caller,
) -> Result<(StatusCode, Json<ExportView>), Problem> {
    caller.require_fresh(privacy.now_s())?;
    let export = privacy.request_export(caller.account_id, caller.account_id).await?;
    Ok((StatusCode::ACCEPTED, Json(export.into())))
}

/// Your archives
#[utoipa::path(get, path = "/api/v1/users/me/exports", operation_id = "users_me_exports", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "Newest first", body = ExportsView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_exports(
    State(privacy): State<Arc<Privacy>>,
    caller: Caller,
) -> Result<Json<ExportsView>, Problem> {
    let items = privacy.exports(caller.account_id).await?;
    Ok(Json(ExportsView { items: items.into_iter().map(Into::into).collect() }))
}

/// Fetch an archive
///
/// Needs a sign-in of the last 15 minutes. It is there for some days and for this account alone.
#[utoipa::path(get, path = "/api/v1/users/me/exports/{export_id}/file", operation_id = "users_me_export_file", tag = "users",
    security(("bearer" = [])),
    params(("export_id" = Uuid, Path, description = "Which")),
    responses(
        (status = 200, description = "The ZIP", body = Vec<u8>, content_type = "application/zip"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_export`: not yours, not ready, or expired", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn fetch_export(
    State(privacy): State<Arc<Privacy>>,
    caller: Caller,
    ValidPath(export_id): ValidPath<Uuid>,
) -> Result<Response, Problem> {
    caller.require_fresh(privacy.now_s())?;
    let found = privacy.file(caller.account_id, export_id).await?;
    let (bytes, requested_us) = found.ok_or_else(|| Problem::from(NO_SUCH_EXPORT))?;
    let day = timestamp(requested_us).strftime("%Y-%m-%d").to_string();
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("attachment; filename=\"terrane-{day}.zip\"");
    let disposition = HeaderValue::try_from(disposition).expect("a day is plain ASCII");
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(response)
}

/// Whether you are being forgotten, and what that ends
#[utoipa::path(get, path = "/api/v1/users/me/erasure", operation_id = "users_me_erasure", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "As of now", body = ErasureView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn show_erasure(
    State(privacy): State<Arc<Privacy>>,
    caller: Caller,
) -> Result<Json<ErasureView>, Problem> {
    Ok(Json(view(&privacy, caller.account_id).await?))
}

/// Ask to be forgotten
///
/// After the days of cooling off the account is erased: what it runs is ended by the rules, its land goes back to the
/// planet and its money to the operator, and everything that is personal is removed. Signing in before that, or
/// deleting this, takes it back. Asking twice is asking once. Needs a sign-in of the last 15 minutes.
#[utoipa::path(post, path = "/api/v1/users/me/erasure", operation_id = "users_me_erasure_ask", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 202, description = "It is planned", body = ErasureView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn ask_erasure(
    State(privacy): State<Arc<Privacy>>,
    caller: Caller,
) -> Result<(StatusCode, Json<ErasureView>), Problem> {
    caller.require_fresh(privacy.now_s())?;
    privacy.request_erasure(caller.account_id, caller.account_id).await?;
    Ok((StatusCode::ACCEPTED, Json(view(&privacy, caller.account_id).await?)))
}

/// Take it back
#[utoipa::path(delete, path = "/api/v1/users/me/erasure", operation_id = "users_me_erasure_cancel", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 204, description = "The account stays"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`fresh_login_required`, `forbidden_for_keys`, `account_suspended`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_erasure`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`erasure_started`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`storage_unavailable`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn cancel_erasure(State(privacy): State<Arc<Privacy>>, caller: Caller) -> Result<StatusCode, Problem> {
    if privacy.cancel_erasure(caller.account_id, caller.account_id).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    let (erasure, _) = privacy.erasure(caller.account_id).await?;
    match erasure.map(|it| it.state) {
        Some(ErasureState::Erasing | ErasureState::Settling | ErasureState::Done) => {
            Err(ERASURE_STARTED.into())
        }
        Some(ErasureState::CoolingOff | ErasureState::Cancelled) | None => Err(NO_ERASURE.into()),
    }
}

async fn view(privacy: &Privacy, account_id: Uuid) -> Result<ErasureView, Problem> {
    let (erasure, consequences) = privacy.erasure(account_id).await?;
    let erasure: Option<Erasure> = erasure.filter(|it| it.state != ErasureState::Cancelled);
    Ok(ErasureView {
        state: erasure.as_ref().map_or("none", |it| it.state.code()),
        requested_at: erasure.as_ref().map(|it| timestamp(it.requested_us)),
        due_at: erasure.as_ref().map(|it| timestamp(it.due_us)),
        cooling_off_days: privacy.cooling_off_days(),
        consequences,
    })
}
