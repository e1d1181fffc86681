//! Gifts and titles over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Page, Problem, ValidJson, ValidPath, ValidQuery, cursor, page_limit};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::to_the_end;
use crate::LandService;
use crate::gifts::GiftDecision;
use crate::titles::Record;
use crate::view::{GiftView, TitleView};

/// Whom to give land to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GiftRequest {
    /// An account or a group.
    pub to_id: Uuid,
}

/// Which gifts to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GiftsParams {
    /// `received` (if absent) or `given`.
    #[param(inline)]
    role: Option<GiftRole>,
    /// A group that you act for; yourself if absent.
    as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// On which side of a gift.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum GiftRole {
    Received,
    Given,
}

/// Which titles to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TitlesParams {
    /// `parcel` (if absent): of the parcel that the lot belongs to now. `lot`: of parcels that were named after this
    /// very lot, even if it is part of another now.
    #[param(inline)]
    record: Option<RecordParam>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Whose history.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RecordParam {
    Parcel,
    Lot,
}

/// Offer your land as a gift
///
/// The receiver has a week to accept; until then nothing else can be done with the land but to cancel. If several
/// reasons stand against it, the first in this order is given: `not_a_lot`, `not_owner`, `self_gift`, `receiver_unknown`,
/// `parcel_encumbered`, `too_many_gifts`.
#[utoipa::path(post, path = "/api/v1/lands/{token}/gift", operation_id = "land_gift", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = GiftRequest,
    responses(
        (status = 201, description = "It is offered", body = GiftView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`, `malformed_json`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`parcel_encumbered` with `parcel` and `kind`; 100 gifts wait for the receiver (`too_many_gifts`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `self_gift`; `receiver_unknown`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn offer(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<GiftRequest>,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    to_the_end(async move { land.offer_gift(caller, lot, request.to_id, key).await }).await
}

/// Gifts to you, or by you
#[utoipa::path(get, path = "/api/v1/lands/gifts", operation_id = "land_gifts", tag = "lands",
    security(("bearer" = [])),
    params(GiftsParams),
    responses(
        (status = 200, description = "One page of gifts, newest first", body = Page<GiftView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You do not act for that group (`no_authority`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<GiftsParams>,
) -> Result<Json<Page<GiftView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let before = params.cursor.as_deref().map(cursor::decode).transpose()?.map(Uuid::from_bytes);
    let owner_id = params.as_group.unwrap_or(caller.account_id);
    let is_giver = params.role == Some(GiftRole::Given);
    Ok(Json(land.gifts(caller, owner_id, is_giver, before, limit).await?))
}

/// Accept a gift
///
/// The deed and the title are the receiver's then.
#[utoipa::path(post, path = "/api/v1/lands/gifts/{id}/accept", operation_id = "land_gift_accept", tag = "lands",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The gift"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The gift as it is now", body = GiftView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "That is for the other side to decide (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such gift, or none that concerns you (`gift_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or too late (`gift_closed` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn accept(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(gift_id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    to_the_end(async move { land.decide_gift(caller, gift_id, GiftDecision::Accept, key).await }).await
}

/// Decline a gift
///
/// The land stays the giver's.
#[utoipa::path(post, path = "/api/v1/lands/gifts/{id}/decline", operation_id = "land_gift_decline", tag = "lands",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The gift"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The gift as it is now", body = GiftView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "That is for the other side to decide (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such gift, or none that concerns you (`gift_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or too late (`gift_closed` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn decline(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(gift_id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    to_the_end(async move { land.decide_gift(caller, gift_id, GiftDecision::Decline, key).await }).await
}

/// Take a gift back
///
/// As long as it is not accepted.
#[utoipa::path(post, path = "/api/v1/lands/gifts/{id}/cancel", operation_id = "land_gift_cancel", tag = "lands",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The gift"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The gift as it is now", body = GiftView),
        (status = 400, description = "`idempotency_key_missing`, `idempotency_key_invalid`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "That is for the other side to decide (`no_authority`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such gift, or none that concerns you (`gift_unknown`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is decided already, or too late (`gift_closed` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn cancel(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(gift_id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    to_the_end(async move { land.decide_gift(caller, gift_id, GiftDecision::Cancel, key).await }).await
}

/// Who owned this land, and why no longer
#[utoipa::path(get, path = "/api/v1/lands/{token}/titles", operation_id = "land_titles", tag = "lands",
    security(("bearer" = [])),
    params(
        ("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c"),
        TitlesParams,
    ),
    responses(
        (status = 200, description = "One page of titles, newest first", body = Page<TitleView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn titles(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidPath(token): ValidPath<String>,
    ValidQuery(params): ValidQuery<TitlesParams>,
) -> Result<Json<Page<TitleView>>, Problem> {
    let lot = land.parse_lot(&token)?;
    let limit = page_limit(params.limit)?;
    let before = params.cursor.as_deref().map(cursor::decode).transpose()?.map(i64::from_be_bytes);
    let record = if params.record == Some(RecordParam::Lot) { Record::Lot } else { Record::Parcel };
    Ok(Json(land.titles(lot, record, before, limit).await?))
}
