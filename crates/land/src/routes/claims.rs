//! Claiming over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Problem, ValidJson, ValidPath};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::to_the_end;
use crate::view::LotView;
use crate::{LandService, lots};

/// Free lots to claim as one parcel.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimsRequest {
    /// The tokens of the lots, each once: at most as many as the planet's terms say, usually 64. Each shares a side
    /// with another.
    #[schema(min_items = 1, example = json!(["4be64c3c", "4be64c44"]))]
    pub cells: Vec<String>,
    /// The group that shall own it and pays, if not you.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_group: Option<Uuid>,
}

/// Claim a free lot near you
///
/// Costs the lot's price. If several reasons stand against it, the first in this order is given: `not_a_lot`,
/// `lot_unclaimable`, `not_in_world`, `lot_too_far`, `lot_taken`, `insufficient_funds`. The answer is kept for 24
/// hours under the key, refusals included: repeat a request with its key, make a new key for a new try.
#[utoipa::path(post, path = "/api/v1/lands/{token}/claim", operation_id = "land_claim", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of the lot's cell", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 201, description = "The lot is yours", body = LotView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has it (`lot_taken`), or you have no body on the planet (`not_in_world`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`lot_unclaimable` with `reason`; `lot_too_far` with `distance_m` and `max_m`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn claim(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    to_the_end(async move { land.claim(caller, vec![lot], None, key).await }).await
}

/// Claim several free lots as one parcel
///
/// All of them or none, for the price of their area together. You must be near the nearest of them. If several reasons
/// stand against it, the first in this order is given: `too_many_cells`, `invalid_body`, `duplicate_cells`,
/// `overlapping_cells`, `not_connected`, `lot_unclaimable`, `land_too_large`, `no_authority`, `not_in_world`, `lot_too_far`, `lot_taken`,
/// `insufficient_funds`.
#[utoipa::path(post, path = "/api/v1/lands/claims", operation_id = "land_claims", tag = "lands",
    security(("bearer" = [])),
    params(
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = ClaimsRequest,
    responses(
        (status = 201, description = "The parcel is yours", body = LotView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has one of them (`lot_taken`), or you have no body on the planet (`not_in_world`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`too_many_cells` with `count` and `max`; `invalid_body`; `duplicate_cells`; `overlapping_cells`; `not_connected`; `lot_unclaimable` with `token` and `reason`; `land_too_large` with `area_m2` and `max_m2`; `lot_too_far` with `distance_m` and `max_m`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn claim_several(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ClaimsRequest>,
) -> Result<Answer, Problem> {
    let lots =
        lots::parse("cells", &request.cells, land.lot_level(), land.economy().land.claim_cells_max as usize)?;
    to_the_end(async move { land.claim(caller, lots, request.as_group, key).await }).await
}
