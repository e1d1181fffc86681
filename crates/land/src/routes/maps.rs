//! Maps of land over HTTP. Anybody may look at them, as at the maps of the planet.

use std::sync::Arc;

use api::{Caller, Problem, ProblemKind, ValidPath, ValidQuery, kinds};
use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, header, uri::Authority};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::lots::{parse_bbox, parse_place};
use super::parse_cursor;
use crate::LandService;
use crate::area::Area;
use crate::map::answer::answer;
use crate::map::geojson::FeatureCollection;
use crate::map::xyz::{LATITUDE_MAX, TileXyz};
use crate::view::FreeLotsView;

const FREE_DEFAULT: usize = 10;
const FREE_MAX: usize = 50;
const FEATURES_DEFAULT: u32 = 200;
const FEATURES_MAX: u32 = 500;

const TILE_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "tile_unknown", "There is no such tile");
const FORMAT_UNKNOWN: ProblemKind =
    ProblemKind::new(StatusCode::NOT_FOUND, "format_unknown", "There is no such format");
const HOST_INVALID: ProblemKind =
    ProblemKind::new(StatusCode::BAD_REQUEST, "host_invalid", "The Host header is missing or malformed");

/// Tiles of land for map clients, after TileJSON 3.0.0.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct LandTileJson {
    #[schema(example = "3.0.0")]
    tilejson: &'static str,
    #[schema(example = "land")]
    name: &'static str,
    description: &'static str,
    #[schema(example = "1.0.0")]
    version: &'static str,
    /// Plain text.
    attribution: String,
    scheme: &'static str,
    /// Absolute addresses with `{z}`, `{x}` and `{y}`.
    tiles: [String; 1],
    minzoom: u8,
    maxzoom: u8,
    /// West, south, east, north in degrees.
    bounds: [f64; 4],
    vector_layers: Vec<VectorLayer>,
    /// Map clients compute metres for Earth's 6,378,137: multiply them by the ratio of the radii.
    #[schema(example = 796_375.0)]
    planet_radius_m: f64,
}

/// What a layer holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct VectorLayer {
    id: &'static str,
    description: &'static str,
    minzoom: u8,
    maxzoom: u8,
    /// Each property with what it is.
    #[schema(value_type = Object)]
    fields: serde_json::Value,
}

/// Land as a source for map clients
///
/// TileJSON 3.0.0 of vector tiles: outlines of parcels near, numbers of owned lots far away.
#[utoipa::path(get, path = "/api/v1/lands/tiles.json", operation_id = "land_tilejson", tag = "lands",
    responses(
        (status = 200, description = "The source", body = LandTileJson),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`host_invalid`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn tile_json(
    State(land): State<Arc<LandService>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let origin = match land.public_origin() {
        Some(origin) => origin.to_owned(),
        None => origin_of(&headers)?,
    };
    let body = serde_json::to_vec(&describe(&land, &origin)).expect("plain text and numbers");
    Ok(answer(&headers, "application/json", body))
}

fn describe(land: &LandService, origin: &str) -> LandTileJson {
    let (outlines, maxzoom) = (land.zoom_outlines(), land.zoom_max());
    let parcels = serde_json::json!({
        "token": "name of the parcel for ever",
        "state": "taken, sale or auction",
        "owner_id": "account or group",
        "name": "what its owner calls it, if anything",
        "fence": "whom it lets in: everyone, list or nobody",
        "cell_count": "how many lots it has",
        "price_minor": "asked or bid, if it is for sale",
        "currency": "of price_minor",
    });
    let clusters = serde_json::json!({
        "token": "cell whose owned lots are counted",
        "count": "owned lots, 1000 at most",
        "is_more": "whether there may be more",
    });
    LandTileJson {
        tilejson: "3.0.0",
        name: "land",
        description: "Who owns which land",
        version: "1.0.0",
        attribution: format!("Terrane, planet {}", land.planet().spec().seed),
        scheme: "xyz",
        tiles: [format!("{origin}/api/v1/lands/tiles/{{z}}/{{x}}/{{y}}.mvt")],
        minzoom: 0,
        maxzoom,
        bounds: [-180.0, -LATITUDE_MAX, 180.0, LATITUDE_MAX],
        vector_layers: vec![
            VectorLayer {
                id: "clusters",
                description: "Owned lots by number",
                minzoom: 0,
                maxzoom: outlines - 1,
                fields: clusters,
            },
            VectorLayer {
                id: "parcels",
                description: "Outlines of parcels",
                minzoom: outlines,
                maxzoom,
                fields: parcels,
            },
        ],
        planet_radius_m: land.planet().radius_m(),
    }
}

/// The origin that was asked, as far as one can tell behind a proxy that says `X-Forwarded-Proto`.
fn origin_of(headers: &HeaderMap) -> Result<String, Problem> {
    const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok()).ok_or(HOST_INVALID)?;
    let is_tls = headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme == "https");
    Ok(format!("{}://{host}", if is_tls { "https" } else { "http" }))
}

/// A vector tile of land
///
/// Mapbox Vector Tile 2.1 of the Web-Mercator pyramid, row 0 in the north. Near, layer `parcels` has the outlines of
/// parcels; far away, layer `clusters` has points with the number of owned lots around them. What is in a tile changes
/// with the land: ask with `If-None-Match`.
#[utoipa::path(get, path = "/api/v1/lands/tiles/{z}/{x}/{file}", operation_id = "land_tile", tag = "lands",
    params(
        ("z" = u8, Path, description = "Zoom, 0 to 14 on a planet of shift 3", example = 12),
        ("x" = u32, Path, description = "Column from the west", example = 2463),
        ("file" = String, Path, description = "Row from the north, and `.mvt`", example = "1842.mvt"),
    ),
    responses(
        (status = 200, description = "The tile; no bytes where there is nothing", body = [u8], content_type = "application/vnd.mapbox-vector-tile"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no numbers", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`tile_unknown`, `format_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn tile(
    State(land): State<Arc<LandService>>,
    ValidPath((z, x, file)): ValidPath<(u8, u32, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (row, format) = file.split_once('.').unwrap_or((&file, ""));
    let y: u32 = row.parse().map_err(|_| {
        Problem::from(kinds::INVALID_PATH).parameter("file", "must be a row and .mvt, as in 2.mvt")
    })?;
    if format != "mvt" {
        return Err(FORMAT_UNKNOWN.detail("tiles of land are mvt"));
    }
    let zoom_max = land.zoom_max();
    let tile = TileXyz::try_new(z, x, y, zoom_max).ok_or_else(|| {
        TILE_UNKNOWN.detail(format!("zoom is 0 to {zoom_max}, rows and columns below 2^zoom"))
    })?;
    let bytes = land.tile(tile).await?;
    Ok(answer(&headers, "application/vnd.mapbox-vector-tile", bytes))
}

/// Which land.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct GeoJsonParams {
    /// West, south, east and north in degrees. A west beyond the east crosses the antimeridian.
    #[param(example = "-74.1,40.6,-73.9,40.8")]
    bbox: String,
    /// `next_cursor` of the answer before; absent for the first.
    cursor: Option<String>,
    /// Features at most, 1 to 500; 200 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
}

/// Land as GeoJSON
///
/// In shape RFC 7946, but in degrees of this planet, which is not the Earth: true areas are in the properties.
#[utoipa::path(get, path = "/api/v1/lands.geojson", operation_id = "land_geojson", tag = "lands",
    params(GeoJsonParams),
    responses(
        (status = 200, description = "Parcels of which a part is in the box", body = FeatureCollection, content_type = "application/geo+json"),
        (status = 304, description = "What you have is right"),
        (status = 400, description = "`invalid_query`, `invalid_cursor`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn geojson(
    State(land): State<Arc<LandService>>,
    ValidQuery(params): ValidQuery<GeoJsonParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let area = Area::Box(parse_bbox(&params.bbox)?);
    let limit @ 1..=FEATURES_MAX = params.limit.unwrap_or(FEATURES_DEFAULT) else {
        return Err(Problem::from(kinds::INVALID_QUERY)
            .parameter("limit", format!("must be from 1 to {FEATURES_MAX}")));
    };
    let page = land.seen_in(area, parse_cursor(params.cursor.as_deref())?, limit).await?;
    let make = move || serde_json::to_vec(&FeatureCollection::new(page.items, page.next_cursor));
    let body = tokio::task::spawn_blocking(make).await.map_err(|error| Problem::internal(&error))?;
    Ok(answer(&headers, "application/geo+json", body.expect("features have text keys and finite numbers")))
}

/// Where to look for free lots.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FreeParams {
    /// Latitude and longitude in degrees.
    #[param(example = "40.7,-74.0")]
    near: String,
    /// Lots at most, 1 to 50; 10 if absent.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<usize>,
}

/// The nearest free lots
///
/// Dry and nobody's, by distance. Looked for among the thousand lots around the place.
#[utoipa::path(get, path = "/api/v1/lands/free", operation_id = "lands_free", tag = "lands",
    security(("bearer" = [])),
    params(FreeParams),
    responses(
        (status = 200, description = "Free lots, the nearest first", body = FreeLotsView),
        (status = 400, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn free(
    State(land): State<Arc<LandService>>,
    _caller: Caller,
    ValidQuery(params): ValidQuery<FreeParams>,
) -> Result<Json<FreeLotsView>, Problem> {
    let near = parse_place("near", &params.near)?;
    let count = params.limit.unwrap_or(FREE_DEFAULT);
    if !(1..=FREE_MAX).contains(&count) {
        return Err(
            Problem::from(kinds::INVALID_QUERY).parameter("limit", format!("must be from 1 to {FREE_MAX}"))
        );
    }
    Ok(Json(FreeLotsView { items: land.free_lots(near, count).await? }))
}
