//! Land and sales over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Problem, ValidJson, ValidPath};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::Isolation;
use utoipa::ToSchema;
use uuid::Uuid;

use super::faults::ActFaults;
use super::{ReasonRequest, asked, to_the_end};
use crate::property::{self, CancelledView, LandActView};
use crate::service::Staff;

/// Freeze land
///
/// Until it is thawed it can be neither sold, bid for, given, let, merged, split nor abandoned. What is for sale stays
/// so and is not sold; an auction that ends meanwhile ends without a buyer. Undone by `thaw`.
#[utoipa::path(post, path = "/api/v1/staff/lands/{token}/freeze", operation_id = "staff_freeze", tag = "staff",
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, description = "The land as it is now", body = LandActView),
        (status = 403, description = "Its owner's role is not below yours (`rank_too_low`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_a_lot`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_owned`; `already_so`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn freeze(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ReasonRequest>,
) -> Result<Answer, Problem> {
    let lot = staff.deps.land.parse_lot(&token)?;
    let parts = [&lot.raw().to_be_bytes()[..]];
    let asked = asked("staff_freeze", &parts, (caller, key, &request.reason), Isolation::Locked)?;
    to_the_end(async move {
        staff.act(asked, move |tx, deps, now_us| property::freeze(tx, deps, &caller, lot, now_us)).await
    })
    .await
}

/// Thaw land
#[utoipa::path(post, path = "/api/v1/staff/lands/{token}/thaw", operation_id = "staff_thaw", tag = "staff",
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, description = "The land as it is now", body = LandActView),
        (status = 403, description = "Its owner's role is not below yours (`rank_too_low`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_a_lot`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_owned`; `already_so`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn thaw(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ReasonRequest>,
) -> Result<Answer, Problem> {
    let lot = staff.deps.land.parse_lot(&token)?;
    let parts = [&lot.raw().to_be_bytes()[..]];
    let asked = asked("staff_thaw", &parts, (caller, key, &request.reason), Isolation::Locked)?;
    to_the_end(
        async move { staff.act(asked, move |tx, deps, _| property::thaw(tx, deps, &caller, lot)).await },
    )
    .await
}

/// To whom land is given back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title_number": 1, "reason": "Sold from a stolen account."}))]
pub(super) struct RestoreRequest {
    /// The number of the title that names them, as in the history of the parcel.
    #[schema(minimum = 1)]
    title_number: i64,
    /// 1 to 500 characters, on record.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

/// Give land back to an earlier owner
///
/// Only the deed moves; what was paid is not touched. Works on frozen land, which stays frozen. What is open on the
/// parcel (a listing, an auction, an offer of a lease) is ended first; an offered gift is ended by this. Undone by
/// giving it back to the title before.
#[utoipa::path(post, path = "/api/v1/staff/lands/{token}/restore", operation_id = "staff_restore_land", tag = "staff",
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = RestoreRequest,
    responses(
        (status = 200, description = "The land as it is now", body = LandActView),
        (status = 403, description = "One owner's role is not below yours (`rank_too_low`); to yourself (`not_to_oneself`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`not_a_lot`; the earlier owner is no more (`account_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_owned`; `already_so`; `shape_changed`: merged or split since; `parcel_encumbered` with `kind` and `reference_id`; `account_erased`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body` with a pointer; `title_unknown`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn restore(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<RestoreRequest>,
) -> Result<Answer, Problem> {
    let lot = staff.deps.land.parse_lot(&token)?;
    let number = request.title_number;
    let client_id = format!("staff_restore:{}:{}", caller.account_id, key.as_str());
    let parts = [&lot.raw().to_be_bytes()[..], &number.to_le_bytes()];
    let asked = asked("staff_restore_land", &parts, (caller, key, &request.reason), Isolation::Locked)?;
    to_the_end(async move {
        staff
            .act(asked, move |tx, deps, now_us| {
                property::restore(tx, deps, &caller, (lot, number), &client_id, now_us)
            })
            .await
    })
    .await
}

/// End a listing, an auction or an offer
///
/// Whatever it is, and bids or not: all money that is held for it is free again, and those concerned are told. Cannot be
/// undone; the owner may put it up again.
#[utoipa::path(post, path = "/api/v1/staff/market/{sale_id}/cancel", operation_id = "staff_cancel", tag = "staff",
    params(
        ("sale_id" = Uuid, Path, description = "The listing, auction or offer"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = ReasonRequest,
    responses(
        (status = 200, description = "It is ended", body = CancelledView),
        (status = 403, description = "The owner's role is not below yours (`rank_too_low`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`listing_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`not_open` with `state`", body = Problem, content_type = "application/problem+json"),
        ActFaults,
    ))]
pub(super) async fn cancel(
    State(staff): State<Arc<Staff>>,
    caller: Caller,
    ValidPath(sale_id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ReasonRequest>,
) -> Result<Answer, Problem> {
    let parts = [&sale_id.as_bytes()[..]];
    let asked = asked("staff_cancel", &parts, (caller, key, &request.reason), Isolation::Locked)?;
    to_the_end(async move {
        staff.act(asked, move |tx, deps, now_us| property::cancel(tx, deps, &caller, sale_id, now_us)).await
    })
    .await
}
