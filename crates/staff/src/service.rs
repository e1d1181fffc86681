//! The service: what it is given.

use std::sync::Arc;

use api::SharedClock;
use identity::Identity;
use land::{Agents, DisplayName, LandService};
use market::MarketService;
use privacy::Vault;
use store::{Store, Tx};
use uuid::Uuid;

/// What the program tells of itself, without any secret.
pub trait System: Send + Sync {
    /// All settings in force as TOML. Secrets are hidden by whoever gives this.
    fn configuration(&self) -> String;
    /// What is limited, and by which policy.
    fn limits(&self) -> Vec<(String, String)>;
}

/// What the service is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// What is written about people is sealed by it.
    pub vault: Vault,
    /// Told when somebody's standing has changed.
    pub identity: Arc<Identity>,
    /// Land.
    pub land: Arc<LandService>,
    /// What is for sale.
    pub market: Arc<MarketService>,
    /// What groups are called.
    pub group_name: DisplayName,
    /// Who hears of what concerns a group.
    pub agents: Agents,
    /// Between a wish for erasure and its coming true.
    pub cooling_off_us: i64,
    /// Told when an export or an erasure was asked for.
    pub data_asked: Arc<dyn Fn() + Send + Sync>,
    /// The world, if this process runs it.
    pub zone: Option<zone::Handle>,
    /// The planet's radius.
    pub radius_m: f64,
    /// What the program tells of itself.
    pub system: Arc<dyn System>,
    /// Money acts above this, in smallest units, want a second person.
    pub second_person_minor: i64,
    /// Told when something was recorded.
    pub wake: events::Wake,
}

impl Deps {
    /// The accounts that hear of what concerns somebody: the account, or those who act for the group.
    pub(crate) fn told(&self, tx: &mut Tx<'_>, owner_id: Uuid) -> Result<Vec<Uuid>, store::Error> {
        let agents = (self.agents)(tx, owner_id)?;
        Ok(if agents.is_empty() { vec![owner_id] } else { agents })
    }

    /// What an account or a group is called; nothing for one that nobody knows any more.
    pub(crate) fn name_of(&self, tx: &mut Tx<'_>, id: Uuid) -> Result<Option<String>, store::Error> {
        match identity::display_name(tx, id)? {
            Some(name) => Ok(Some(name)),
            None => (self.group_name)(tx, id),
        }
    }
}

/// What staff see and do.
pub struct Staff {
    pub(crate) deps: Deps,
}

impl Staff {
    /// Nothing runs until it is asked.
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }
}
