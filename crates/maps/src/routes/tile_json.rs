//! TileJSON 3.0.0: what a map client must know of a layer.

use std::sync::Arc;

use api::{Problem, ValidPath};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header, uri::Authority};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::address::{TILE_PIXELS, zoom_max};
use crate::file::{File, Freshness};
use crate::picture::MapLayer;
use crate::{MapService, PICTURE_VERSION, problems};

/// A layer for map clients, after TileJSON 3.0.0.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TileJson {
    #[schema(example = "3.0.0")]
    tilejson: &'static str,
    #[schema(example = "biome")]
    name: &'static str,
    description: &'static str,
    /// Grows when the same planet is drawn otherwise.
    #[schema(example = "1.0.0")]
    version: String,
    /// Plain text.
    attribution: String,
    scheme: &'static str,
    /// Absolute addresses with `{z}`, `{x}` and `{y}`.
    tiles: [String; 1],
    minzoom: u8,
    maxzoom: u8,
    /// West, south, east, north in degrees.
    bounds: [f64; 4],
    /// Longitude and latitude in degrees, zoom.
    center: [f64; 3],
    /// Pixels along the side of a tile.
    #[serde(rename = "tileSize")]
    tile_size: u32,
    /// How heights are written as colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
    /// Map clients compute metres for Earth's 6,378,137: multiply them by the ratio of the radii.
    #[schema(example = 796_375.0)]
    planet_radius_m: f64,
}

/// Where Web Mercator is a square, degrees.
const LATITUDE_MAX: f64 = 85.051_128_779_806_59;

/// A layer as map clients want it described
///
/// TileJSON 3.0.0. `dem` is for MapLibre's `raster-dem`, the others are for its `raster`.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/tilejson/{file}", operation_id = "map_tilejson", tag = "maps",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("file" = String, Path, description = "`biome.json`, `elevation.json` or `dem.json`", example = "biome.json"),
    ),
    responses(
        (status = 200, description = "The layer", body = TileJson),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`host_invalid`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `layer_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn tile_json(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, file)): ValidPath<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let unknown = || problems::LAYER_UNKNOWN.detail("there are biome.json, elevation.json and dem.json");
    let name = file.strip_suffix(".json").ok_or_else(unknown)?;
    let layer = MapLayer::parse_name(name);
    if layer.is_none() && name != "dem" {
        return Err(unknown());
    }
    let origin = match &maps.public_origin {
        Some(origin) => origin.clone(),
        None => origin_of(&headers)?,
    };
    let body = serde_json::to_vec(&describe(&maps, layer, &origin)).expect("plain text and numbers");
    Ok(File::new("application/json", body).answer(&headers, Freshness::Hour))
}

/// `None` is for heights.
fn describe(maps: &MapService, layer: Option<MapLayer>, origin: &str) -> TileJson {
    let base = format!("{origin}/api/v1/planet/{}", maps.planet_hash());
    let (name, description, path) = match layer {
        Some(MapLayer::Biome) => ("biome", "What grows there, relief, water", "map/biome/{z}/{x}/{y}.webp"),
        Some(MapLayer::Elevation) => ("elevation", "Height and depth", "map/elevation/{z}/{x}/{y}.webp"),
        None => ("dem", "Height of the ground, sea floor included", "dem/{z}/{x}/{y}.png"),
    };
    TileJson {
        tilejson: "3.0.0",
        name,
        description,
        version: format!("{PICTURE_VERSION}.0.0"),
        attribution: format!("Terrane, planet {}", maps.planet().spec().seed),
        scheme: "xyz",
        // Pictures are kept for ever by their address: another way of drawing needs another one.
        tiles: [format!("{base}/{path}?v={PICTURE_VERSION}")],
        minzoom: 0,
        maxzoom: zoom_max(maps.planet()),
        bounds: [-180.0, -LATITUDE_MAX, 180.0, LATITUDE_MAX],
        center: [0.0, 0.0, 1.0],
        tile_size: TILE_PIXELS,
        encoding: layer.is_none().then_some("terrarium"),
        planet_radius_m: maps.planet().radius_m(),
    }
}

/// The origin that was asked, as far as one can tell behind a proxy that says `X-Forwarded-Proto`.
fn origin_of(headers: &HeaderMap) -> Result<String, Problem> {
    const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.and_then(|host| host.parse::<Authority>().ok()).ok_or(problems::HOST_INVALID)?;
    let is_tls = headers.get(FORWARDED_PROTO).is_some_and(|scheme| scheme == "https");
    Ok(format!("{}://{host}", if is_tls { "https" } else { "http" }))
}
