//! Maps, chunks and the planet's artifact over HTTP.
//!
//! Everything stands below the planet's hash, so that whatever was fetched once is good for ever. Another planet's
//! hash is answered with 404 and the way to this one.

mod artifact;
mod chunks;
mod legend;
mod places;
mod tile_json;
mod tiles;

use std::sync::Arc;

use api::Problem;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::file::open_to_all_sites;
use crate::picture::MapLayer;
use crate::{MapService, problems};

/// The routes of this crate, to be merged at the root.
pub fn routes(maps: Arc<MapService>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(artifact::manifest))
        .routes(routes!(artifact::artifact))
        .routes(routes!(artifact::raster_tile))
        .routes(routes!(chunks::chunk))
        .routes(routes!(chunks::chunk_of_current))
        .routes(routes!(tiles::tile))
        .routes(routes!(tiles::dem_tile))
        .routes(routes!(tiles::face_tile))
        .routes(routes!(tile_json::tile_json))
        .routes(routes!(legend::legend))
        .routes(routes!(places::places))
        .routes(routes!(places::search))
        .routes(routes!(places::at))
        .with_state(maps)
        .layer(axum::middleware::from_fn(open))
}

/// Refusals may be read by any page as well.
async fn open(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if response.status() != StatusCode::NOT_MODIFIED {
        open_to_all_sites(response.headers_mut());
    }
    response
}

impl MapService {
    /// Refuses other planets' addresses.
    fn check_planet(&self, hash: &str) -> Result<(), Problem> {
        if hash == self.planet_hash {
            return Ok(());
        }
        Err(problems::PLANET_UNKNOWN
            .detail("take planet_hash from here; /api/v1/planet has it as well")
            .fact("planet_hash", self.planet_hash.clone()))
    }
}

fn parse_layer(name: &str) -> Result<MapLayer, Problem> {
    MapLayer::parse_name(name).ok_or_else(|| {
        let known: Vec<&str> = MapLayer::ALL.into_iter().map(MapLayer::name).collect();
        problems::LAYER_UNKNOWN.detail(format!("there are {}", known.join(", ")))
    })
}
