//! Reading notices.

use api::{Caller, Problem, ProblemKind, ValidJson, ValidQuery, cursor, page_limit, timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Store;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::notices::{self, Notice};

const NO_NOTICE: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_notice", "You have no such notice");

/// Something that the caller is told of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "notice_id": "019aa5c3-1f00-7000-8000-000000000001",
    "kind": "market.outbid",
    "at": "2026-11-21T09:00:00Z",
    "is_read": false,
    "data": {"parcel": "4be64c3c", "auction_id": "019aa5c3-1f00-7000-8000-000000000002", "price_minor": 12_345, "currency": "coin"}
}))]
pub struct NoticeView {
    /// Its id: that of the event.
    pub notice_id: Uuid,
    /// What happened: the event's kind.
    pub kind: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// Whether the caller has read it.
    pub is_read: bool,
    /// The event's data: ids and amounts.
    #[schema(value_type = Object)]
    pub data: Value,
}

/// A page of notices.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NoticesView {
    /// Newest first.
    pub items: Vec<NoticeView>,
    /// Give this as `cursor` for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How many are not read, on all pages.
    pub unread_count: i64,
}

/// How notices are asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct NoticesParams {
    /// Only those that are not read.
    unread: Option<bool>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Which notices have been read.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// This one and all older ones.
    pub up_to: Uuid,
}

/// How many are left.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
struct UnreadView {
    /// Notices that are not read.
    unread_count: i64,
}

pub(crate) fn routes(store: Store) -> OpenApiRouter {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(mark_read)).with_state(store)
}

/// What you should know
///
/// The newest 500, for 90 days.
#[utoipa::path(get, path = "/api/v1/notices", operation_id = "notices", tag = "notices",
    security(("bearer" = [])),
    params(NoticesParams),
    responses(
        (status = 200, description = "One page, newest first", body = NoticesView),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(store): State<Store>,
    caller: Caller,
    ValidQuery(params): ValidQuery<NoticesParams>,
) -> Result<Json<NoticesView>, Problem> {
    let limit = page_limit(params.limit)?;
    let before = params.cursor.as_deref().map(cursor::decode).transpose()?.map(i64::from_be_bytes);
    let is_unread_only = params.unread.unwrap_or(false);
    let (found, unread_count) = store
        .read(move |tx| {
            let found = notices::list(tx, caller.account_id, before, is_unread_only, limit + 1)?;
            Ok::<_, store::Error>((found, notices::unread_count(tx, caller.account_id)?))
        })
        .await?;
    let page = api::Page::from_surplus(found, limit, |last| cursor::encode(&last.position.to_be_bytes()));
    let next_cursor = page.next_cursor.clone();
    Ok(Json(NoticesView { items: page.items.into_iter().map(view).collect(), next_cursor, unread_count }))
}

/// You have read these
#[utoipa::path(post, path = "/api/v1/notices/read", operation_id = "notices_read", tag = "notices",
    security(("bearer" = [])),
    request_body = ReadRequest,
    responses(
        (status = 200, description = "They count as read", body = UnreadView),
        (status = 400, description = "`malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_notice`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn mark_read(
    State(store): State<Store>,
    caller: Caller,
    ValidJson(request): ValidJson<ReadRequest>,
) -> Result<Json<UnreadView>, Problem> {
    let unread_count = store
        .locked(move |tx| {
            notices::mark_read(tx, caller.account_id, request.up_to)?.ok_or(NoSuchNotice::Unknown)?;
            Ok::<_, NoSuchNotice>(notices::unread_count(tx, caller.account_id)?)
        })
        .await
        .map_err(Problem::from)?;
    Ok(Json(UnreadView { unread_count }))
}

/// Why nothing was marked.
enum NoSuchNotice {
    Unknown,
    Store(store::Error),
}

impl From<store::Error> for NoSuchNotice {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

impl From<NoSuchNotice> for Problem {
    fn from(refusal: NoSuchNotice) -> Self {
        match refusal {
            NoSuchNotice::Unknown => NO_NOTICE.into(),
            NoSuchNotice::Store(error) => error.into(),
        }
    }
}

fn view(notice: Notice) -> NoticeView {
    let Notice { event_id, kind, at_us, data, is_read, .. } = notice;
    NoticeView { notice_id: event_id, kind, at: timestamp(at_us), is_read, data }
}
