//! Leases over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Page, Problem, ValidJson, ValidPath, ValidQuery, cursor, page_limit};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::decisions::{Choice, Terms};
use crate::lease::Side;
use crate::refusal::invalid;
use crate::service::Tenure;
use crate::terms::{PERIOD_S_MAX, PERIOD_S_MIN, PERIODS_MAX};
use crate::view::LeaseView;

/// The largest amount of money: 2⁵³ − 1.
const MINOR_MAX: i64 = 9_007_199_254_740_991;
const DAY_S: i64 = 86_400;

/// All routes of leases.
pub fn routes(tenure: Arc<Tenure>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(offer))
        .routes(routes!(list))
        .routes(routes!(get_one))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(end))
        .with_state(tenure)
}

/// To whom land is offered, and for what.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaseRequest {
    /// An account or a group.
    pub tenant_id: Uuid,
    /// Of rent and deposit.
    #[schema(example = "coin")]
    pub currency: String,
    /// For each period, in advance.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub rent_minor: i64,
    /// Held in the tenant's wallet while it lasts; 0 for none.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub deposit_minor: i64,
    /// Length of a period, an hour to 366 days; either this or `period_days`.
    #[serde(default)]
    #[schema(minimum = 3_600, maximum = 31_622_400)]
    pub period_s: Option<i64>,
    /// The same in days.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 366)]
    pub period_days: Option<i64>,
    /// How many periods, 1 to 1000.
    #[schema(minimum = 1, maximum = 1_000)]
    pub periods: u32,
}

/// How a lease is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EndRequest {
    /// By the tenant: leave now, although the period is paid.
    #[serde(default)]
    pub at_once: bool,
}

/// Which leases to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LeasesParams {
    /// `tenant` (if absent) or `landlord`.
    #[param(inline)]
    role: Option<Side>,
    /// A group that you act for; yourself if absent.
    as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Offer your land for rent
///
/// The tenant has a week to accept; until then nothing else can be done with the land but to take the offer back. When
/// the tenant accepts, the deposit is held and the first rent paid; further rent is taken at the beginning of each
/// period by itself. Rent that cannot be taken has three days, or one period if that is shorter; then the lease ends and
/// the deposit is yours. If several reasons stand against an offer, the first in this order is given: `not_a_lot`,
/// `not_owner`, `parcel_encumbered`, `parcel_leased`, `unknown_currency`, `self_lease`, `tenant_unknown`,
/// `too_many_leases`.
#[utoipa::path(post, path = "/api/v1/lands/{token}/lease", operation_id = "lease_offer", tag = "leases",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = LeaseRequest,
    responses(
        (status = 201, description = "It is offered", body = LeaseView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`parcel_encumbered` with `parcel` and `kind`; `parcel_leased`; 100 offers wait for the tenant (`too_many_leases`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `unknown_currency`; `self_lease`; `tenant_unknown`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn offer(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<LeaseRequest>,
) -> Result<Answer, Problem> {
    let lot = tenure.parse_lot(&token)?;
    let terms = parse_terms(request)?;
    to_the_end(async move { tenure.offer(caller, lot, terms, key).await }).await
}

/// Your leases
#[utoipa::path(get, path = "/api/v1/leases", operation_id = "leases", tag = "leases",
    security(("bearer" = [])),
    params(LeasesParams),
    responses(
        (status = 200, description = "One page, newest first", body = Page<LeaseView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<LeasesParams>,
) -> Result<Json<Page<LeaseView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let before = params.cursor.as_deref().map(cursor::decode).transpose()?.map(Uuid::from_bytes);
    let side = params.role.unwrap_or(Side::Tenant);
    let who = params.as_group.unwrap_or(caller.account_id);
    Ok(Json(tenure.leases(caller, side, who, before, limit).await?))
}

/// One of your leases
#[utoipa::path(get, path = "/api/v1/leases/{id}", operation_id = "lease", tag = "leases",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The lease")),
    responses(
        (status = 200, description = "As it is now", body = LeaseView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lease, or none that concerns you (`lease_unknown`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_one(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidPath(lease_id): ValidPath<Uuid>,
) -> Result<Json<LeaseView>, Problem> {
    Ok(Json(tenure.lease(caller, lease_id).await?))
}

/// Accept a lease
///
/// The deposit is held, the first rent paid, and you may enter and build whatever the fence says.
#[utoipa::path(post, path = "/api/v1/leases/{id}/accept", operation_id = "lease_accept", tag = "leases",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The lease"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The lease as it is now", body = LeaseView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "That is for the tenant to decide (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lease, or none that concerns you (`lease_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or too late (`lease_closed` with `state`); `parcel_leased`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn accept(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidPath(lease_id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    to_the_end(async move { tenure.choose(caller, lease_id, Choice::Accept, key).await }).await
}

/// Decline a lease
#[utoipa::path(post, path = "/api/v1/leases/{id}/decline", operation_id = "lease_decline", tag = "leases",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The lease"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The lease as it is now", body = LeaseView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "That is for the tenant to decide (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lease, or none that concerns you (`lease_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or too late (`lease_closed` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn decline(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidPath(lease_id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    to_the_end(async move { tenure.choose(caller, lease_id, Choice::Decline, key).await }).await
}

/// End a lease, or take the offer of one back
///
/// The tenant leaves at the end of the period that is paid, or at once; rent is not paid back. The owner gives notice:
/// the tenant has one more whole period. The deposit is free at the end.
#[utoipa::path(post, path = "/api/v1/leases/{id}/end", operation_id = "lease_end", tag = "leases",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The lease"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = EndRequest,
    responses(
        (status = 200, description = "The lease as it is now", body = LeaseView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "An offer is its owner's to take back (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lease, or none that concerns you (`lease_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`lease_closed` with `state`); the tenant owes rent (`rent_overdue`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn end(
    State(tenure): State<Arc<Tenure>>,
    caller: Caller,
    ValidPath(lease_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<EndRequest>,
) -> Result<Answer, Problem> {
    let choice = Choice::End { is_at_once: request.at_once };
    to_the_end(async move { tenure.choose(caller, lease_id, choice, key).await }).await
}

/// Goes on when the caller hangs up, so that what was begun is answered for.
async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

fn parse_terms(request: LeaseRequest) -> Result<Terms, Problem> {
    let LeaseRequest { tenant_id, currency, rent_minor, deposit_minor, period_s, period_days, periods } =
        request;
    if !(1..=MINOR_MAX).contains(&rent_minor) {
        return Err(invalid("#/rent_minor", format!("must be from 1 to {MINOR_MAX}")));
    }
    if !(0..=MINOR_MAX).contains(&deposit_minor) {
        return Err(invalid("#/deposit_minor", format!("must be from 0 to {MINOR_MAX}")));
    }
    let (pointer, period_s) = match (period_s, period_days) {
        (Some(period_s), None) => ("#/period_s", Some(period_s)),
        (None, Some(days)) => ("#/period_days", days.checked_mul(DAY_S)),
        _ => return Err(invalid("#/period_s", "either this or period_days must be given")),
    };
    let period_s = period_s.filter(|it| (PERIOD_S_MIN..=PERIOD_S_MAX).contains(it));
    let period_s = period_s.ok_or_else(|| invalid(pointer, "must be an hour to 366 days"))?;
    if !(1..=PERIODS_MAX).contains(&periods) {
        return Err(invalid("#/periods", format!("must be from 1 to {PERIODS_MAX}")));
    }
    let period_us = period_s * 1_000_000;
    Ok(Terms { tenant_id, currency, rent_minor, deposit_minor, period_us, period_count: periods })
}
