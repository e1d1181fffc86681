//! Prices that were paid, and a hint, over HTTP.

use std::sync::Arc;

use api::{Caller, Problem, ValidPath, ValidQuery, timestamp};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::MarketService;
use crate::near::Near;
use crate::prices::{self, Around, REGION_M, Sold, WINDOW_US};
use crate::show::hundredths;

const HISTORY_MAX: u32 = 50;
const REGION_MAX: u32 = 50;

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new().routes(routes!(prices_of))
}

/// In which money.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct PricesParams {
    /// Of the region and the hint; `coin` if absent.
    currency: Option<String>,
}

/// What a parcel and its region were sold for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "token": "4be64c3c", "currency": "coin",
    "history": [{"sale_id": "019aa5c3-1f00-7000-8000-000000000007", "kind": "english", "token": "4be64c3c",
        "currency": "coin", "price_minor": 12500, "area_m2": 1230.52, "minor_per_m2": 10.16, "biome": "grassland",
        "front": ["river"], "distance_m": 0.0, "at": "2026-11-21T09:00:00Z"}],
    "region_radius_m": 25000.0, "region": [], "hint": null
}))]
pub struct PricesView {
    /// The parcel's token.
    pub token: String,
    /// In which money region and hint are.
    pub currency: String,
    /// What the parcel was sold for, newest first; the last 50.
    pub history: Vec<SoldView>,
    /// How far the region reaches.
    pub region_radius_m: f64,
    /// What was sold in the region in the last 180 days, newest first; the last 50.
    pub region: Vec<SoldView>,
    /// The middle price of a square metre among those; absent with fewer than three.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region_median_minor_per_m2: Option<f64>,
    /// What the parcel may be worth; null with fewer than three comparable sales.
    pub hint: Option<HintView>,
}

/// A fair price: the median price of a square metre of the comparable sales, times the area.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct HintView {
    /// The hint.
    pub price_minor: i64,
    /// The median.
    pub minor_per_m2: f64,
    /// The sales that it is from, nearest first: the same biome and kind of water front, in the last 180 days, of each
    /// other parcel its last.
    pub comparables: Vec<SoldView>,
}

/// A sale that was made.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SoldView {
    /// The listing, auction or offer.
    pub sale_id: Uuid,
    /// `fixed`, `english`, `dutch`, `sealed` or `offer`.
    pub kind: String,
    /// The parcel's token.
    pub token: String,
    /// In which money.
    pub currency: String,
    /// What was paid.
    pub price_minor: i64,
    /// For how much.
    pub area_m2: f64,
    /// For a square metre.
    pub minor_per_m2: f64,
    /// What grew there.
    pub biome: String,
    /// The water it looked out on.
    pub front: Vec<String>,
    /// How far from the parcel that was asked about.
    pub distance_m: f64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
}

impl SoldView {
    fn of(sold: &Sold, planet_radius_m: f64) -> Self {
        Self {
            sale_id: sold.sale_id,
            kind: sold.kind.code().to_owned(),
            token: sold.parcel.token(),
            currency: sold.currency.clone(),
            price_minor: sold.price_minor,
            area_m2: hundredths(sold.area_m2),
            minor_per_m2: hundredths(sold.price_minor as f64 / sold.area_m2),
            biome: sold.biome.clone(),
            front: sold.front.names().into_iter().map(str::to_owned).collect(),
            distance_m: Near::distance_m(sold.chord_squared, planet_radius_m).round(),
            at: timestamp(sold.at_us),
        }
    }
}

/// What land was sold for, and what it may be worth
#[utoipa::path(get, path = "/api/v1/marketplace/prices/{token}", operation_id = "prices", tag = "marketplace",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The token of any of the parcel's lots", example = "4be64c3c"), PricesParams),
    responses(
        (status = 200, description = "Prices of the parcel and its region", body = PricesView),
        (status = 400, description = "`invalid_path`, `invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such lot (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_currency`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn prices_of(
    State(market): State<Arc<MarketService>>,
    _caller: Caller,
    ValidPath(token): ValidPath<String>,
    ValidQuery(params): ValidQuery<PricesParams>,
) -> Result<Json<PricesView>, Problem> {
    let lot = market.deps.parse_lot(&token)?;
    let currency = params.currency.unwrap_or_else(|| "coin".to_owned());
    market.deps.terms.asset(&currency)?;
    let view = market.read(move |tx, deps, now_us| {
        let facts = land::parcel(tx, lot)?;
        let parcel = facts.as_ref().map_or(lot, |it| it.anchor);
        let around = Around {
            currency: &currency,
            middle: facts.as_ref().map_or(lot, |it| it.center),
            planet_radius_m: deps.radius_m,
            since_us: now_us.saturating_sub(WINDOW_US).max(0),
        };
        let history = prices::of_parcel(tx, parcel, HISTORY_MAX)?;
        let region = around.sold(tx, REGION_MAX)?;
        let hint = match &facts {
            Some(facts) => {
                let comparables = around.comparable(tx, &facts.biome, facts.front, parcel)?;
                prices::fair_price_minor(&comparables, facts.area_m2)
                    .zip(prices::median_minor_per_m2(&comparables))
                    .map(|(price_minor, rate)| HintView {
                        price_minor,
                        minor_per_m2: hundredths(rate),
                        comparables: comparables.iter().map(|it| SoldView::of(it, deps.radius_m)).collect(),
                    })
            }
            // What grows on land of nobody is not written down.
            None => None,
        };
        let views = |sold: &[Sold]| sold.iter().map(|it| SoldView::of(it, deps.radius_m)).collect();
        Ok(PricesView {
            token: parcel.token(),
            currency: currency.clone(),
            history: views(&history),
            region_radius_m: REGION_M,
            region_median_minor_per_m2: prices::median_minor_per_m2(&region).map(hundredths),
            region: views(&region),
            hint,
        })
    });
    Ok(Json(view.await?))
}
