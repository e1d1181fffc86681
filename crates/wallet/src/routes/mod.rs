//! What a player sees of the books, and what they can do with their money.

pub(crate) mod holds;
mod money;
pub(crate) mod postings;
pub(crate) mod statement;
pub(crate) mod statement_csv;
pub(crate) mod transfers;

use std::sync::Arc;

use api::{Caller, Problem, ProblemKind, SharedClock};
use axum::http::StatusCode;
use ledger::AssetId;
use serde::Deserialize;
use store::{Isolation, Store, Tx};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

pub use holds::HoldView;
pub use money::{BalanceView, WalletView};
pub use postings::{LegView, PostingView};
pub use statement::StatementLine;
pub use transfers::{TransferRequest, TransferView};

use crate::Economy;
use transfers::Transfers;

/// Whether an account (the last) may act for an owner, read in the caller's transaction: an officer for their group.
pub type Authority = Arc<dyn Fn(&mut Tx<'_>, Uuid, Uuid) -> Result<bool, store::Error> + Send + Sync>;

/// What the routes are given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Who acts for a group.
    pub authority: Authority,
    /// Told after something happened.
    pub wake: events::Wake,
}

/// The routes of this crate, to be merged at the root. Starts the group that makes transfers, inside a runtime.
pub fn routes(deps: Deps) -> OpenApiRouter {
    let transfers = Arc::new(Transfers::start(&deps));
    let making = OpenApiRouter::new().routes(routes!(transfers::transfer)).with_state(transfers);
    OpenApiRouter::new()
        .routes(routes!(money::wallet))
        .routes(routes!(postings::postings))
        .routes(routes!(statement::statement))
        .routes(routes!(statement_csv::statement_csv))
        .routes(routes!(holds::holds))
        .with_state(deps)
        .merge(making)
}

pub(crate) const NO_AUTHORITY: ProblemKind =
    ProblemKind::new(StatusCode::FORBIDDEN, "no_authority", "You do not act for this owner");
pub(crate) const UNKNOWN_CURRENCY: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_currency", "The planet has no such currency");
const UNKNOWN_ASSET: ProblemKind =
    ProblemKind::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown_asset", "There is no such asset");

/// Whose wallet is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct OwnerParams {
    /// A group whose officer you are; your own wallet if absent.
    as_group: Option<Uuid>,
}

/// Reads for the owner whom the caller asks about: themselves, or a group that they act for.
async fn read_for<T, F>(deps: &Deps, caller: Caller, group: Option<Uuid>, mut read: F) -> Result<T, Problem>
where
    F: FnMut(&mut Tx<'_>, Uuid) -> Result<T, store::Error> + Send + 'static,
    T: Send + 'static,
{
    let authority = Arc::clone(&deps.authority);
    let found = deps
        .store
        .transaction(Isolation::Read, move |tx| {
            let owner_id = group.unwrap_or(caller.account_id);
            if may_act(&authority, tx, owner_id, caller.account_id)? {
                read(tx, owner_id).map(Some)
            } else {
                Ok(None)
            }
        })
        .await?;
    found.ok_or_else(|| NO_AUTHORITY.into())
}

fn may_act(
    authority: &Authority,
    tx: &mut Tx<'_>,
    owner_id: Uuid,
    account_id: Uuid,
) -> Result<bool, store::Error> {
    Ok(owner_id == account_id || authority(tx, owner_id, account_id)?)
}

/// The asset that a query names: a currency of this planet, or a deed. Coins if none is named.
fn asset_named(name: Option<&str>) -> Result<AssetId, Problem> {
    let Some(name) = name else { return Ok(AssetId::coin()) };
    let asset = AssetId::parse(name).ok().filter(|it| match it.kind() {
        ledger::AssetKind::Currency => Economy::embedded().currency(it.as_str()).is_some(),
        ledger::AssetKind::Deed => true,
    });
    asset.ok_or_else(|| {
        Problem::from(UNKNOWN_ASSET).parameter("asset", "a currency's code, or `deed:<token>`")
    })
}
