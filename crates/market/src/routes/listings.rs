//! Listings over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Page, Problem, ValidJson, ValidPath, cursor, page_limit};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{MineParams, MineQuery, Which, before, to_the_end};
use crate::MarketService;
use crate::listing;
use crate::party::Party;
use crate::refusal::{Refusal, Subject};
use crate::requests::{ListingRequest, PriceRequest, PurchaseRequest, amount};
use crate::rules::state::SaleKind;
use crate::sales::{self, OfSeller};
use crate::service::{Actor, Asked};
use crate::show::Viewer;
use crate::view::{PurchaseView, SaleView};

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(list_mine))
        .routes(routes!(get_one, change, cancel))
        .routes(routes!(purchase))
}

/// Put land up for sale at a fixed price
///
/// The land must be yours, or of a group that you may act for, and nothing else may bind it.
#[utoipa::path(post, path = "/api/v1/marketplace/listings", operation_id = "listing_open", tag = "marketplace",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")),
    request_body = ListingRequest,
    responses(
        (status = 201, description = "It is for sale", body = SaleView),
        (status = 400, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody's (`not_owned`); bound otherwise (`encumbered` with `kind`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `unknown_currency`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn open(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<ListingRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/listings", &request);
    let new = request.check(&market.deps)?;
    to_the_end(
        async move { market.decide(asked, move |tx, deps| listing::open(tx, deps, caller, &new)).await },
    )
    .await
}

/// Your listings
#[utoipa::path(get, path = "/api/v1/marketplace/listings/mine", operation_id = "listings_mine", tag = "marketplace",
    security(("bearer" = [])),
    params(MineParams),
    responses(
        (status = 200, description = "One page, newest first", body = Page<SaleView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_mine(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    query: MineQuery,
) -> Result<Json<Page<SaleView>>, Problem> {
    Ok(Json(sales_of(&market, caller, query, true).await?))
}

/// One page of somebody's sales.
pub(super) async fn sales_of(
    market: &MarketService,
    caller: Caller,
    query: MineQuery,
    is_fixed: bool,
) -> Result<Page<SaleView>, Problem> {
    let params = query.0;
    let (before, limit) = (before(params.cursor.as_deref())?, page_limit(params.limit)?);
    let party = Party::of(caller.account_id, params.as_group);
    let of = OfSeller { seller_id: party.owner_id, is_fixed, is_open_only: params.state == Which::Open };
    let views = market.read(move |tx, deps, now_us| {
        deps.acting.check(tx, party, caller.account_id)?;
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        let found = sales::list_of_seller(tx, of, before, limit + 1)?;
        viewer.expect(tx, found.iter().map(|it| it.land.parcel))?;
        found.iter().map(|it| viewer.whole_sale(tx, it, party.owner_id)).collect::<Result<Vec<_>, _>>()
    });
    Ok(Page::from_surplus(views.await?, limit, |last| cursor::encode(last.id.as_bytes())))
}

/// One listing
#[utoipa::path(get, path = "/api/v1/marketplace/listings/{id}", operation_id = "listing", tag = "marketplace",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The listing's id")),
    responses(
        (status = 200, description = "The listing, open or not", body = SaleView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`listing_not_found`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_one(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<Json<SaleView>, Problem> {
    let view = market.read(move |tx, deps, now_us| {
        let sale = sales::find(tx, id)?.filter(|it| it.kind == SaleKind::Fixed);
        let sale = sale.ok_or(Refusal::NotFound { what: Subject::Listing })?;
        Ok(Viewer::new(deps, caller.account_id, now_us).sale(tx, &sale)?)
    });
    Ok(Json(view.await?))
}

/// Change the price of your listing
#[utoipa::path(patch, path = "/api/v1/marketplace/listings/{id}", operation_id = "listing_change", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The listing's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = PriceRequest,
    responses(
        (status = 200, description = "The listing at its new price", body = SaleView),
        (status = 400, description = "`malformed_json`, `invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`listing_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`, `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn change(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<PriceRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "PATCH /marketplace/listings/{id}", &(id, &request));
    let price_minor = amount("#/price_minor", request.price_minor)?;
    to_the_end(async move {
        market.decide(asked, move |tx, deps| listing::change(tx, deps, caller, id, price_minor)).await
    })
    .await
}

/// Take your listing back
#[utoipa::path(delete, path = "/api/v1/marketplace/listings/{id}", operation_id = "listing_cancel", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The listing's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "It is cancelled", body = SaleView),
        (status = 400, description = "`invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`listing_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn cancel(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "DELETE /marketplace/listings/{id}", &id);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| listing::cancel(tx, deps, caller, id)).await },
    )
    .await
}

/// Buy listed land
///
/// You pay exactly the price; fee and tax are the seller's. If several reasons stand against it, the first in this
/// order is given: `listing_not_found`, `may_not_act`, `not_open`, `own_land`, `price_changed`, `insufficient_funds`.
#[utoipa::path(post, path = "/api/v1/marketplace/listings/{id}/purchase", operation_id = "listing_purchase", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The listing's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = PurchaseRequest,
    responses(
        (status = 200, description = "The land is yours", body = PurchaseView),
        (status = 400, description = "`malformed_json`, `invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`listing_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`); it costs something else (`price_changed` with `price_minor`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `own_land`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn purchase(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<PurchaseRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/listings/{id}/purchase", &(id, &request));
    let price_minor = amount("#/price_minor", request.price_minor)?;
    let actor = Actor::of(caller, request.as_group);
    to_the_end(async move { market.purchase(asked, actor, id, price_minor).await }).await
}
