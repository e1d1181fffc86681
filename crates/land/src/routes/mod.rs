//! Land over HTTP.

mod claims;
mod gifts;
mod lots;
mod maps;
mod shape;

use std::sync::Arc;

use api::{Problem, cursor};
use cell::CellId;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::LandService;

pub use claims::ClaimsRequest;
pub use gifts::GiftRequest;
pub use lots::DescribeRequest;
pub use shape::{MergeRequest, SplitRequest};

/// The routes of this crate, to be merged at the root.
pub fn routes(land: Arc<LandService>) -> OpenApiRouter {
    OpenApiRouter::new()
        .routes(routes!(lots::list))
        .routes(routes!(lots::list_mine))
        .routes(routes!(lots::get_one, lots::describe))
        .routes(routes!(claims::claim))
        .routes(routes!(claims::claim_several))
        .routes(routes!(shape::merge))
        .routes(routes!(shape::split))
        .routes(routes!(shape::abandon))
        .routes(routes!(gifts::titles))
        .routes(routes!(gifts::offer))
        .routes(routes!(gifts::list))
        .routes(routes!(gifts::accept))
        .routes(routes!(gifts::decline))
        .routes(routes!(gifts::cancel))
        .routes(routes!(maps::free))
        .routes(routes!(maps::tile_json))
        .routes(routes!(maps::tile))
        .routes(routes!(maps::geojson))
        .with_state(land)
}

/// Goes on when the caller hangs up, so that others hear of what was stored.
async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}

fn parse_cursor(text: Option<&str>) -> Result<Option<CellId>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let raw = u64::from_be_bytes(cursor::decode(text)?);
    CellId::try_from_raw(raw).map(Some).ok_or_else(|| api::kinds::INVALID_CURSOR.into())
}
