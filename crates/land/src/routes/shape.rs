//! Merging, splitting and giving up land over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Problem, ValidJson, ValidPath};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::to_the_end;
use crate::limits::MERGED_MAX;
use crate::view::{AbandonedView, LotView, SplitView};
use crate::{LandService, lots};

/// Parcels to merge.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MergeRequest {
    /// Each by the token of any of its lots, 1 to 16.
    #[schema(min_items = 1, max_items = 16, example = json!(["4be64c44"]))]
    pub with: Vec<String>,
}

/// Lots to split off.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRequest {
    /// Their tokens, each once; not all that the parcel has.
    #[schema(min_items = 1, example = json!(["4be64c44"]))]
    pub cells: Vec<String>,
}

/// Merge your parcels into one
///
/// The parcel of the path keeps its token, name and description, and gets the lots of the others, whose deeds go back to
/// the land office. If several reasons stand against it, the first in this order is given: `not_a_lot`,
/// `too_many_cells` and faults of the list, `not_owner`, `duplicate_cells` (two lots of one parcel), `owners_differ`,
/// `too_many_cells`, `not_connected`, `parcel_encumbered`, `parcel_leased`.
#[utoipa::path(post, path = "/api/v1/lands/{token}/merge", operation_id = "land_merge", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = MergeRequest,
    responses(
        (status = 200, description = "The parcel as it is now", body = LotView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "One is not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`parcel_encumbered` with `parcel` and `kind`; `parcel_leased` with `parcel`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`too_many_cells` with `count` and `max`; `invalid_body`; `duplicate_cells`; `overlapping_cells`; `owners_differ`; `not_connected`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn merge(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<MergeRequest>,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    let with = lots::parse("with", &request.with, land.lot_level(), MERGED_MAX)?;
    to_the_end(async move { land.merge(caller, lot, with, key).await }).await
}

/// Split your parcel in two
///
/// The part with the lot that the parcel is named after keeps token, name and description; the other gets a deed of its
/// own. If several reasons stand against it, the first in this order is given: `not_a_lot`, faults of the list,
/// `not_owner`, `not_in_parcel`, `nothing_left`, `not_connected`, `parcel_encumbered`, `parcel_leased`.
#[utoipa::path(post, path = "/api/v1/lands/{token}/split", operation_id = "land_split", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = SplitRequest,
    responses(
        (status = 200, description = "Both parts", body = SplitView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`parcel_encumbered` with `parcel` and `kind`; `parcel_leased` with `parcel`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`too_many_cells` with `count` and `max`; `invalid_body`; `duplicate_cells`; `overlapping_cells`; `not_in_parcel` with `token`; `nothing_left`; `not_connected`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn split(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<SplitRequest>,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    let count_max = land.economy().land.parcel_cells_max as usize;
    let part = lots::parse("cells", &request.cells, land.lot_level(), count_max)?;
    to_the_end(async move { land.split(caller, lot, part, key).await }).await
}

/// Give up your land
///
/// Its lots are free again; nothing is paid back. If several reasons stand against it, the first in this order is given:
/// `not_a_lot`, `not_owner`, `parcel_encumbered`, `parcel_leased`.
#[utoipa::path(post, path = "/api/v1/lands/{token}/abandon", operation_id = "land_abandon", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "What it was", body = AbandonedView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`parcel_encumbered` with `parcel` and `kind`; `parcel_leased` with `parcel`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn abandon(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    to_the_end(async move { land.abandon(caller, lot, key).await }).await
}
