//! The books and the acts that wait, over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Page, PageParams, Problem, ValidJson, ValidPath, ValidQuery, page_limit};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use store::Isolation;
use utoipa::IntoParams;
use uuid::Uuid;

use super::faults::ActFaults;
use super::{Items, ReasonRequest, asked, parse_cursor, to_the_end};
use crate::acts::{self, ActView, ReversedView, Verdict};
use crate::books::{CheckView, LedgerAccountView, LedgerPostingView};
use crate::reason::Reason;
use crate::service::Staff;

/// Whose account.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccountsParams {
    /// An account or a group; the planet's own accounts if absent.
    owner: Option<Uuid>,
}

/// Accounts of the books
#[utoipa::path(get, path = "/api/v1/staff/ledger/accounts", operation_id = "staff_ledger_accounts", tag = "staff",
    params(AccountsParams),
    responses(
        (status = 200, description = "The owner's, or the planet's own", body = Items<LedgerAccountView>),
        (status = 400, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`entry_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn accounts(
    State(staff): State<Arc<Staff>>,
    ValidQuery(params): ValidQuery<AccountsParams>,
) -> Result<Json<Items<LedgerAccountView>>, Problem> {
    Ok(Json(Items { items: staff.ledger_accounts(params.owner).await? }))
}

/// Which postings.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PostingsParams {
    /// Those with a leg of this account; all if absent.
    account: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Postings of the books
#[utoipa::path(get, path = "/api/v1/staff/ledger/postings", operation_id = "staff_ledger_postings", tag = "staff",
    params(PostingsParams),
    responses(
        (status = 200, description = "One page, newest first, with all legs", body = Page<LedgerPostingView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn postings(
    State(staff): State<Arc<Staff>>,
    ValidQuery(params): ValidQuery<PostingsParams>,
) -> Result<Json<Page<LedgerPostingView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let before = parse_cursor(params.cursor.as_deref())?;
    Ok(Json(staff.ledger_postings(params.account, before, limit).await?))
}

/// One posting of the books
#[utoipa::path(get, path = "/api/v1/staff/ledger/postings/{posting_id}", operation_id = "staff_ledger_posting", tag = "staff",
    params(("posting_id" = Uuid, Path, description = "The posting")),
    responses(
        (status = 200, description = "With all legs and its place in the chain", body = LedgerPostingView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`entry_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn posting(
    State(staff): State<Arc<Staff>>,
    ValidPath(posting_id): ValidPath<Uuid>,
) -> Result<Json<LedgerPostingView>, Problem> {
    Ok(Json(staff.ledger_posting(posting_id).await?))
}

/// Take a posting back
///
/// Books the opposite of each leg, once. One that moved more than `[staff] second_person_minor` waits as an act for a
/// second person. Postings that move deeds are not taken back by themselves: give the land back instead.
#[utoipa::path(post, path = "/api/v1/staff/ledger/postings/{posting_id}/reverse", operation_id = "staff_reverse", tag = "staff",
    params(
        ("posting_id" = Uuid, Path, description = "The posting"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, description = "It is taken back", body = ReversedView),
        (status = 202, description = "It waits for a second person", body = ActView),
        (status = 403, description = "Some of it was yours (`not_to_oneself`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`entry_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`posting_moves_deeds`, `posting_is_reversal`, `posting_reversed`; `act_waiting`; `insufficient_funds` with `available_minor` and `needed_minor`: it is spent", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn reverse(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(posting_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ReasonRequest>,
) -> Result<Answer, Problem> {
    let reason = Reason::parse(&request.reason)?;
    let parts = [&posting_id.as_bytes()[..]];
    let asked = asked("staff_reverse", &parts, (caller, key, &request.reason), Isolation::Locked)?;
    to_the_end(async move {
        staff
            .act(asked, move |tx, deps, now_us| acts::reverse(tx, deps, &caller, posting_id, &reason, now_us))
            .await
    })
    .await
}

/// Whether anything came from nowhere
///
/// Adds up all balances: each sum is zero. What they come from is checked in the background, over and over, and by
/// `terrane ledger verify`.
#[utoipa::path(get, path = "/api/v1/staff/ledger/check", operation_id = "staff_ledger_check", tag = "staff",
    responses(
        (status = 200, description = "The sums, and the end of the chain", body = CheckView),
    ))]
pub(super) async fn check(State(staff): State<Arc<Staff>>) -> Result<Json<CheckView>, Problem> {
    Ok(Json(staff.ledger_check().await?))
}

/// Acts that wait for a second person
#[utoipa::path(get, path = "/api/v1/staff/acts", operation_id = "staff_acts", tag = "staff",
    params(PageParams),
    responses(
        (status = 200, description = "One page, newest first, with those that are decided", body = Page<ActView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn acts(
    State(staff): State<Arc<Staff>>,
    ValidQuery(page): ValidQuery<PageParams>,
) -> Result<Json<Page<ActView>>, Problem> {
    let limit = page_limit(page.limit)?;
    let before = parse_cursor(page.cursor.as_deref())?;
    Ok(Json(staff.acts(before, limit).await?))
}

/// What the second person decides.
macro_rules! verdict {
    ($(#[$doc:meta])* $name:ident, $path:literal, $id:literal, $verdict:expr, $conflict:literal) => {
        $(#[$doc])*
        #[utoipa::path(post, path = $path, operation_id = $id, tag = "staff",
            params(
                ("act_id" = Uuid, Path, description = "The act"),
                ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
            ),
            request_body = ReasonRequest,
            responses(
                (status = 200, description = "The act as it is now", body = ActView),
                (status = 403, description = "You asked for it (`own_act`), or some of it was yours (`not_to_oneself`)", body = Problem, content_type = "application/problem+json"),
                (status = 404, description = "`act_unknown`", body = Problem, content_type = "application/problem+json"),
                (status = 409, description = $conflict, body = Problem, content_type = "application/problem+json"),
                ActFaults,
            ))]
        pub(super) async fn $name(
            State(staff): State<Arc<Staff>>,
            caller: Caller,
            ValidPath(act_id): ValidPath<Uuid>,
            key: IdempotencyKey,
            ValidJson(request): ValidJson<ReasonRequest>,
        ) -> Result<Answer, Problem> {
            let asked = asked($id, &[act_id.as_bytes()], (caller, key, &request.reason), Isolation::Locked)?;
            to_the_end(async move {
                staff
                    .act(asked, move |tx, deps, now_us| {
                        acts::decide(tx, deps, &caller, act_id, $verdict, now_us)
                    })
                    .await
            })
            .await
        }
    };
}

verdict! {
    /// Approve an act that waits
    ///
    /// It is done in the same instant, once. Whoever asked for it cannot approve it.
    approve, "/api/v1/staff/acts/{act_id}/approve", "staff_approve", Verdict::Approve,
    "`act_closed` with `state`: decided, expired, or `void` because whoever asked may no longer; `posting_reversed`; `insufficient_funds`: it is spent, and the act goes on waiting"
}

verdict! {
    /// Refuse an act that waits
    refuse, "/api/v1/staff/acts/{act_id}/refuse", "staff_refuse", Verdict::Refuse, "`act_closed` with `state`"
}
