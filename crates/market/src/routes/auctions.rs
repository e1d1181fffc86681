//! Auctions over HTTP.

use std::sync::Arc;

use api::idempotency::Answer;
use api::{
    Caller, IdempotencyKey, Page, PageParams, Problem, ValidJson, ValidPath, ValidQuery, cursor, kinds,
    page_limit, timestamp,
};
use axum::Json;
use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::listings::sales_of;
use super::{MineParams, MineQuery, Which, before, to_the_end};
use crate::MarketService;
use crate::auctioning::{self, NewBid};
use crate::auctions;
use crate::party::Party;
use crate::refusal::{Refusal, Subject};
use crate::requests::{AuctionRequest, BidRequest, PurchaseRequest, amount};
use crate::rules::state::{SaleKind, SaleState};
use crate::sales::{self, Sale};
use crate::service::{Actor, Asked};
use crate::show::Viewer;
use crate::view::{BidView, PurchaseView, SaleView};

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(list_mine))
        .routes(routes!(bids_mine))
        .routes(routes!(get_one))
        .routes(routes!(list_bids, bid))
        .routes(routes!(cancel))
        .routes(routes!(accept))
}

/// Auction land
///
/// The land must be yours, or of a group that you may act for, and nothing else may bind it. English and sealed
/// auctions may have a reserve; Dutch ones need `floor_minor`, `step_minor` and `step_s`.
#[utoipa::path(post, path = "/api/v1/marketplace/auctions", operation_id = "auction_open", tag = "marketplace",
    security(("bearer" = [])),
    params(("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\"")),
    request_body = AuctionRequest,
    responses(
        (status = 201, description = "The auction is open", body = SaleView),
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
    ValidJson(request): ValidJson<AuctionRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/auctions", &request);
    let new = request.check(&market.deps)?;
    to_the_end(
        async move { market.decide(asked, move |tx, deps| auctioning::open(tx, deps, caller, &new)).await },
    )
    .await
}

/// Your auctions
#[utoipa::path(get, path = "/api/v1/marketplace/auctions/mine", operation_id = "auctions_mine", tag = "marketplace",
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
    Ok(Json(sales_of(&market, caller, query, false).await?))
}

/// Auctions that you bid in
#[utoipa::path(get, path = "/api/v1/marketplace/bids/mine", operation_id = "bids_mine", tag = "marketplace",
    security(("bearer" = [])),
    params(MineParams),
    responses(
        (status = 200, description = "One page, newest auction first; `is_leading` and `your_max_minor` say how you stand", body = Page<SaleView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn bids_mine(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidQuery(params): MineQuery,
) -> Result<Json<Page<SaleView>>, Problem> {
    let (before, limit) = (before(params.cursor.as_deref())?, page_limit(params.limit)?);
    let party = Party::of(caller.account_id, params.as_group);
    let is_open_only = params.state == Which::Open;
    let views = market.read(move |tx, deps, now_us| {
        deps.acting.check(tx, party, caller.account_id)?;
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        let found = auctions::list_of_bidder(tx, party.owner_id, is_open_only, before, limit + 1)?;
        viewer.expect(tx, found.iter().map(|it| it.1.land.parcel))?;
        let mut views = Vec::new();
        for (bidder, sale, auction) in found {
            views.push(viewer.auction(tx, &sale, &auction, Some(&bidder))?);
        }
        Ok(views)
    });
    let page = Page::from_surplus(views.await?, limit, |last| cursor::encode(last.id.as_bytes()));
    Ok(Json(page))
}

/// One auction
#[utoipa::path(get, path = "/api/v1/marketplace/auctions/{id}", operation_id = "auction", tag = "marketplace",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The auction's id")),
    responses(
        (status = 200, description = "The auction, open or not", body = SaleView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`auction_not_found`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn get_one(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
) -> Result<Json<SaleView>, Problem> {
    let view = market.read(move |tx, deps, now_us| {
        let sale = find(tx, id)?;
        Viewer::new(deps, caller.account_id, now_us).whole_sale(tx, &sale, caller.account_id)
    });
    Ok(Json(view.await?))
}

fn find(tx: &mut store::Tx<'_>, id: Uuid) -> Result<Sale, Refusal> {
    let sale = sales::find(tx, id)?.filter(|it| it.kind.is_auction());
    sale.ok_or(Refusal::NotFound { what: Subject::Auction })
}

/// Bids of an auction
///
/// Bidders have numbers instead of names, and maxima are told to nobody but those who named them. Bids of a sealed
/// auction are told after its end; before that you see your own.
#[utoipa::path(get, path = "/api/v1/marketplace/auctions/{id}/bids", operation_id = "auction_bids", tag = "marketplace",
    security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The auction's id"), PageParams),
    responses(
        (status = 200, description = "One page, newest first", body = Page<BidView>),
        (status = 400, description = "`invalid_path`, `invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`auction_not_found`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list_bids(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    ValidQuery(params): ValidQuery<PageParams>,
) -> Result<Json<Page<BidView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let before = match &params.cursor {
        Some(text) => i64::from_be_bytes(cursor::decode(text)?),
        None => i64::MAX,
    };
    if before < 1 {
        return Err(kinds::INVALID_CURSOR.into());
    }
    let views = market.read(move |tx, deps, now_us| {
        let sale = find(tx, id)?;
        let is_secret = sale.kind == SaleKind::Sealed && sale.state == SaleState::Open;
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        let mut own = std::collections::HashMap::new();
        for bidder in auctions::bidders(tx, id)? {
            own.insert(bidder.party.owner_id, viewer.acts_for(tx, bidder.party)?);
        }
        let bids = if is_secret {
            // Even how many there are is secret: only the caller's own.
            auctions::bids_of(tx, id, caller.account_id, before, limit + 1)?
        } else {
            auctions::bids(tx, id, before, limit + 1)?
        };
        Ok(bids
            .into_iter()
            .map(|bid| {
                let is_yours = own.get(&bid.bidder_id).copied().unwrap_or(false);
                BidView {
                    bid_number: bid.number,
                    bidder: if is_secret {
                        "You".to_owned()
                    } else {
                        format!("Bidder {}", bid.bidder_number)
                    },
                    is_yours,
                    price_minor: if sale.kind == SaleKind::Sealed { bid.max_minor } else { bid.price_minor },
                    max_minor: is_yours.then_some(bid.max_minor),
                    at: timestamp(bid.placed_at_us),
                }
            })
            .collect::<Vec<_>>())
    });
    let page = Page::from_surplus(views.await?, limit, |last| cursor::encode(&last.bid_number.to_be_bytes()));
    Ok(Json(page))
}

/// Bid in an English or sealed auction
///
/// Your maximum is held in full; when you are outbid it is free at once. If several reasons stand against it, the
/// first in this order is given: `auction_not_found`, `may_not_act`, `wrong_kind`, `auction_ended` or `not_open`,
/// `own_land`, `bid_not_higher` or `bid_too_low`, `insufficient_funds`.
#[utoipa::path(post, path = "/api/v1/marketplace/auctions/{id}/bids", operation_id = "auction_bid", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The auction's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = BidRequest,
    responses(
        (status = 201, description = "The bid was taken; `is_leading` says whether it leads", body = SaleView),
        (status = 400, description = "`malformed_json`, `invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`auction_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`wrong_kind`; `auction_ended`; `not_open` with `state`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `own_land`; `bid_not_higher` with your `max_minor`; `bid_too_low` with `minimum_minor`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn bid(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<BidRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/auctions/{id}/bids", &(id, &request));
    let new = NewBid { auction_id: id, max_minor: amount("#/max_minor", request.max_minor)? };
    let actor = Actor::of(caller, request.as_group);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| auctioning::bid(tx, deps, actor, new)).await },
    )
    .await
}

/// Take your auction back while nobody has bid
#[utoipa::path(post, path = "/api/v1/marketplace/auctions/{id}/cancel", operation_id = "auction_cancel", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The auction's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    responses(
        (status = 200, description = "It is cancelled", body = SaleView),
        (status = 400, description = "`invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`auction_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Somebody has bid (`has_bids`); it is over (`auction_ended`, `not_open` with `state`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn cancel(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/auctions/{id}/cancel", &id);
    to_the_end(
        async move { market.decide(asked, move |tx, deps| auctioning::cancel(tx, deps, caller, id)).await },
    )
    .await
}

/// Accept the price of a Dutch auction
///
/// You pay the price of the instant, never more than `price_minor`.
#[utoipa::path(post, path = "/api/v1/marketplace/auctions/{id}/accept", operation_id = "auction_accept", tag = "marketplace",
    security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The auction's id"),
        ("Idempotency-Key" = String, Header, description = "A new UUID for each decision, the same one when repeating it", example = "\"8e03978e-40d5-43e8-bc93-6894a57f9324\""),
    ),
    request_body = PurchaseRequest,
    responses(
        (status = 200, description = "The land is yours", body = PurchaseView),
        (status = 400, description = "`malformed_json`, `invalid_path`, `idempotency_key_missing`, `idempotency_key_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "You may not act for that group (`may_not_act`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`auction_not_found`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`wrong_kind`; `auction_ended`; `not_open` with `state`; `price_changed` with `price_minor`", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`invalid_body`; `own_land`; `insufficient_funds` with `available_minor` and `price_minor`; `idempotency_key_reused`", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "`too_many_decisions`: 1000 in 24 hours", body = Problem, content_type = "application/problem+json"),
    ))]
async fn accept(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(id): ValidPath<Uuid>,
    key: IdempotencyKey,
    ValidJson(request): ValidJson<PurchaseRequest>,
) -> Result<Answer, Problem> {
    let asked = Asked::new(caller, key, "POST /marketplace/auctions/{id}/accept", &(id, &request));
    let agreed_minor = amount("#/price_minor", request.price_minor)?;
    let actor = Actor::of(caller, request.as_group);
    to_the_end(async move {
        market.decide(asked, move |tx, deps| auctioning::accept(tx, deps, actor, id, agreed_minor)).await
    })
    .await
}
