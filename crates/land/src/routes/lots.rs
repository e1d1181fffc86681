//! Finding and describing land over HTTP.

use std::sync::Arc;

use api::{Caller, Page, PageParams, Problem, ValidJson, ValidPath, ValidQuery, kinds, page_limit};
use axum::Json;
use axum::extract::State;
use cell::{Cap, CellId, LatLng, LatLngRect};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{parse_cursor, to_the_end};
use crate::LandService;
use crate::area::Area;
use crate::describe::Description;
use crate::view::LotView;

/// The radius of `near` if none is given.
const RADIUS_DEFAULT_M: f64 = 500.0;
const RADIUS_MAX_M: f64 = 1e6;

/// Which land to list: one of `cell`, `bbox`, `near` and `owner`.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LotsParams {
    /// The token of a cell of the lot level or above: land inside it.
    #[param(example = "4be64c")]
    cell: Option<String>,
    /// West, south, east and north in degrees: land between them. A west beyond the east crosses the antimeridian.
    #[param(example = "-74.1,40.6,-73.9,40.8")]
    bbox: Option<String>,
    /// Latitude and longitude in degrees: land around them.
    #[param(example = "40.7,-74.0")]
    near: Option<String>,
    /// With `near`: how far around, up to 1,000,000; 500 if absent.
    #[param(minimum = 1, maximum = 1_000_000)]
    radius_m: Option<f64>,
    /// An account or a group: its land.
    owner: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

/// What the owner calls and says of a parcel; at least one of the two.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DescribeRequest {
    /// 1 to 40 characters as people count them (marks belong to their letter); spaces around it are taken off.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, example = "Ann's garden")]
    pub name: Option<String>,
    /// Up to 20 lines of 200 characters and 4000 bytes together; empty to take it away.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "there")]
    #[schema(value_type = Option<String>, nullable = false, max_length = 4000, example = "Apples and bees.")]
    pub description: Option<String>,
}

/// A field that may be left out, but is not null.
fn there<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// What a list is of.
enum Scope {
    Area(Area),
    Owner(Uuid),
}

impl LotsParams {
    fn scope(&self, land: &LandService) -> Result<Scope, Problem> {
        let given = [self.cell.is_some(), self.bbox.is_some(), self.near.is_some(), self.owner.is_some()];
        if given.into_iter().filter(|it| *it).count() != 1 {
            return Err(Problem::from(kinds::INVALID_QUERY)
                .parameter("cell", "give one of cell, bbox, near and owner"));
        }
        if self.radius_m.is_some() && self.near.is_none() {
            return Err(Problem::from(kinds::INVALID_QUERY).parameter("radius_m", "belongs to near"));
        }
        if let Some(owner) = self.owner {
            return Ok(Scope::Owner(owner));
        }
        if let Some(token) = &self.cell {
            return parse_cell(token, land.lot_level()).map(Area::Cell).map(Scope::Area);
        }
        if let Some(text) = &self.bbox {
            return parse_bbox(text).map(Area::Box).map(Scope::Area);
        }
        let place = parse_place("near", self.near.as_deref().unwrap_or_default())?;
        let radius_m = self.radius_m.unwrap_or(RADIUS_DEFAULT_M);
        if !(1.0..=RADIUS_MAX_M).contains(&radius_m) {
            return Err(Problem::from(kinds::INVALID_QUERY)
                .parameter("radius_m", format!("must be from 1 to {RADIUS_MAX_M}")));
        }
        Ok(Scope::Area(Area::Disc(Cap::new(place.to_point(), radius_m / land.planet().radius_m()))))
    }
}

fn parse_cell(token: &str, lot_level: u8) -> Result<CellId, Problem> {
    CellId::parse_token(token).ok().filter(|it| it.level() <= lot_level).ok_or_else(|| {
        Problem::from(kinds::INVALID_QUERY)
            .parameter("cell", format!("must be the token of a cell of level 0 to {lot_level}"))
    })
}

/// Exactly `N` numbers between commas.
fn numbers<const N: usize>(text: &str) -> Option<[f64; N]> {
    let parsed: Vec<f64> = text.split(',').map(|it| it.trim().parse().ok()).collect::<Option<_>>()?;
    parsed.try_into().ok()
}

/// West, south, east, north in degrees.
pub(super) fn parse_bbox(text: &str) -> Result<LatLngRect, Problem> {
    let parsed = numbers(text).and_then(|[west, south, east, north]| {
        let south_west = LatLng::from_degrees(south, west).ok()?;
        LatLngRect::try_from_corners(south_west, LatLng::from_degrees(north, east).ok()?)
    });
    parsed.ok_or_else(|| {
        Problem::from(kinds::INVALID_QUERY).parameter(
            "bbox",
            "must be west,south,east,north in degrees: longitudes from -180 to 180, latitudes from -90 to 90, \
             south not above north",
        )
    })
}

/// Latitude and longitude in degrees.
pub(super) fn parse_place(name: &'static str, text: &str) -> Result<LatLng, Problem> {
    let parsed = numbers(text).and_then(|[lat, lng]| LatLng::from_degrees(lat, lng).ok());
    parsed.ok_or_else(|| {
        Problem::from(kinds::INVALID_QUERY)
            .parameter(name, "must be latitude,longitude in degrees, -90 to 90 and -180 to 180")
    })
}

/// Owned land by place or owner
///
/// Land of which at least a part is there, each parcel once. A page may hold fewer items than `limit`, even none, while
/// there is a `next_cursor`.
#[utoipa::path(get, path = "/api/v1/lands", operation_id = "lands", tag = "lands",
    security(("bearer" = [])),
    params(LotsParams),
    responses(
        (status = 200, description = "One page of owned land, in an order that stays", body = Page<LotView>),
        (status = 400, description = "`invalid_query` (also: no cell, or one below the lot level; no or several places), `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidQuery(params): ValidQuery<LotsParams>,
) -> Result<Json<Page<LotView>>, Problem> {
    let scope = params.scope(&land)?;
    let (after, limit) = (parse_cursor(params.cursor.as_deref())?, page_limit(params.limit)?);
    Ok(Json(match scope {
        Scope::Area(area) => land.lots_in(area, after, limit).await?,
        Scope::Owner(owner_id) => land.lots_of(owner_id, after, limit).await?,
    }))
}

/// Your land
#[utoipa::path(get, path = "/api/v1/lands/mine", operation_id = "lands_mine", tag = "lands",
    security(("bearer" = [])),
    params(PageParams),
    responses(
        (status = 200, description = "One page of your land, in an order that stays", body = Page<LotView>),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn list_mine(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidQuery(params): ValidQuery<PageParams>,
) -> Result<Json<Page<LotView>>, Problem> {
    let (after, limit) = (parse_cursor(params.cursor.as_deref())?, page_limit(params.limit)?);
    Ok(Json(land.lots_of(caller.account_id, after, limit).await?))
}

/// One parcel, or a lot of nobody
#[utoipa::path(get, path = "/api/v1/lands/{token}", operation_id = "land", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c")),
    responses(
        (status = 200, description = "The parcel that the lot belongs to, or the lot itself", body = LotView),
        (status = 400, description = "`invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn get_one(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidPath(token): ValidPath<String>,
) -> Result<Json<LotView>, Problem> {
    let lot = land.parse_lot(&token)?;
    Ok(Json(land.lot(lot).await?))
}

/// Name and describe your land
#[utoipa::path(patch, path = "/api/v1/lands/{token}", operation_id = "land_describe", tag = "lands",
    security(("bearer" = [])),
    params(("token" = String, Path, description = "The S2 token of any of its lots", example = "4be64c3c")),
    request_body = DescribeRequest,
    responses(
        (status = 200, description = "The parcel as it is now", body = LotView),
        (status = 400, description = "`malformed_json`, `invalid_path`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Not yours (`not_owner`)", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No cell, or not of the lot level (`not_a_lot`)", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`body_too_large`", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "`unsupported_media_type`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "No such text is possible (`invalid_body`)", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn describe(
    State(land): State<Arc<LandService>>,
    caller: Caller,
    ValidPath(token): ValidPath<String>,
    ValidJson(request): ValidJson<DescribeRequest>,
) -> Result<Json<LotView>, Problem> {
    let lot = land.parse_lot(&token)?;
    let wanted = Description::parse(request.name.as_deref(), request.description.as_deref())?;
    to_the_end(async move { land.describe(caller, lot, wanted).await }).await.map(Json)
}
