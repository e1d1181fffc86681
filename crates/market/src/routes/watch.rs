//! The watch list over HTTP.

use std::sync::Arc;

use api::{Caller, Page, PageParams, Problem, ValidPath, ValidQuery, cursor, page_limit, timestamp};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use cell::CellId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::to_the_end;
use crate::MarketService;
use crate::refusal::Refusal;
use crate::sales;
use crate::show::Viewer;
use crate::view::{SaleParcelView, SaleView};
use crate::watches;

/// Parcels that one account watches.
const WATCHES_MAX: i64 = 500;

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(watch, unwatch))
}

/// A parcel that you watch.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct WatchView {
    /// The parcel's token.
    pub token: String,
    /// The land as it is now; absent if the parcel is no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<SaleParcelView>,
    /// How it is for sale, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<SaleView>,
    /// Since when you watch it.
    #[schema(value_type = String, format = DateTime)]
    pub since: jiff::Timestamp,
}

/// Land that you watch
#[utoipa::path(get, path = "/api/v1/marketplace/watch", operation_id = "watches", tag = "marketplace",
    security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, description = "One page, in an order that stays", body = Page<WatchView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn list(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<PageParams>,
) -> Result<Json<Page<WatchView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let after = match &params.cursor {
        Some(text) => i64::from_be_bytes(cursor::decode(text)?),
        None => i64::MIN,
    };
    let views = market.read(move |tx, deps, now_us| {
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        let watched = watches::list(tx, caller.account_id, after, limit + 1)?;
        viewer.expect(tx, watched.iter().map(|it| it.0))?;
        let parcels: Vec<CellId> = watched.iter().map(|it| it.0).collect();
        let open = sales::find_open_of(tx, &parcels)?;
        let mut views = Vec::with_capacity(watched.len());
        for (parcel, since_us) in watched {
            let sale = open.iter().find(|it| it.land.parcel == parcel);
            let view = WatchView {
                token: parcel.token(),
                parcel: viewer.parcel(tx, parcel)?,
                sale: sale.map(|it| viewer.sale(tx, it)).transpose()?,
                since: timestamp(since_us),
            };
            views.push((parcel, view));
        }
        Ok(views)
    });
    let page =
        Page::from_surplus(views.await?, limit, |(last, _)| cursor::encode(&last.to_sql().to_be_bytes()));
    Ok(Json(page.map(|(_, view)| view)))
}

/// Watch a parcel
///
/// You are told when it is put up for sale, when its auction is about to end, and when it is sold.
#[utoipa::path(put, path = "/api/v1/marketplace/watch/{token}", operation_id = "watch", tag = "marketplace",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The token of any of the parcel's lots", example = "4be64c3c")),
    responses(
        (status = 204, description = "You watch it"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "Nobody owns it (`not_owned`); you watch as many as you may (`too_many` with `max`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn watch(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<StatusCode, Problem> {
    let lot = market.deps.parse_lot(&token)?;
    let (store, now_us) = (market.deps.store.clone(), market.deps.clock.now_us());
    to_the_end(async move {
        store
            .locked(move |tx| {
                let facts = land::parcel(tx, lot)?.ok_or(Refusal::NotOwned)?;
                let is_new = watches::add(tx, caller.account_id, facts.anchor, now_us)?;
                if is_new && watches::count(tx, caller.account_id)? > WATCHES_MAX {
                    return Err(Refusal::TooMany { what: "watched parcels", max: WATCHES_MAX });
                }
                Ok(())
            })
            .await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Watch a parcel no longer
#[utoipa::path(delete, path = "/api/v1/marketplace/watch/{token}", operation_id = "unwatch", tag = "marketplace",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The parcel's token, or that of any of its lots", example = "4be64c3c")),
    responses(
        (status = 204, description = "You do not watch it"),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
async fn unwatch(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<StatusCode, Problem> {
    let lot = market.deps.parse_lot(&token)?;
    let store = market.deps.store.clone();
    to_the_end(async move {
        store
            .locked(move |tx| {
                // The parcel may have another name by now, or none.
                let anchor = land::parcel(tx, lot)?.map_or(lot, |it| it.anchor);
                watches::remove(tx, caller.account_id, anchor)?;
                watches::remove(tx, caller.account_id, lot)
            })
            .await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
