//! The market over HTTP.

mod auctions;
mod listings;
mod offers;
mod prices;
mod search;
mod watch;

use std::sync::Arc;

use api::{Problem, ValidQuery, cursor};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use uuid::Uuid;

use crate::MarketService;

pub use prices::{HintView, PricesView, SoldView};
pub use search::{CurrencyView, IncrementView, TermsView};
pub use watch::WatchView;

/// The routes of this crate, to be merged at the root.
pub fn routes(market: Arc<MarketService>) -> OpenApiRouter {
    OpenApiRouter::new()
        .merge(listings::routes())
        .merge(auctions::routes())
        .merge(offers::routes())
        .merge(search::routes())
        .merge(watch::routes())
        .merge(prices::routes())
        .with_state(market)
}

/// How a list of sales or offers is asked for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MineParams {
    /// `open` for those that are open, `all` for all; `open` if absent.
    #[serde(default)]
    #[param(inline)]
    pub(crate) state: Which,
    /// Those of a group that you may act for.
    pub(crate) as_group: Option<Uuid>,
    /// `next_cursor` of the page before; absent for the first.
    pub(crate) cursor: Option<String>,
    /// Items on a page, 1 to 100; 50 if absent.
    #[param(minimum = 1, maximum = 100)]
    pub(crate) limit: Option<u32>,
}

/// Those that are open, or all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Which {
    #[default]
    Open,
    All,
}

/// The query of [`MineParams`].
pub(crate) type MineQuery = ValidQuery<MineParams>;

/// Lists begin before this: no id is above it.
pub(crate) fn before(cursor_text: Option<&str>) -> Result<Uuid, Problem> {
    cursor_text.map_or(Ok(Uuid::max()), |text| Ok(Uuid::from_bytes(cursor::decode(text)?)))
}

/// Goes on when the caller hangs up, so that others hear of what was stored.
pub(crate) async fn to_the_end<T: Send + 'static>(change: impl Future<Output = T> + Send + 'static) -> T {
    tokio::spawn(change).await.unwrap_or_else(|failed| std::panic::resume_unwind(failed.into_panic()))
}
