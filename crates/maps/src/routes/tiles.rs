//! Pictures for map clients.

use std::sync::Arc;

use api::{Problem, ValidPath, kinds};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::parse_layer;
use crate::address::{AddressError, FaceTile, TileXyz};
use crate::encode::ImageFormat;
use crate::file::Freshness;
use crate::job::Job;
use crate::{MapService, problems};

/// A picture of the map
///
/// 256 × 256 pixels of the Web-Mercator pyramid, row 0 in the north. The angles are those of any Web map; metres are
/// not, because the planet has its own radius.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/map/{layer}/{z}/{x}/{file}", operation_id = "map_tile", tag = "maps",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("layer" = String, Path, description = "`biome` or `elevation`", example = "biome"),
        ("z" = u8, Path, description = "Zoom, 0 to 14 on a planet of shift 3", example = 3),
        ("x" = u32, Path, description = "Column from the west", example = 5),
        ("file" = String, Path, description = "Row from the north, a dot, `png` or `webp`", example = "2.webp"),
    ),
    responses(
        (status = 200, description = "The picture", content(([u8] = "image/webp"), ([u8] = "image/png"))),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no numbers", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `layer_unknown`, `format_unknown`, `tile_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`, `timeout`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn tile(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, layer, z, x, file)): ValidPath<(String, String, u8, u32, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let layer = parse_layer(&layer)?;
    let (y, format) = parse_file(&file)?;
    let tile = TileXyz::try_new(maps.planet(), z, x, y).map_err(unknown)?;
    let file = maps.file(Job::Tile { layer, tile, format }).await?;
    Ok(file.answer(&headers, Freshness::Immutable))
}

/// Heights for map clients
///
/// The pyramid of the map in Terrarium's encoding: metres above the sea are `red * 256 + green + blue / 256 - 32768`,
/// rounded to the nearest step. Sea floors and lake beds are included.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/dem/{z}/{x}/{file}", operation_id = "map_dem_tile", tag = "maps",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("z" = u8, Path, description = "Zoom, 0 to 14 on a planet of shift 3", example = 3),
        ("x" = u32, Path, description = "Column from the west", example = 5),
        ("file" = String, Path, description = "Row from the north, and `.png`", example = "2.png"),
    ),
    responses(
        (status = 200, description = "The heights", body = [u8], content_type = "image/png"),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no numbers", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `format_unknown`, `tile_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`, `timeout`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn dem_tile(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, z, x, file)): ValidPath<(String, u8, u32, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let (y, format) = parse_file(&file)?;
    if format != ImageFormat::Png {
        return Err(
            problems::FORMAT_UNKNOWN.detail("heights are png only: a lossy format would destroy them")
        );
    }
    let tile = TileXyz::try_new(maps.planet(), z, x, y).map_err(unknown)?;
    Ok(maps.file(Job::Dem(tile)).await?.answer(&headers, Freshness::Immutable))
}

/// A picture of a part of a face of the cube
///
/// An S2 cell as 256 × 256 pixels in the quadratic projection of S2: without Mercator's stretch, poles included. Seen
/// from outside, i to the right, j upwards.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/face/{layer}/{face}/{level}/{i}/{file}", operation_id = "map_face_tile", tag = "maps",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("layer" = String, Path, description = "`biome` or `elevation`", example = "biome"),
        ("face" = u8, Path, description = "Face of the cube, 0 to 5", example = 2),
        ("level" = u8, Path, description = "S2 level of the cell, 0 to 12 on a planet of shift 3", example = 3),
        ("i" = u32, Path, description = "Column along the face's first axis", example = 5),
        ("file" = String, Path, description = "Row along the face's second axis, a dot, `png` or `webp`", example = "2.webp"),
    ),
    responses(
        (status = 200, description = "The picture", content(([u8] = "image/webp"), ([u8] = "image/png"))),
        (status = 206, description = "The range that was asked for"),
        (status = 304, description = "The one you have is right"),
        (status = 400, description = "`invalid_path`: no numbers", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `layer_unknown`, `format_unknown`, `tile_unknown`", body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "`range_not_satisfiable`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`, `timeout`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn face_tile(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, layer, face, level, i, file)): ValidPath<(String, String, u8, u8, u32, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let layer = parse_layer(&layer)?;
    let (j, format) = parse_file(&file)?;
    let tile = FaceTile::try_new(maps.planet(), face, level, i, j).map_err(unknown)?;
    let file = maps.file(Job::FaceTile { layer, tile, format }).await?;
    Ok(file.answer(&headers, Freshness::Immutable))
}

/// `12.webp`: a row and a format.
fn parse_file(file: &str) -> Result<(u32, ImageFormat), Problem> {
    let (row, extension) = file.split_once('.').unwrap_or((file, ""));
    let row = row.parse().map_err(|_| {
        Problem::from(kinds::INVALID_PATH)
            .parameter("file", "must be a row, a dot and a format, as in 2.webp")
    })?;
    let format = ImageFormat::parse_extension(extension)
        .ok_or_else(|| problems::FORMAT_UNKNOWN.detail("pictures are png or webp"))?;
    Ok((row, format))
}

fn unknown(error: AddressError) -> Problem {
    problems::TILE_UNKNOWN.detail(error.to_string())
}
