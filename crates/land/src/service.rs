//! What can be done with lots.

use std::sync::Arc;

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Page, Problem, SharedClock, cursor, kinds, timestamp};
use axum::http::StatusCode;
use cell::{CellId, LatLng};
use glam::DVec3;
use ledger::{AccountRef, Amount, AssetId, Posting, PostingKind};
use planet::Planet;
use serde_json::Value;
use store::{Isolation, Store, Tx};
use tokio::sync::broadcast;
use uuid::Uuid;
use wallet::PostError;

use crate::LOT_LEVEL_AT_DEFAULT;
use crate::parcels::{self, Parcel, Scope};
use crate::rules::{self, Refusal};
use crate::view::{LotStatus, LotView, OwnerView, PlaceView};

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

/// What an account is called now, read in the caller's transaction; `None` if there is no such account.
pub type DisplayName = Arc<dyn Fn(&mut Tx<'_>, Uuid) -> Result<Option<String>, store::Error> + Send + Sync>;

/// What happened to a lot. Sent after it is stored.
#[derive(Clone, PartialEq, Debug)]
pub struct LotEvent {
    /// Which lot.
    pub lot: CellId,
    /// The owner's account.
    pub owner_id: Uuid,
    /// What the owner is called.
    pub owner_name: String,
    /// What the lot is called.
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
    /// What people are called.
    pub display_name: DisplayName,
    /// The time.
    pub clock: SharedClock,
}

/// Lots: what they cost, whose they are, claiming and naming them.
pub struct LandService {
    deps: Deps,
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

    /// One lot, owned or not.
    pub async fn lot(&self, lot: CellId) -> Result<LotView, Problem> {
        let names = Arc::clone(&self.deps.display_name);
        let owned = self
            .deps
            .store
            .read(move |tx| match parcels::find(tx, lot)? {
                Some(parcel) => Ok(Some((owner_name(&names, tx, parcel.owner_id)?, parcel))),
                None => Ok::<_, store::Error>(None),
            })
            .await?;
        Ok(match owned {
            Some((owner, parcel)) => taken(&self.deps.planet, &parcel, owner),
            None => unowned(&self.deps.planet, lot),
        })
    }

    /// The lots that are owned inside a cell, by ascending key.
    pub async fn lots_in(
        &self,
        place: CellId,
        after: Option<CellId>,
        limit: u32,
    ) -> Result<Page<LotView>, Problem> {
        if after.is_some_and(|it| !place.contains(it)) {
            return Err(kinds::INVALID_CURSOR.into());
        }
        self.list(Scope::Inside(place), after, limit).await
    }

    /// The lots of one owner, by ascending key.
    pub async fn lots_of(
        &self,
        owner_id: Uuid,
        after: Option<CellId>,
        limit: u32,
    ) -> Result<Page<LotView>, Problem> {
        self.list(Scope::OwnedBy(owner_id), after, limit).await
    }

    async fn list(&self, scope: Scope, after: Option<CellId>, limit: u32) -> Result<Page<LotView>, Problem> {
        let names = Arc::clone(&self.deps.display_name);
        let planet = Arc::clone(&self.deps.planet);
        let found = self
            .deps
            .store
            .read(move |tx| {
                let mut found: Vec<(Parcel, String)> = Vec::new();
                for parcel in parcels::list(tx, scope, after, limit + 1)? {
                    let known = found.iter().find(|(it, _)| it.owner_id == parcel.owner_id);
                    let owner = match known {
                        Some((_, name)) => name.clone(),
                        None => owner_name(&names, tx, parcel.owner_id)?,
                    };
                    found.push((parcel, owner));
                }
                Ok::<_, store::Error>(found)
            })
            .await?;
        let page =
            Page::from_surplus(found, limit, |(last, _)| cursor::encode(&last.lot.raw().to_be_bytes()));
        Ok(page.map(|(parcel, owner)| taken(&planet, &parcel, owner)))
    }

    /// Claims a lot for the caller: parcel, posting, title and the kept answer in one transaction.
    pub async fn claim(&self, caller: Caller, lot: CellId, key: IdempotencyKey) -> Result<Answer, Problem> {
        let now_us = self.deps.clock.now_us();
        let fingerprint = Fingerprint::of("POST /lands/{token}/claim").with(&lot.raw().to_be_bytes());
        let claim = Claim {
            client_id: format!("land_claim:{}:{}", caller.account_id, key.as_str()),
            lot,
            account_id: caller.account_id,
            now_us,
        };
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let deps = self.deps.clone();
        let answer = idempotency::run(&self.deps.store, Isolation::Locked, decision, move |tx| {
            let view = claim.run(tx, &deps)?;
            let body = serde_json::to_value(view).expect("a lot has only text keys and finite numbers");
            Ok::<(StatusCode, Value), Refusal>((StatusCode::CREATED, body))
        })
        .await?;
        if !answer.is_replay && answer.status.is_success() {
            let view: LotView =
                serde_json::from_value(answer.body.clone()).map_err(|it| Problem::internal(&it))?;
            self.announce(lot, view);
        }
        Ok(answer)
    }

    /// Gives the caller's lot a name, which has been checked.
    pub async fn rename(&self, caller: Caller, lot: CellId, name: String) -> Result<LotView, Problem> {
        let names = Arc::clone(&self.deps.display_name);
        let (parcel, owner) = self
            .deps
            .store
            .locked(move |tx| {
                let parcel = parcels::rename(tx, lot, caller.account_id, &name)?.ok_or(Refusal::NotOwner)?;
                let owner = owner_name(&names, tx, parcel.owner_id)?;
                Ok::<_, Refusal>((parcel, owner))
            })
            .await?;
        let view = taken(&self.deps.planet, &parcel, owner);
        self.announce(lot, view.clone());
        Ok(view)
    }

    fn announce(&self, lot: CellId, view: LotView) {
        let Some(owner) = view.owner else { return };
        let event =
            LotEvent { lot, owner_id: owner.account_id, owner_name: owner.display_name, name: view.name };
        // Nobody listening is fine: whoever comes later asks.
        let _ = self.events.send(event);
    }
}

struct Claim {
    lot: CellId,
    account_id: Uuid,
    /// Makes the posting unique, whatever becomes of the lot later.
    client_id: String,
    now_us: i64,
}

impl Claim {
    /// The rules in the order of [`Refusal`]; each is decided by what is true when the lot is taken.
    fn run(&self, tx: &mut Tx<'_>, deps: &Deps) -> Result<LotView, Refusal> {
        let Self { lot, account_id, now_us, .. } = *self;
        rules::check_claimable(&deps.planet, lot).map_err(Refusal::Unclaimable)?;
        rules::check_near(&deps.planet, lot, deps.presence.position_of(account_id))?;
        if !parcels::take(tx, lot, account_id, now_us)? {
            return Err(Refusal::Taken);
        }
        let price = rules::price(rules::area_m2(&deps.planet, lot));
        let posted = wallet::post(tx, &self.posting(price), now_us).map_err(|error| match error {
            PostError::InsufficientFunds { account: AccountRef::Wallet(_), available, .. } => {
                Refusal::InsufficientFunds { available, price }
            }
            PostError::ClientIdTaken => Refusal::KeyReused,
            PostError::Store(error) => Refusal::Store(error),
            other => Refusal::Books(other),
        })?;
        let parcel = Parcel { lot, owner_id: account_id, name: None, claimed_at_us: now_us };
        parcels::add_title(tx, &parcel, price.minor(), posted.posting_id)?;
        let owner = owner_name(&deps.display_name, tx, account_id)?;
        Ok(taken(&deps.planet, &parcel, owner))
    }

    /// Money one way, the deed the other.
    fn posting(&self, price: Amount) -> Posting {
        let token = self.lot.token();
        let deed = AssetId::try_deed(&token).expect("a cell's token is lower-case hexadecimal");
        let wallet = AccountRef::Wallet(self.account_id);
        let one = Amount::try_from_minor(1).expect("one is in range");
        Posting::of(PostingKind::LandClaim, self.client_id.clone(), format!("lot:{token}"))
            .transfer(wallet, AccountRef::Treasury, &AssetId::coin(), price)
            .transfer(AccountRef::LandOffice, wallet, &deed, one)
            .finish()
            .expect("a lot has an area, so that its price is not zero")
    }
}

fn owner_name(names: &DisplayName, tx: &mut Tx<'_>, owner_id: Uuid) -> Result<String, store::Error> {
    Ok(names(tx, owner_id)?.unwrap_or_default())
}

fn taken(planet: &Planet, parcel: &Parcel, owner: String) -> LotView {
    LotView {
        status: LotStatus::Taken,
        owner: Some(OwnerView { account_id: parcel.owner_id, display_name: owner }),
        name: parcel.name.clone(),
        claimed_at: Some(timestamp(parcel.claimed_at_us)),
        ..of_nobody(planet, parcel.lot)
    }
}

fn unowned(planet: &Planet, lot: CellId) -> LotView {
    match rules::check_claimable(planet, lot) {
        Ok(()) => of_nobody(planet, lot),
        Err(reason) => LotView {
            status: LotStatus::Unclaimable,
            reason: Some(reason.code().to_owned()),
            ..of_nobody(planet, lot)
        },
    }
}

fn of_nobody(planet: &Planet, lot: CellId) -> LotView {
    let area_m2 = rules::area_m2(planet, lot);
    let center = LatLng::from_point(lot.center());
    LotView {
        token: lot.token(),
        status: LotStatus::Free,
        reason: None,
        owner: None,
        name: None,
        area_m2: (area_m2 * 100.0).round() / 100.0,
        price_minor: rules::price(area_m2).minor(),
        center: PlaceView { lat_deg: center.lat_deg(), lng_deg: center.lng_deg() },
        claimed_at: None,
    }
}
