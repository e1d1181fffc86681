//! The service: what it is given.

use std::sync::Arc;

use api::SharedClock;
use events::{Audience, NewEvent, Wake};
use land::{Authority, DisplayName};
use serde_json::Value;
use store::{Store, Tx};
use uuid::Uuid;
use wallet::Economy;

/// The accounts that act for a group; none for anybody else.
pub type Agents = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<Uuid>, store::Error> + Send + Sync>;

/// When an account was last there; `None` for no account.
pub type LastSeen = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Option<i64>, store::Error> + Send + Sync>;

/// What the service is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// The level of this planet's lots.
    pub lot_level: u8,
    /// Currencies, upkeep and reclaim.
    pub economy: &'static Economy,
    /// Who may act for a group.
    pub authority: Authority,
    /// What accounts and groups are called.
    pub name: DisplayName,
    /// Who is told of what concerns a group.
    pub agents: Agents,
    /// Who is still there.
    pub last_seen: LastSeen,
    /// Told after something was recorded.
    pub wake: Wake,
}

impl Deps {
    /// Whether an account may act for somebody: itself, or a group that lets it.
    pub(crate) fn may_act(&self, tx: &mut Tx<'_>, who: Uuid, actor: Uuid) -> Result<bool, store::Error> {
        Ok(who == actor || (self.authority)(tx, who, actor)?)
    }

    /// An event for the people behind accounts and groups; `None` if there is nobody.
    pub(crate) fn event(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        parties: &[Uuid],
        data: Value,
    ) -> Result<Option<NewEvent>, store::Error> {
        let mut accounts = Vec::new();
        for party in parties {
            let agents = (self.agents)(tx, *party)?;
            if agents.is_empty() {
                accounts.push(*party);
            } else {
                accounts.extend(agents);
            }
        }
        accounts.sort_unstable();
        accounts.dedup();
        let is_any = !accounts.is_empty();
        Ok(is_any.then_some(NewEvent { kind, audience: Audience::Accounts(accounts), data }))
    }

    /// Records an event for the people behind accounts and groups.
    pub(crate) fn tell(
        &self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        parties: &[Uuid],
        data: Value,
        now_us: i64,
    ) -> Result<(), store::Error> {
        let event = self.event(tx, kind, parties, data)?;
        events::record(tx, event.as_slice(), now_us)
    }
}

/// Leases, upkeep and reclaim.
pub struct Tenure {
    pub(crate) deps: Deps,
}

impl Tenure {
    /// Nothing runs until it is asked; see [`Tenure::work`].
    pub fn new(deps: Deps) -> Self {
        Self { deps }
    }
}
