//! Lots over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::text::{self, NameRule};
use api::{
    Caller, IdempotencyKey, Page, PageParams, Problem, ValidJson, ValidPath, ValidQuery, cursor, kinds,
    page_limit,
};
use axum::Json;
use axum::extract::State;
use cell::CellId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::LandService;
use crate::view::LotView;

const LOT_NAME: NameRule = NameRule { chars_min: 1, chars_max: 40 };

/// Which lots to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct LotsParams {
    /// The token of a cell of the lot level or above: the owned lots inside it are listed.
    #[param(example = "4be64c")]
    cell: String,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// A new name for a lot.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RenameRequest {
    /// 1 to 40 characters as people count them (marks belong to their letter); spaces around it are taken off.
    #[schema(min_length = 1, example = "Ann's garden")]
    pub name: String,
}

/// The routes of this crate, to be merged at the root.
pub fn routes(land: Arc<LandService>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(list_mine))
        .routes(routes!(get_one, rename))
        .routes(routes!(claim))
        .with_state(land)
}

/// Lots that are owned inside a cell
#[utoipa::path(get, path = "/api/v1/lands", operation_id = "lands", tag = "lands",
    security(("bearer" = [])),
    params(LotsParams),
    responses(
        (status = 200, description = "One page of owned lots, by ascending cell id", body = Page<LotView>),
        (status = 400, description = "`invalid_query` (also: no cell, or one below the lot level), `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidQuery(params): ValidQuery<LotsParams>,
) -> Result<Json<Page<LotView>>, Problem> {
    let lot_level = land.lot_level();
    let place =
        CellId::parse_token(&params.cell).ok().filter(|it| it.level() <= lot_level).ok_or_else(|| {
            Problem::from(kinds::INVALID_QUERY)
                .parameter("cell", format!("must be the token of a cell of level 0 to {lot_level}"))
        })?;
    let (after, limit) = (parse_cursor(params.cursor.as_deref())?, page_limit(params.limit)?);
    Ok(Json(land.lots_in(place, after, limit).await?))
}

/// Your lots
#[utoipa::path(get, path = "/api/v1/lands/mine", operation_id = "lands_mine", tag = "lands",
    security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, description = "One page of your lots, in an order that stays", body = Page<LotView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_mine(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<PageParams>,
) -> Result<Json<Page<LotView>>, Problem> {
    let (after, limit) = (parse_cursor(params.cursor.as_deref())?, page_limit(params.limit)?);
    Ok(Json(land.lots_of(caller.account_id, after, limit).await?))
}

/// One lot, owned or not
#[utoipa::path(get, path = "/api/v1/lands/{token}", operation_id = "land", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of the lot's cell", example = "4be64c3c")),
    responses(
        (status = 200, description = "The lot", body = LotView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_one(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<Json<LotView>, Problem> {
    let lot = land.parse_lot(&token)?;
    Ok(Json(land.lot(lot).await?))
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
async fn claim(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let lot = land.parse_lot(&token)?;
    to_the_end(async move { land.claim(caller, lot, key).await }).await
}

/// Goes on when the caller hangs up, so that others hear of what was stored.
async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

/// Name your lot
#[utoipa::path(patch, path = "/api/v1/lands/{token}", operation_id = "land_rename", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of the lot's cell", example = "4be64c3c")),
    request_body = RenameRequest,
    responses(
        (status = 200, description = "The lot with its new name", body = LotView),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such name is possible (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn rename(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    ValidJson(request): ValidJson<RenameRequest>,
) -> Result<Json<LotView>, Problem> {
    let lot = land.parse_lot(&token)?;
    let name = text::parse_name(&request.name, LOT_NAME)
        .map_err(|fault| Problem::from(kinds::INVALID_BODY).at("#/name", fault.to_string()))?;
    Ok(Json(to_the_end(async move { land.rename(caller, lot, name).await }).await?))
}

fn parse_cursor(text: Option<&str>) -> Result<Option<CellId>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let raw = u64::from_be_bytes(cursor::decode(text)?);
    CellId::try_from_raw(raw).map(Some).ok_or_else(|| kinds::INVALID_CURSOR.into())
}
