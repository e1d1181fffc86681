//! What the colours of a layer mean.

use std::sync::Arc;

use api::{Problem, ValidPath};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::parse_layer;
use crate::MapService;
use crate::file::{File, Freshness};
use crate::legend::LegendEntry;

/// The colours of a layer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LegendAnswer {
    entries: Vec<LegendEntry>,
}

/// What the colours of a layer mean
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/legend/{layer}", operation_id = "map_legend", tag = "maps",
    params(
        ("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"),
        ("layer" = String, Path, description = "`biome` or `elevation`", example = "biome"),
    ),
    responses(
        (status = 200, description = "The colours, in the order of their numbers or of heights", body = LegendAnswer),
        (status = 304, description = "The one you have is right"),
        (status = 404, description = "`planet_unknown` with `planet_hash`, `layer_unknown`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn legend(
    State(maps): State<Arc<MapService>>,
    ValidPath((planet_hash, layer)): ValidPath<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    maps.check_planet(&planet_hash)?;
    let layer = parse_layer(&layer)?;
    let answer = LegendAnswer { entries: LegendEntry::all(layer, maps.planet().spec()) };
    let body = serde_json::to_vec(&answer).expect("plain text");
    Ok(File::new("application/json", body).answer(&headers, Freshness::Immutable))
}
