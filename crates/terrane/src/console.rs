//! What the console of staff is given: the services that it acts through, and what the program tells of itself.

use std::sync::Arc;

use api::SystemClock;
use identity::Identity;
use land::LandService;
use limits::{Limit, Policies};
use market::MarketService;
use privacy::Vault;
use staff::Staff;
use store::Store;
use utoipa_axum::router::OpenApiRouter;

/// What staff need beside the services of the world.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) identity: Arc<Identity>,
    pub(crate) vault: Vault,
    /// All settings in force, without secrets.
    pub(crate) configuration: String,
    pub(crate) limits: Policies,
    pub(crate) cooling_off_days: u32,
    pub(crate) second_person_minor: i64,
    /// Told when an export or an erasure was asked for.
    pub(crate) data_asked: Arc<dyn Fn() + Send + Sync>,
}

impl staff::System for Desk {
    fn configuration(&self) -> String {
        self.configuration.clone()
    }

    fn limits(&self) -> Vec<(String, String)> {
        let policy = |limit| self.limits.of(limit).map_or_else(|| "off".to_owned(), |it| it.to_string());
        Limit::ALL.into_iter().map(|limit| (limit.name().to_owned(), policy(limit))).collect()
    }
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// The routes of the console.
pub(crate) fn routes(
    store: &Store,
    desk: &Desk,
    (land, market): (Arc<LandService>, Arc<MarketService>),
    (zone, radius_m): (Option<zone::Handle>, f64),
    wake: events::Wake,
) -> OpenApiRouter {
    staff::routes(Arc::new(Staff::new(staff::Deps {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        vault: desk.vault.clone(),
        identity: Arc::clone(&desk.identity),
        land,
        market,
        group_name: Arc::new(groups::display_name),
        agents: Arc::new(groups::agents),
        cooling_off_us: i64::from(desk.cooling_off_days) * DAY_US,
        data_asked: Arc::clone(&desk.data_asked),
        zone,
        radius_m,
        system: Arc::new(desk.clone()),
        second_person_minor: desk.second_person_minor,
        wake,
    })))
}
