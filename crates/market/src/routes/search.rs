//! Search and terms over HTTP.

use std::sync::Arc;

use api::{Caller, Page, Problem, ValidQuery, cursor, kinds, page_limit};
use axum::Json;
use axum::extract::State;
use cell::LatLng;
use land::Front;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use crate::MarketService;
use crate::near::Near;
use crate::rules::AMOUNT_MINOR_MAX;
use crate::rules::state::SaleKind;
use crate::search::{self, Key, LATEST_US, Order, Search};
use crate::show::Viewer;
use crate::view::SaleView;

const RADIUS_DEFAULT_M: f64 = 2_000.0;
const RADIUS_MAX_M: f64 = 1_000_000.0;

pub(super) fn routes() -> OpenApiRouter<Arc<MarketService>> {
    OpenApiRouter::new().routes(routes!(find)).routes(routes!(terms))
}

/// What is looked for. Filters that are not given let everything through.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SearchParams {
    /// `fixed`, `english`, `dutch`, `sealed`, or `auction` for all three kinds of them.
    #[param(inline)]
    kind: Option<KindFilter>,
    /// In which money; `coin` if absent.
    currency: Option<String>,
    /// It costs at least this.
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    price_min_minor: Option<i64>,
    /// It costs at most this.
    #[param(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    price_max_minor: Option<i64>,
    /// It has at least this area.
    #[param(minimum = 0)]
    area_min_m2: Option<f64>,
    /// It has at most this area.
    #[param(minimum = 0)]
    area_max_m2: Option<f64>,
    /// What grows there, as in the legend of the maps.
    #[param(example = "grassland")]
    biome: Option<String>,
    /// The water it looks out on: `river`, `coast` or `lake`; several with commas between.
    #[param(example = "river,lake")]
    front: Option<String>,
    /// Its middle is near this place: latitude and longitude in degrees.
    #[param(example = "40.7,-74.0")]
    near: Option<String>,
    /// With `near`: how far around in metres, up to 1,000,000; 2,000 if absent.
    #[param(minimum = 1, maximum = 1_000_000)]
    radius_m: Option<f64>,
    /// It ends within so many seconds.
    #[param(minimum = 1)]
    ends_within_s: Option<i64>,
    /// In which order; `nearest` needs `near`. `newest` if absent.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// `next_cursor` of the page before, with the same filters and order; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// Kinds of sales.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum KindFilter {
    Fixed,
    English,
    Dutch,
    Sealed,
    Auction,
}

/// Orders of a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Sort {
    #[default]
    Newest,
    Ending,
    PriceAsc,
    PriceDesc,
    PricePerM2,
    AreaAsc,
    AreaDesc,
    Nearest,
}

/// Find land that is for sale
#[utoipa::path(get, path = "/api/v1/marketplace/search", operation_id = "marketplace_search", tag = "marketplace",
    security(("bearer" = [])),
    params(SearchParams),
    responses(
        (status = 200, description = "One page of open listings and auctions", body = Page<SaleView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`unknown_currency`", body = Problem, content_type = "application/problem+json"),
    ))]
async fn find(
    State(market): State<Arc<MarketService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<SearchParams>,
) -> Result<Json<Page<SaleView>>, Problem> {
    let limit = page_limit(params.limit)?;
    let search = params.search(&market)?;
    let order = search.order;
    let found = market.read(move |tx, deps, now_us| {
        let found = search::find(tx, &search, limit + 1)?;
        let mut viewer = Viewer::new(deps, caller.account_id, now_us);
        viewer.expect(tx, found.iter().map(|(sale, _)| sale.land.parcel))?;
        let mut views = Vec::with_capacity(found.len());
        for (sale, key) in found {
            views.push((viewer.sale(tx, &sale)?, key));
        }
        Ok(views)
    });
    let page = Page::from_surplus(found.await?, limit, |(last, key)| encode(order, *key, last.id));
    Ok(Json(page.map(|(view, _)| view)))
}

impl SearchParams {
    fn search(self, market: &MarketService) -> Result<Search, Problem> {
        let now_us = market.deps.clock.now_us();
        let currency = self.currency.unwrap_or_else(|| "coin".to_owned());
        market.deps.terms.asset(&currency)?;
        let price = |name, value: Option<i64>| match value {
            Some(minor) if !(1..=AMOUNT_MINOR_MAX).contains(&minor) => Err(wrong(name, "must be at least 1")),
            other => Ok(other),
        };
        let area = |name, value: Option<f64>| match value {
            Some(area) if !(0.0..=1e18).contains(&area) => Err(wrong(name, "must be at least 0")),
            other => Ok(other),
        };
        let order = match self.sort {
            Sort::Newest => Order::Newest,
            Sort::Ending => Order::Ending,
            Sort::PriceAsc => Order::Cheapest,
            Sort::PriceDesc => Order::Dearest,
            Sort::PricePerM2 => Order::CheapestM2,
            Sort::AreaAsc => Order::Smallest,
            Sort::AreaDesc => Order::Largest,
            Sort::Nearest if self.near.is_none() => return Err(wrong("sort", "`nearest` needs `near`")),
            Sort::Nearest => Order::Nearest,
        };
        let ends_by_us = match self.ends_within_s {
            Some(seconds) if seconds < 1 => return Err(wrong("ends_within_s", "must be at least 1")),
            Some(seconds) => now_us.saturating_add(seconds.saturating_mul(1_000_000)).min(LATEST_US),
            None => LATEST_US,
        };
        Ok(Search {
            currency,
            price_minor: (
                price("price_min_minor", self.price_min_minor)?,
                price("price_max_minor", self.price_max_minor)?,
            ),
            area_m2: (area("area_min_m2", self.area_min_m2)?, area("area_max_m2", self.area_max_m2)?),
            biome: match self.biome {
                Some(name) if !is_biome_like(&name) => return Err(wrong("biome", "names no biome")),
                other => other,
            },
            front: front(self.front.as_deref())?,
            kinds: match self.kind {
                None => vec![SaleKind::Fixed, SaleKind::English, SaleKind::Dutch, SaleKind::Sealed],
                Some(KindFilter::Auction) => vec![SaleKind::English, SaleKind::Dutch, SaleKind::Sealed],
                Some(KindFilter::Fixed) => vec![SaleKind::Fixed],
                Some(KindFilter::English) => vec![SaleKind::English],
                Some(KindFilter::Dutch) => vec![SaleKind::Dutch],
                Some(KindFilter::Sealed) => vec![SaleKind::Sealed],
            },
            ends_us: (now_us, ends_by_us),
            near: near(self.near.as_deref(), self.radius_m, market.deps.radius_m)?,
            order,
            after: self.cursor.as_deref().map(|it| decode(order, it)).transpose()?,
        })
    }
}

/// Names of biomes are words of letters; one that is none of them finds nothing.
fn is_biome_like(name: &str) -> bool {
    name.len() <= 40 && name.chars().all(|it| it.is_ascii_alphabetic() || it == ' ' || it == '_')
}

fn wrong(name: &str, detail: &str) -> Problem {
    Problem::from(kinds::INVALID_QUERY).parameter(name, detail)
}

fn front(text: Option<&str>) -> Result<i64, Problem> {
    let mut asked = Front::default();
    for name in text.into_iter().flat_map(|it| it.split(',')) {
        match name.trim() {
            "river" => asked.river = true,
            "coast" => asked.coast = true,
            "lake" => asked.lake = true,
            _ => return Err(wrong("front", "must be river, coast or lake, with commas between")),
        }
    }
    Ok(asked.bits())
}

fn near(text: Option<&str>, radius_m: Option<f64>, planet_radius_m: f64) -> Result<Option<Near>, Problem> {
    let Some(text) = text else {
        return if radius_m.is_some() { Err(wrong("radius_m", "belongs to near")) } else { Ok(None) };
    };
    let place = text.split_once(',').and_then(|(lat, lng)| {
        let (lat, lng) = (lat.trim().parse().ok()?, lng.trim().parse().ok()?);
        LatLng::from_degrees(lat, lng).ok()
    });
    let place = place.ok_or_else(|| wrong("near", "must be latitude,longitude in degrees"))?;
    let radius_m = radius_m.unwrap_or(RADIUS_DEFAULT_M);
    if !(1.0..=RADIUS_MAX_M).contains(&radius_m) {
        return Err(wrong("radius_m", "must be from 1 to 1000000"));
    }
    Ok(Some(Near::of_place(place, radius_m / planet_radius_m)))
}

/// One byte for the order, the value that the sale is ordered by, its id.
fn encode(order: Order, key: Key, id: Uuid) -> String {
    let mut bytes = [0; 25];
    bytes[0] = order as u8;
    let raw = match key {
        Key::Whole(it) => it.cast_unsigned(),
        Key::Real(it) => it.to_bits(),
    };
    bytes[1..9].copy_from_slice(&raw.to_be_bytes());
    bytes[9..].copy_from_slice(id.as_bytes());
    cursor::encode(&bytes)
}

fn decode(order: Order, text: &str) -> Result<(Key, Uuid), Problem> {
    let bytes: [u8; 25] = cursor::decode(text)?;
    let raw = u64::from_be_bytes(bytes[1..9].try_into().expect("eight bytes"));
    let id = Uuid::from_slice(&bytes[9..]).expect("sixteen bytes");
    let key = if order.is_whole() { Key::Whole(raw.cast_signed()) } else { Key::Real(f64::from_bits(raw)) };
    let is_sane = match key {
        Key::Whole(it) => (0..=LATEST_US).contains(&it),
        Key::Real(it) => it.is_finite() && it >= 0.0,
    };
    if bytes[0] != order as u8 || !is_sane {
        return Err(kinds::INVALID_CURSOR.into());
    }
    Ok((key, id))
}

/// What buying, selling and owning costs, and within which limits.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct TermsView {
    /// The planet's money.
    pub currencies: Vec<CurrencyView>,
    /// Taken from the price for the market, in hundredths of a per cent, rounded down; the seller pays it.
    pub seller_fee_bps: u32,
    /// Taken from the price as tax, likewise.
    pub sales_tax_bps: u32,
    /// A bid in the last so many seconds of an English auction moves its end to so long after it.
    pub soft_close_s: i64,
    /// The shortest auction.
    pub auction_duration_min_s: i64,
    /// The longest auction.
    pub auction_duration_max_s: i64,
    /// An auction for which nothing else is asked.
    pub auction_duration_default_s: i64,
    /// The longest listing.
    pub listing_days_max: u32,
    /// The longest offer.
    pub offer_days_max: u32,
    /// What a free square metre costs, in smallest units of `coin`.
    pub price_minor_per_m2: f64,
    /// Lots that can be claimed at once.
    pub claim_cells_max: u32,
    /// Lots that a parcel can have.
    pub parcel_cells_max: u32,
    /// How far one may stand from a lot to claim it.
    pub claim_distance_max_m: f64,
}

/// A kind of money.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct CurrencyView {
    /// Its name in requests.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Decimal places between the smallest unit and the one people speak of.
    pub scale: u8,
    /// By how much bids must rise.
    pub increments: Vec<IncrementView>,
}

/// By how much bids must rise from a price on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct IncrementView {
    /// The lowest price it holds for.
    pub from_minor: i64,
    /// By how much.
    pub step_minor: i64,
}

/// Currencies, rates and limits
#[utoipa::path(get, path = "/api/v1/marketplace/terms", operation_id = "marketplace_terms", tag = "marketplace",
    responses((status = 200, description = "The same for everybody, as long as the server runs", body = TermsView)))]
async fn terms(State(market): State<Arc<MarketService>>) -> Json<TermsView> {
    let economy = &market.deps.terms.economy;
    let (of_market, of_land) = (&economy.market, &economy.land);
    let currencies = economy.currencies().iter().map(|it| CurrencyView {
        code: it.code().to_owned(),
        name: it.name.clone(),
        scale: it.scale,
        increments: it
            .increments
            .iter()
            .map(|it| IncrementView { from_minor: it.from_minor, step_minor: it.step_minor })
            .collect(),
    });
    Json(TermsView {
        currencies: currencies.collect(),
        seller_fee_bps: of_market.seller_fee_bps,
        sales_tax_bps: of_market.sales_tax_bps,
        soft_close_s: of_market.soft_close_s,
        auction_duration_min_s: of_market.auction_duration_min_s,
        auction_duration_max_s: of_market.auction_duration_max_s,
        auction_duration_default_s: of_market.auction_duration_default_s,
        listing_days_max: of_market.listing_days_max,
        offer_days_max: of_market.offer_days_max,
        price_minor_per_m2: of_land.price_minor_per_m2,
        claim_cells_max: of_land.claim_cells_max,
        parcel_cells_max: of_land.parcel_cells_max,
        claim_distance_max_m: of_land.claim_distance_max_m,
    })
}
