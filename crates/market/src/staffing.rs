//! What staff may do with what is for sale: end it, whatever it is. Money that is held for it is free again, and those
//! concerned are told. Who may is not decided here.

use cell::CellId;
use ledger::{AccountRef, AssetId};
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::auctions;
use crate::closing;
use crate::deal;
use crate::deps::Deps;
use crate::listing;
use crate::news::{self, News};
use crate::offers;
use crate::refusal::{Refusal, Subject};
use crate::rules::state::{OfferState, SaleEvent};
use crate::sales::{self, Sale};
use crate::service::MarketService;

/// A sale or an offer that staff have ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// `fixed`, `english`, `dutch`, `sealed` or `offer`.
    pub kind: &'static str,
    /// Which land.
    pub parcel: CellId,
    /// Whose land it is.
    pub owner_id: Uuid,
    /// How many holds were freed.
    pub freed: usize,
}

impl MarketService {
    /// Ends an open listing, auction or offer in the caller's transaction, who wakes those who wait for events.
    pub fn end_for_staff(&self, tx: &mut Tx<'_>, id: Uuid, now_us: i64) -> Result<Ended, Refusal> {
        let deps = self.deps();
        // Offers are taken before sales, as everywhere.
        if offers::take(tx, id)?.is_some_and(|it| it.state == OfferState::Open) {
            return end_offer(tx, deps, id, now_us);
        }
        match sales::take(tx, id)? {
            Some(sale) if sale.kind.is_auction() => end_auction(tx, deps, sale, now_us),
            Some(sale) => end_listing(tx, deps, sale, now_us),
            None => match offers::take(tx, id)? {
                Some(offer) => Err(Refusal::OfferNotOpen { state: offer.state }),
                None => Err(Refusal::NotFound { what: Subject::Listing }),
            },
        }
    }
}

const TOLD: &str = "market.cancelled_by_staff";

fn end_offer(tx: &mut Tx<'_>, deps: &Deps, id: Uuid, now_us: i64) -> Result<Ended, Refusal> {
    let mut offer = offers::take(tx, id)?.ok_or(store::Error::NoRow)?;
    let mut news = News::default();
    deal::end_offer(tx, deps, &mut news, offer.clone(), OfferState::Lapsed, now_us)?;
    offer.state = OfferState::Lapsed;
    let owner = deps.party_of(tx, offer.owner_id)?;
    for party in [owner, offer.buyer] {
        news.tell_party(tx, deps, TOLD, party, news::of_offer(&offer))?;
    }
    news.record(tx, now_us)?;
    Ok(Ended { kind: "offer", parcel: offer.parcel, owner_id: offer.owner_id, freed: 1 })
}

fn end_listing(tx: &mut Tx<'_>, deps: &Deps, mut sale: Sale, now_us: i64) -> Result<Ended, Refusal> {
    let mut news = News::default();
    listing::end(tx, &mut news, &mut sale, SaleEvent::CancelByStaff, now_us)?;
    news.tell_party(tx, deps, TOLD, sale.seller, told(&sale))?;
    news.record(tx, now_us)?;
    Ok(ended(&sale, 0))
}

fn end_auction(tx: &mut Tx<'_>, deps: &Deps, mut sale: Sale, now_us: i64) -> Result<Ended, Refusal> {
    let state = sale.state.after(sale.kind, SaleEvent::CancelByStaff);
    let state = state.ok_or(Refusal::NotOpen { state: sale.state })?;
    let bidders = auctions::bidders(tx, sale.id)?;
    let bound: Vec<_> = bidders.iter().filter(|it| it.hold_id.is_some()).map(|it| it.party).collect();
    let asset = deps.terms.asset(&sale.currency)?;
    let balances: Vec<(AccountRef, AssetId)> =
        bound.iter().map(|it| (AccountRef::Wallet(it.owner_id), asset.clone())).collect();
    wallet::take_balances(tx, &balances, now_us)?;
    let mut news = News::default();
    closing::free(tx, deps, &mut news, &sale, bidders, now_us)?;
    sales::close(tx, sale.id, state, now_us)?;
    auctions::close(tx, sale.id)?;
    land::release(tx, sale.land.parcel, sale.id)?;
    (sale.state, sale.closed_at_us) = (state, Some(now_us));
    news.near("market.auction_closed", &sale.land, told(&sale));
    for party in bound.iter().copied().chain([sale.seller]) {
        news.tell_party(tx, deps, TOLD, party, told(&sale))?;
    }
    news.record(tx, now_us)?;
    Ok(ended(&sale, bound.len()))
}

fn told(sale: &Sale) -> serde_json::Value {
    let mut data = news::of_sale(sale);
    data["state"] = json!(sale.state.code());
    data
}

const fn ended(sale: &Sale, freed: usize) -> Ended {
    Ended { kind: sale.kind.code(), parcel: sale.land.parcel, owner_id: sale.seller.owner_id, freed }
}
