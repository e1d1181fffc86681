//! `/users/me/sessions`.

use std::sync::Arc;

use api::{Caller, Problem, ProblemKind, ValidPath, timestamp};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{ListAnswer, uncached};
use crate::base64url;
use crate::own_sessions::OwnSession;
use crate::service::Identity;

const NO_SUCH_SESSION: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_session", "You have no such open session");

pub(super) fn routes() -> OpenApiRouter<Arc<Identity>> {
    OpenApiRouter::new().routes(routes!(list, end_others)).routes(routes!(end))
}

#[derive(Serialize, ToSchema)]
struct SessionItem {
    session_id: Uuid,
    /// Whether it is the one that asks.
    is_current: bool,
    /// How it was opened: `key`, `password`, `email` (a link in a mail) or `provider`.
    #[schema(example = "key")]
    method: String,
    /// The device key that opened it, if one did. Its device opens another session by itself unless the key is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    key_id: Option<String>,
    /// What the browser called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:00:00Z")]
    created_at: jiff::Timestamp,
    /// When it last got new tokens.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T09:15:00Z")]
    last_used_at: jiff::Timestamp,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime, example = "2026-12-21T09:00:00Z")]
    expires_at: jiff::Timestamp,
}

#[derive(Serialize, ToSchema)]
struct EndedAnswer {
    /// How many sessions were ended.
    #[schema(example = 2)]
    ended: u64,
}

/// List one's open sessions.
///
/// The one used last comes first. An account has at most fifty; a further one ends the oldest.
#[utoipa::path(get, path = "/api/v1/users/me/sessions", operation_id = "users_me_sessions", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The sessions", body = ListAnswer<SessionItem>),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    let sessions = identity.sessions(caller.account_id).await?;
    let items = sessions.into_iter().map(|session| item(session, caller.session_id)).collect();
    Ok(uncached(ListAnswer { items }))
}

/// End all sessions but the one that asks.
///
/// At once on this node, within five seconds on others; open sockets are closed.
#[utoipa::path(delete, path = "/api/v1/users/me/sessions", operation_id = "users_me_sessions_end", tag = "users",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "They have ended", body = EndedAnswer),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end_others(State(identity): State<Arc<Identity>>, caller: Caller) -> Result<Response, Problem> {
    let ended = identity.end_other_sessions(caller.account_id, caller.session_id).await?;
    Ok(uncached(EndedAnswer { ended }))
}

/// End one session.
///
/// At once on this node, within five seconds on others; its socket is closed. It may be the one that asks.
#[utoipa::path(delete, path = "/api/v1/users/me/sessions/{session_id}", operation_id = "users_me_session_end", tag = "users",
    params(("session_id" = Uuid, Path, description = "Which session")),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It has ended"),
        (status = 400, description = "Not an id (`invalid_path`)", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_session`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end(
    State(identity): State<Arc<Identity>>,
    caller: Caller,
    ValidPath(session_id): ValidPath<Uuid>,
) -> Result<StatusCode, Problem> {
    if identity.end_session(caller.account_id, session_id).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(NO_SUCH_SESSION.into())
    }
}

fn item(session: OwnSession, current: Uuid) -> SessionItem {
    let OwnSession { row, user_agent } = session;
    SessionItem {
        session_id: row.session_id,
        is_current: row.session_id == current,
        method: row.method,
        key_id: row.public_key.map(|key| base64url::encode(&key)),
        user_agent,
        created_at: timestamp(row.signed_in_us),
        last_used_at: timestamp(row.last_seen_us),
        expires_at: timestamp(row.expires_us),
    }
}
