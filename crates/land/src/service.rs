//! The service: what it is given, what it tells, and what it knows of lots.

use std::collections::HashMap;
use std::sync::Arc;

use api::{Page, Problem, SharedClock, cursor};
use cell::CellId;
use glam::DVec3;
use planet::Planet;
use store::{Store, Tx};
use tokio::sync::broadcast;
use uuid::Uuid;
use wallet::Economy;

use crate::LOT_LEVEL_AT_DEFAULT;
use crate::decide::changed;
use crate::find;
use crate::rules::Refusal;
use crate::seen::{Owners, Seen, of_nobody};
use crate::view::LotView;

/// Events that may wait for a slow listener; one that falls further behind misses some and asks for what it shows.
const EVENTS_WAITING_MAX: usize = 1024;

/// Where people are.
pub trait Presence: Send + Sync {
    /// The body's place in metres from the planet's centre; `None` if the account has no body in the world.
    fn position_of(&self, account_id: Uuid) -> Option<DVec3>;
}

impl<F: Fn(Uuid) -> Option<DVec3> + Send + Sync> Presence for F {
    fn position_of(&self, account_id: Uuid) -> Option<DVec3> {
        self(account_id)
    }
}

/// What an account or group is called now, read in the caller's transaction; `None` if there is none.
pub type DisplayName = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Option<String>, store::Error> + Send + Sync>;

/// What some accounts or groups are called now, each asked for once; those there are none of are left out.
pub type DisplayNames =
    Arc<dyn Fn(&mut Tx<'_>, &[Uuid]) -> Result<HashMap<Uuid, String>, store::Error> + Send + Sync>;

/// Whether an account (second) may act for an owner (first) that it is not itself: for a group it leads.
pub type Authority = Arc<dyn Fn(&mut Tx<'_>, Uuid, Uuid) -> Result<bool, store::Error> + Send + Sync>;

/// The accounts that may act for a group; none for an id that is no group's.
pub type Agents = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Vec<Uuid>, store::Error> + Send + Sync>;

/// What happened to a parcel. Sent after it is stored.
#[derive(Clone, PartialEq, Debug)]
pub struct LotEvent {
    /// The parcel's anchor, or a lot that was freed.
    pub lot: CellId,
    /// The account or group that owns it.
    pub owner_id: Option<Uuid>,
    /// What the owner is called.
    pub owner_name: String,
    /// What the parcel is called.
    pub name: Option<String>,
}

/// What the service is given.
#[derive(Clone)]
pub struct Deps {
    /// Where everything is kept.
    pub store: Store,
    /// The ground.
    pub planet: Arc<Planet>,
    /// Where people are.
    pub presence: Arc<dyn Presence>,
    /// What accounts are called.
    pub account_names: DisplayNames,
    /// What groups are called.
    pub group_names: DisplayNames,
    /// Who acts for groups.
    pub authority: Authority,
    /// Who hears of what concerns a group.
    pub agents: Agents,
    /// Told when something was recorded.
    pub wake: events::Wake,
    /// The origin that absolute addresses name (`https://example.org`); none for the host that was asked.
    pub public_origin: Option<String>,
    /// Prices and limits.
    pub economy: &'static Economy,
    /// The time.
    pub clock: SharedClock,
}

/// Land: what it costs, whose it is, and what may be done with it.
pub struct LandService {
    pub(crate) deps: Deps,
    events: broadcast::Sender<LotEvent>,
}

impl LandService {
    /// Nothing runs until it is asked.
    pub fn new(deps: Deps) -> Self {
        Self { deps, events: broadcast::Sender::new(EVENTS_WAITING_MAX) }
    }

    /// What happens from now on. A listener that is told [`broadcast::error::RecvError::Lagged`] has missed events.
    pub fn subscribe(&self) -> broadcast::Receiver<LotEvent> {
        self.events.subscribe()
    }

    /// Lets those who look on know what a parcel is now, after another service has changed it.
    pub async fn tell_changed(&self, lot: CellId) -> Result<(), store::Error> {
        let deps = self.deps.clone();
        if let Some(seen) = self.deps.store.read(move |tx| Seen::of(tx, &deps, lot)).await? {
            self.tell(changed(&seen));
        }
        Ok(())
    }

    pub(crate) fn tell(&self, event: LotEvent) {
        // Nobody listening is fine: whoever comes later asks.
        let _ = self.events.send(event);
    }

    pub(crate) fn planet(&self) -> &Planet {
        &self.deps.planet
    }

    pub(crate) fn public_origin(&self) -> Option<&str> {
        self.deps.public_origin.as_deref()
    }

    pub(crate) fn economy(&self) -> &'static Economy {
        self.deps.economy
    }

    /// The level of this planet's lots.
    pub fn lot_level(&self) -> u8 {
        self.deps.planet.grid_level(LOT_LEVEL_AT_DEFAULT)
    }

    /// The lot that a token names.
    pub fn parse_lot(&self, token: &str) -> Result<CellId, Refusal> {
        let lot_level = self.lot_level();
        let lot = CellId::parse_token(token).ok().filter(|it| it.level() == lot_level);
        lot.ok_or_else(|| Refusal::NotALot { token: token.chars().take(20).collect(), lot_level })
    }

    /// The parcel of a lot, or the lot itself if nobody owns it.
    pub async fn lot(&self, lot: CellId) -> Result<LotView, Problem> {
        let deps = self.deps.clone();
        let seen = self.deps.store.read(move |tx| Seen::of(tx, &deps, lot)).await?;
        Ok(match seen {
            Some(seen) => seen.view(self.deps.economy),
            None => of_nobody(&self.deps, lot),
        })
    }

    /// The parcels of one owner, by ascending key.
    pub async fn lots_of(
        &self,
        owner_id: Uuid,
        after: Option<CellId>,
        limit: u32,
    ) -> Result<Page<LotView>, Problem> {
        let deps = self.deps.clone();
        let seen = self
            .deps
            .store
            .read(move |tx| {
                let found = find::owned_by(tx, owner_id, after, limit + 1)?;
                Seen::all(tx, &deps, &mut Owners::default(), found)
            })
            .await?;
        let page =
            Page::from_surplus(seen, limit, |last| cursor::encode(&last.facts.anchor.raw().to_be_bytes()));
        Ok(page.map(|it| it.view(self.deps.economy)))
    }
}
