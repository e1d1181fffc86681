//! Names, and what is where.
//!
//! Names come from a table that an operator may change, so they are good for an hour only.

use std::sync::Arc;

use api::{Problem, ValidPath, ValidQuery};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;

use crate::MapService;
use crate::file::{File, Freshness};
use crate::places::{Gazetteer, HereView, NamedPlacesView, PointParams, SearchParams};

/// Every place with a name
///
/// Oceans, continents, seas, islands, mountain ranges, rivers and lakes, the most important first.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/places", operation_id = "places", tag = "maps",
    params(("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`")),
    responses(
        (status = 200, description = "All places", body = NamedPlacesView),
        (status = 304, description = "The ones you have are right"),
        (status = 404, description = "`planet_unknown` with `planet_hash`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn places(
    State(maps): State<Arc<MapService>>,
    ValidPath(planet_hash): ValidPath<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&maps, &planet_hash, &headers, |gazetteer| Ok(gazetteer.all())).await
}

/// Places by a part of their name
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/places/search", operation_id = "places_search", tag = "maps",
    params(("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"), SearchParams),
    responses(
        (status = 200, description = "At most 12 places: those whose name begins with the text first", body = NamedPlacesView),
        (status = 304, description = "The ones you have are right"),
        (status = 400, description = "`invalid_query`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn search(
    State(maps): State<Arc<MapService>>,
    ValidPath(planet_hash): ValidPath<String>,
    ValidQuery(params): ValidQuery<SearchParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&maps, &planet_hash, &headers, move |gazetteer| gazetteer.search(&params)).await
}

/// What is at a point
///
/// The ground and the water over it, climate and biome, the standard lot, and the names of what is there or near.
#[utoipa::path(get, path = "/api/v1/planet/{planet_hash}/at", operation_id = "planet_at", tag = "maps",
    params(("planet_hash" = String, Path, description = "`planet_hash` of `/api/v1/planet`"), PointParams),
    responses(
        (status = 200, description = "What is there", body = HereView),
        (status = 304, description = "What you have is right"),
        (status = 400, description = "`invalid_query`: a coordinate is missing, no number, or outside the planet", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`planet_unknown` with `planet_hash`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`maps_busy`", body = Problem, content_type = "application/problem+json"),
    ))]
pub(super) async fn at(
    State(maps): State<Arc<MapService>>,
    ValidPath(planet_hash): ValidPath<String>,
    ValidQuery(params): ValidQuery<PointParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer(&maps, &planet_hash, &headers, move |gazetteer| gazetteer.at(&params)).await
}

async fn answer<T: Serialize + Send + 'static>(
    maps: &Arc<MapService>,
    planet_hash: &str,
    headers: &HeaderMap,
    ask: impl FnOnce(&Gazetteer) -> Result<T, Problem> + Send + 'static,
) -> Result<Response, Problem> {
    maps.check_planet(planet_hash)?;
    let view = maps.ask(ask).await??;
    let body = serde_json::to_vec(&view).expect("plain text and numbers");
    Ok(File::new("application/json", body).answer(headers, Freshness::Hour))
}
