//! Offers over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{Caller, IdempotencyKey, Page, Problem, ValidJson, ValidPath, ValidQuery, cursor, page_limit};
use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::{Which, before, to_the_end};
use crate::MarketService;
use crate::offering;
use crate::offers::{self, Side};
use crate::party::Party;
use crate::requests::OfferRequest;
use crate::service::{Actor, Asked};
use crate::show::Viewer;
use crate::view::{OfferView, PurchaseView};

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(accept))
        .routes(routes!(decline))
        .routes(routes!(withdraw))
}

/// Which offers to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OffersParams {
    /// `received` for those for your land, `made` for those you made; `received` if absent.
    #[serde(default)]
    #[param(inline)]
    direction: Direction,
    /// `open` for those that are open, `all` for all; `open` if absent.
    #[serde(default)]
    #[param(inline)]
    state: Which,
    /// Those of a group that you may act for.
    as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Offers got, or offers made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Direction {
    #[default]
    Received,
    Made,
}

/// Your offers
#[utoipa::path(get, path = "/api/v1/marketplace/offers", operation_id = "offers", tag = "marketplace",
    security(("bearer" = [])),
    params(OffersParams),
    responses(
        (status = 200, description = "One page, newest first", body = Page<OfferView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<OffersParams>,
) -> Result<Json<Page<OfferView>>, Problem> {
    let (before, limit) = (before(params.cursor.as_deref())?, page_limit(params.limit)?);
    let party = Party::of(caller.account_id, params.as_group);
    let is_open_only = params.state == Which::Open;
    let side = match params.direction {
        Direction::Received => Side::Received(party.owner_id),
        Direction::Made => Side::Made(party.owner_id),
    };
    let views = market.read(move |tx, deps, now_us| {
        deps.acting.check(tx, party, caller.account_id)?;
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        let found = offers::list(tx, side, is_open_only, before, limit + 1)?;
        viewer.expect(tx, found.iter().map(|it| it.parcel))?;
        Ok(found.iter().map(|it| viewer.offer(tx, it)).collect::<Result<Vec<_>, store::Error>>()?)
    });
    let page = Page::from_surplus(views.await?, limit, |last| cursor::encode(last.offer_id.as_bytes()));
    Ok(Json(page))
}

/// Offer money for land, whether it is for sale or not
///
/// The money is held until the owner accepts or declines, you withdraw, the time is up, or the land goes to somebody
/// else. One open offer of yours for a parcel.
#[utoipa::path(post, path = "/api/v1/marketplace/offers", operation_id = "offer_make", tag = "marketplace",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")),
    request_body = OfferRequest,
    responses(
        (status = 201, description = "The offer is open", body = OfferView),
        (status = 400, description = "`malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody's (`not_owned`); you have one already (`offer_exists`); the land has as many as are taken (`too_many` with `max`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `unknown_currency`; `own_land`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn make(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<OfferRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/offers", &request);
    let new = request.check(&market.deps)?;
    let actor = Actor::of(caller, request.as_group);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| offering::make(tx, deps, actor, &new)).await },
    )
    .await
}

/// Accept an offer for your land
///
/// Money and deed change hands. A listing of the land is taken back by it; an auction is not.
#[utoipa::path(post, path = "/api/v1/marketplace/offers/{id}/accept", operation_id = "offer_accept", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The offer's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The land is sold", body = PurchaseView),
        (status = 400, description = "`invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "It is you who made it (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None, or not for you (`offer_not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`); the land is bound (`encumbered` with `kind`) or no longer the same (`parcel_changed`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn accept(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/offers/{id}/accept", &id);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| offering::accept(tx, deps, caller, id)).await },
    )
    .await
}

/// Decline an offer for your land
#[utoipa::path(post, path = "/api/v1/marketplace/offers/{id}/decline", operation_id = "offer_decline", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The offer's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The offer is declined and its money free", body = OfferView),
        (status = 400, description = "`invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "It is you who made it (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None, or not for you (`offer_not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn decline(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/offers/{id}/decline", &id);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| offering::decline(tx, deps, caller, id)).await },
    )
    .await
}

/// Take your offer back
#[utoipa::path(post, path = "/api/v1/marketplace/offers/{id}/withdraw", operation_id = "offer_withdraw", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The offer's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "The offer is withdrawn and its money free", body = OfferView),
        (status = 400, description = "`invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "It is for you, not of you (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "None, or not of you (`offer_not_found`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is over (`not_open` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn withdraw(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/offers/{id}/withdraw", &id);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| offering::withdraw(tx, deps, caller, id)).await },
    )
    .await
}
