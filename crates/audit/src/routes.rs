//! The log over HTTP: only reading. The gateway's guard lets nobody in who may not read it.

use api::{
    Page, PageParams, Problem, ProblemKind, ValidPath, ValidQuery, cursor, kinds, page_limit, timestamp,
};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use store::{Store, Tx};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::checkpoint::{checkpoints_before, last_checkpoint};
use crate::list::{Filter, list};
use crate::prove::{ProveError, prove};
use crate::reasons::{Open, of_entries};
use crate::view::{CheckpointView, EntryView, ProofView, VerificationView};
use crate::walk::{PLACE, Walk};
use crate::{find, head, hex, waiting};

/// What the routes need.
#[derive(Clone)]
pub struct Deps {
    /// Where the log is.
    pub store: Store,
    /// Opens words of reasons.
    pub open: Open,
}

impl std::fmt::Debug for Deps {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deps").field("store", &self.store).finish_non_exhaustive()
    }
}

/// No such place in the log.
const NO_SUCH_ENTRY: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "no_such_audit_entry", "The log has no such entry");

/// The routes of this crate, to be merged at the root.
pub fn routes(deps: Deps) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(entries))
        .routes(routes!(checkpoints))
        .routes(routes!(verification))
        .routes(routes!(entry))
        .routes(routes!(proof))
        .with_state(deps)
}

/// Which entries.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct EntriesQuery {
    /// Done by this account.
    actor: Option<Uuid>,
    /// Done to this: the id of an account, a listing and so on, or the token of a lot.
    #[param(min_length = 1, max_length = 200, example = "019aa5c3-1f00-7000-8000-000000000001")]
    subject: Option<String>,
    /// What was done.
    #[param(min_length = 1, max_length = 100, pattern = "^[a-z_.]+$", example = "account.role_changed")]
    action: Option<String>,
    /// Not before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-21T00:00:00Z")]
    from: Option<jiff::Timestamp>,
    /// Before this time (RFC 3339).
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-22T00:00:00Z")]
    to: Option<jiff::Timestamp>,
    /// `next_cursor` of the page before; absent for the first.
    #[param(max_length = 64, pattern = "^[A-Za-z0-9_-]*$")]
    cursor: Option<String>,
    /// Entries on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Who did what
///
/// Every decision by staff and every change of price, role or ownership, the newest first.
#[utoipa::path(get, path = "/api/v1/staff/audit", operation_id = "staff_audit", tag = "staff",
    security(("bearer" = [])),
    params(EntriesQuery),
    responses(
        (status = 200, description = "One page of the log", body = Page<EntryView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn entries(
    State(Deps { store, open }): State<Deps>,
    ValidQuery(query): ValidQuery<EntriesQuery>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let limit = page_limit(query.limit)?;
    for (name, text, chars_max) in [("subject", &query.subject, 200), ("action", &query.action, 100)] {
        if text
            .as_ref()
            .is_some_and(|it| it.is_empty() || it.contains('\0') || it.chars().count() > chars_max)
        {
            let fault = format!("must have 1 to {chars_max} characters");
            return Err(Problem::from(kinds::INVALID_QUERY).parameter(name, fault));
        }
    }
    let is_plain = |it: &String| it.bytes().all(|it| matches!(it, b'a'..=b'z' | b'_' | b'.'));
    if !query.action.as_ref().is_none_or(is_plain) {
        return Err(
            Problem::from(kinds::INVALID_QUERY).parameter("action", "must be lower-case letters, _ and .")
        );
    }
    let filter = Filter {
        actor: query.actor,
        subject: query.subject,
        action: query.action,
        from_us: query.from.map(jiff::Timestamp::as_microsecond),
        to_us: query.to.map(jiff::Timestamp::as_microsecond),
        before: query.cursor.map(|it| cursor::decode(&it)).transpose()?.map(Uuid::from_bytes),
    };
    let found = store
        .read(move |tx| {
            let found = list(tx, &filter, limit + 1)?;
            shown(tx, &open, found)
        })
        .await?;
    Ok(Json(Page::from_surplus(found, limit, |last| cursor::encode(last.entry_id.as_bytes()))))
}

fn shown(tx: &mut Tx<'_>, open: &Open, found: Vec<crate::Logged>) -> Result<Vec<EntryView>, store::Error> {
    let words = of_entries(tx, open, &found)?;
    Ok(found.into_iter().zip(words).map(|(entry, words)| EntryView::of(entry, words)).collect())
}

/// One entry
#[utoipa::path(get, path = "/api/v1/staff/audit/{sequence}", operation_id = "staff_audit_entry", tag = "staff",
    security(("bearer" = [])),
    params(("sequence" = i64, Path, description = "Its place in the log, from 1", minimum = 1, example = 42)),
    responses(
        (status = 200, description = "The entry", body = EntryView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_audit_entry`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn entry(
    State(Deps { store, open }): State<Deps>,
    ValidPath(sequence): ValidPath<i64>,
) -> Result<Json<EntryView>, Problem> {
    let found = store
        .read(move |tx| {
            let found = find(tx, sequence)?.into_iter().collect();
            shown(tx, &open, found)
        })
        .await?;
    found.into_iter().next().map(Json).ok_or_else(|| NO_SUCH_ENTRY.into())
}

/// What a proof is to be about.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProofQuery {
    /// The size of the tree; that of the newest checkpoint that covers the entry if absent, and the whole tree if there
    /// is none.
    #[param(minimum = 1, example = 64)]
    tree_size: Option<i64>,
    /// The size of an older tree, to show that it only grew since.
    #[param(minimum = 1, example = 32)]
    from_size: Option<i64>,
}

/// Show that an entry is in the log
///
/// Whoever kept a checkpoint can check it without trusting this planet.
#[utoipa::path(get, path = "/api/v1/staff/audit/{sequence}/proof", operation_id = "staff_audit_proof", tag = "staff",
    security(("bearer" = [])),
    params(("sequence" = i64, Path, description = "The entry's place in the log, from 1", minimum = 1, example = 42), ProofQuery),
    responses(
        (status = 200, description = "The proof", body = ProofView),
        (status = 400, description = "`invalid_path`, `invalid_query`: no tree of that size has or had the entry", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`no_such_audit_entry`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn proof(
    State(Deps { store, .. }): State<Deps>,
    ValidPath(sequence): ValidPath<i64>,
    ValidQuery(query): ValidQuery<ProofQuery>,
) -> Result<Json<ProofView>, Problem> {
    let proof = store.read(move |tx| prove(tx, sequence, query.tree_size, query.from_size)).await;
    proof.map(Json).map_err(Problem::from)
}

/// What was signed about the log, the newest first
#[utoipa::path(get, path = "/api/v1/staff/audit/checkpoints", operation_id = "staff_audit_checkpoints", tag = "staff",
    security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, description = "One page of checkpoints", body = Page<CheckpointView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn checkpoints(
    State(Deps { store, .. }): State<Deps>,
    ValidQuery(page): ValidQuery<PageParams>,
) -> Result<Json<Page<CheckpointView>>, Problem> {
    let limit = page_limit(page.limit)?;
    let before = page.cursor.map(|it| cursor::decode(&it)).transpose()?.map_or(i64::MAX, i64::from_be_bytes);
    let found = store.read(move |tx| checkpoints_before(tx, before, limit + 1)).await?;
    let found = found.into_iter().map(CheckpointView::from).collect();
    Ok(Json(Page::from_surplus(found, limit, |last| cursor::encode(&last.tree_size.to_be_bytes()))))
}

/// Whether the log is sound
///
/// What the check in the background found; it goes through all of the log over and over. `terrane audit verify` looks
/// at everything at once.
#[utoipa::path(get, path = "/api/v1/staff/audit/verification", operation_id = "staff_audit_verification", tag = "staff",
    security(("bearer" = [])),
    responses(
        (status = 200, description = "How the log stands", body = VerificationView),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn verification(State(Deps { store, .. }): State<Deps>) -> Result<Json<VerificationView>, Problem> {
    let found = store
        .read(|tx| {
            let checked = ::chain::Checker::<Walk>::last(tx, PLACE)?;
            let head = head(tx)?;
            Ok::<_, store::Error>(VerificationView {
                entries: head.sequence,
                waiting: waiting(tx)?,
                head_hash: hex::encode(&head.hash),
                root: hex::encode(&head.peaks.root()),
                faults: checked.map_or(0, |it| it.faults),
                checked_at: checked.and_then(|it| it.passed_at_us).map(timestamp),
                checkpoint: last_checkpoint(tx)?.map(Into::into),
            })
        })
        .await?;
    Ok(Json(found))
}

impl From<ProveError> for Problem {
    fn from(error: ProveError) -> Self {
        match error {
            ProveError::NoSuchEntry { .. } => NO_SUCH_ENTRY.into(),
            ProveError::NoSuchTree { size_of, from, to } => {
                Self::from(kinds::INVALID_QUERY).parameter(size_of, format!("must be from {from} to {to}"))
            }
            ProveError::Store(error) => error.into(),
        }
    }
}
