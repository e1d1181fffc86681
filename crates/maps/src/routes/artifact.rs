//! The planet's artifact: whole, its beginning, and each tile of it.

use std::sync::Arc;

use api::{Problem, ValidPath, kinds};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use cell::CellId;
use planet::TileId;

use crate::file::Freshness;
use crate::{MapService, problems};

/// What the planet is made of, without the tiles
///
/// Lists the hash and the place of every tile. Its own hash over the generator's version, the planet's parameters and
/// all tiles is the planet hash: who trusts that can verify all else.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/manifest", operation_id = "planet_manifest", tag = "planet",
    params(("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`")),
    responses(
        (status = 200, description = "The manifest", body = [u8], content_type = "application/vnd.terrane.planet"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 404, description = "`planet_unknown` with `planet_hash`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn manifest(
    State(maps): State<Arc<MapService>>,
    ValidPath(planet_hash): ValidPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    Ok(maps.manifest_file.answer(&headers, Freshness::Immutable))
}

/// The whole planet as one file
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/artifact", operation_id = "planet_artifact", tag = "planet",
    params(("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`")),
    responses(
        (status = 200, description = "The artifact: the manifest, then all tiles, the coarsest first", body = [u8], content_type = "application/vnd.terrane.planet"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 404, description = "`planet_unknown` with `planet_hash`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn artifact(
    State(maps): State<Arc<MapService>>,
    ValidPath(planet_hash): ValidPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    Ok(maps.artifact_file.answer(&headers, Freshness::Immutable))
}

/// One tile of the planet's raster
///
/// Compressed, as it is in the artifact. The manifest has the hash of what it unpacks to.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/tiles/{level}/{token}", operation_id = "planet_raster_tile", tag = "planet",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("level" = u8, Path, description = "S2 level of the raster's cells", example = 8),
        ("token" = String, Path, description = "The S2 token of the tile's cell, six levels above", example = "4c"),
    ),
    responses(
        (status = 200, description = "The tile", body = [u8], content_type = "application/vnd.terrane.planet"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no number, or no token", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `tile_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn raster_tile(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, level, token)): ValidPath<(String, u8, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let cell = parse_cell(&token)?;
    let file = maps.raster_tile(TileId { level, cell }).ok_or_else(|| {
        problems::TILE_UNKNOWN.detail(format!("no tile of level {level} covers just the cell {cell}"))
    })?;
    Ok(file.answer(&headers, Freshness::Immutable))
}

pub(super) fn parse_cell(token: &str) -> Result<CellId, Problem> {
    CellId::parse_token(token)
        .map_err(|error| Problem::from(kinds::INVALID_PATH).parameter("token", error.to_string()))
}
