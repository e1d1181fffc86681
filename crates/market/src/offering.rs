//! Offers for land: making, accepting, declining, taking back, and the end of their time.

use api::{Caller, timestamp};
use cell::CellId;
use ledger::AssetId;
use serde_json::json;
use store::Tx;
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest};

use crate::deal::{Deal, end_offer, lapse, minor};
use crate::deps::Deps;
use crate::listing;
use crate::news::{self, HeldMoney, News};
use crate::offers::{self, Offer};
use crate::party::Party;
use crate::refusal::{Refusal, Subject};
use crate::rules::is_open_at;
use crate::rules::state::{OfferState, SaleEvent, SaleKind, SaleState};
use crate::sales::{self, Sale, SoldLand};
use crate::service::{Actor, Done};
use crate::show::Viewer;
use crate::view::PurchaseView;

/// Open offers for one parcel.
const OFFERS_PER_PARCEL_MAX: i64 = 100;

/// An offer that is asked for. Amounts, times and text are checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewOffer {
    pub(crate) parcel: CellId,
    pub(crate) currency: String,
    pub(crate) price_minor: i64,
    pub(crate) duration_us: i64,
    pub(crate) message: Option<String>,
}

pub(crate) fn make(tx: &mut Tx<'_>, deps: &Deps, actor: Actor, asked: &NewOffer) -> Result<Done, Refusal> {
    // The parcel is taken, so that its offers are counted once.
    let facts = land::take(tx, asked.parcel)?.ok_or(Refusal::NotOwned)?;
    deps.acting.check(tx, actor.party, actor.account_id)?;
    if facts.frozen_at_us.is_some() {
        return Err(Refusal::Frozen);
    }
    let asset = deps.terms.asset(&asked.currency)?;
    let owner = deps.party_of(tx, facts.owner_id)?;
    deps.acting.check_strangers(tx, owner, actor.party, actor.account_id)?;
    if offers::has_open(tx, facts.anchor, actor.party.owner_id)? {
        return Err(Refusal::OfferExists);
    }
    if offers::count_of_parcel(tx, facts.anchor)? >= OFFERS_PER_PARCEL_MAX {
        return Err(Refusal::TooMany { what: "offers for this land", max: OFFERS_PER_PARCEL_MAX });
    }
    let now_us = deps.clock.now_us();
    let offer = Offer {
        id: Uuid::now_v7(),
        state: OfferState::Open,
        parcel: facts.anchor,
        owner_id: facts.owner_id,
        cell_count: facts.cells,
        buyer: actor.party,
        currency: asked.currency.clone(),
        price_minor: asked.price_minor,
        message: asked.message.clone(),
        hold_id: Uuid::now_v7(),
        made_at_us: now_us,
        expires_at_us: now_us.saturating_add(asked.duration_us),
        decided_at_us: None,
    };
    let request = HoldRequest {
        hold_id: offer.hold_id,
        account_id: actor.party.owner_id,
        asset,
        amount: minor(offer.price_minor),
        kind: HoldKind::Offer,
        reference: format!("offer:{}", offer.id),
        // It ends with the offer.
        expires_at_us: None,
    };
    wallet::hold(tx, &request, now_us)?;
    offers::add(tx, &offer, actor.account_id)?;
    let mut news = News::default();
    news.tell_party(tx, deps, "market.offer_received", owner, news::of_offer(&offer))?;
    let money = HeldMoney {
        hold_id: offer.hold_id,
        currency: &offer.currency,
        amount_minor: offer.price_minor,
        reason: ("offer_id", offer.id),
    };
    news.held_money(tx, deps, "wallet.held", actor.party, money)?;
    news.record(tx, now_us)?;
    Ok(Done::created(&Viewer::new(deps, actor.account_id, now_us).offer(tx, &offer)?))
}

/// Which side of an offer decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Owner,
    Buyer,
}

/// An offer, taken, for those who may decide for one side. To strangers there is no such offer.
fn take(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    offer_id: Uuid,
    side: Side,
) -> Result<(Offer, i64), Refusal> {
    let not_found = Refusal::NotFound { what: Subject::Offer };
    let offer = offers::take(tx, offer_id)?.ok_or(not_found.clone())?;
    let owner = deps.party_of(tx, offer.owner_id)?;
    let is_owner = deps.acting.is_allowed(tx, owner, caller.account_id)?;
    let is_buyer = deps.acting.is_allowed(tx, offer.buyer, caller.account_id)?;
    match side {
        _ if !is_owner && !is_buyer => return Err(not_found),
        Side::Owner if !is_owner => return Err(Refusal::NotOwner),
        Side::Buyer if !is_buyer => return Err(Refusal::NotOwner),
        Side::Owner | Side::Buyer => {}
    }
    let now_us = deps.clock.now_us();
    match offer.state {
        OfferState::Open if is_open_at(offer.expires_at_us, now_us) => Ok((offer, now_us)),
        OfferState::Open => Err(Refusal::OfferNotOpen { state: OfferState::Expired }),
        state => Err(Refusal::OfferNotOpen { state }),
    }
}

/// The owner does not want it.
pub(crate) fn decline(tx: &mut Tx<'_>, deps: &Deps, caller: Caller, offer_id: Uuid) -> Result<Done, Refusal> {
    end(tx, deps, caller, offer_id, (Side::Owner, OfferState::Declined))
}

/// The buyer takes it back.
pub(crate) fn withdraw(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    offer_id: Uuid,
) -> Result<Done, Refusal> {
    end(tx, deps, caller, offer_id, (Side::Buyer, OfferState::Withdrawn))
}

fn end(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    offer_id: Uuid,
    (side, state): (Side, OfferState),
) -> Result<Done, Refusal> {
    let (mut offer, now_us) = take(tx, deps, caller, offer_id, side)?;
    let mut news = News::default();
    end_offer(tx, deps, &mut news, offer.clone(), state, now_us)?;
    news.record(tx, now_us)?;
    (offer.state, offer.decided_at_us) = (state, Some(now_us));
    Ok(Done::changed(&Viewer::new(deps, caller.account_id, now_us).offer(tx, &offer)?))
}

/// The owner accepts: money and deed change hands, a listing of the parcel is taken back, all other offers for it are
/// over. An auction goes on to its end: the land is promised to whoever wins it.
pub(crate) fn accept(tx: &mut Tx<'_>, deps: &Deps, caller: Caller, offer_id: Uuid) -> Result<Done, Refusal> {
    let (offer, now_us) = take(tx, deps, caller, offer_id, Side::Owner)?;
    let listing = sales::take_open_of(tx, offer.parcel)?;
    let facts = land::take(tx, offer.parcel)?;
    let facts = facts
        .filter(|it| it.anchor == offer.parcel && it.owner_id == offer.owner_id)
        .filter(|it| it.cells == offer.cell_count)
        .ok_or(Refusal::ParcelChanged)?;
    if facts.frozen_at_us.is_some() {
        return Err(Refusal::Frozen);
    }
    let bound = land::encumbrance(tx, offer.parcel)?;
    if let Some(bound) = bound.filter(|it| it.kind != land::EncumbranceKind::Listing) {
        return Err(Refusal::Encumbered { kind: bound.kind.code() });
    }
    let seller = deps.party_of(tx, offer.owner_id)?;
    let sale = sale_of(&offer, seller, SoldLand::from(&facts), now_us);
    let by = audit::Actor::account(caller.account_id);
    let deal = Deal { by, sale: &sale, buyer: offer.buyer, paid_minor: offer.price_minor };
    let mut others = offers::take_of_parcel(tx, offer.parcel)?;
    others.retain(|it| it.id != offer_id);
    let mut released: Vec<(Uuid, AssetId)> = Vec::new();
    for other in &others {
        released.push((other.buyer.owner_id, deps.terms.asset(&other.currency)?));
    }
    deal.take_balances(tx, &deps.terms, released, now_us)?;

    let mut news = News::default();
    if let Some(mut listing) = listing {
        listing::end(tx, &mut news, &mut listing, SaleEvent::Cancel { has_bids: false }, now_us)?;
    }
    let posting_id = deal.exchange(tx, deps, Some(offer.hold_id), now_us)?;
    if !offers::decide(tx, offer_id, OfferState::Accepted, now_us)? {
        return Err(Refusal::OfferNotOpen { state: offer.state });
    }
    sales::add(tx, &sale, caller.account_id, Some(posting_id))?;
    lapse(tx, deps, &mut news, others, now_us)?;
    let mut data = news::of_offer(&offer);
    data["state"] = json!(OfferState::Accepted.code());
    news.tell_party(tx, deps, "market.offer_accepted", offer.buyer, data)?;
    deal.tell(tx, deps, &mut news)?;
    news.record(tx, now_us)?;
    Ok(Done::changed(&PurchaseView {
        sale_id: offer_id,
        parcel: offer.parcel.token(),
        buyer_id: offer.buyer.owner_id,
        seller_id: offer.owner_id,
        currency: offer.currency,
        price_minor: offer.price_minor,
        posting_id,
        at: timestamp(now_us),
    }))
}

/// What goes into the history of prices. It has the offer's id.
fn sale_of(offer: &Offer, seller: Party, land: SoldLand, now_us: i64) -> Sale {
    Sale {
        id: offer.id,
        kind: SaleKind::Offer,
        state: SaleState::Sold,
        land,
        seller,
        currency: offer.currency.clone(),
        price_minor: offer.price_minor,
        opened_at_us: offer.made_at_us,
        ends_at_us: offer.expires_at_us,
        closed_at_us: Some(now_us),
        buyer_id: Some(offer.buyer.owner_id),
    }
}

/// Ends an offer whose time is up; `false` if there is nothing to do any more.
pub(crate) fn expire(tx: &mut Tx<'_>, deps: &Deps, offer_id: Uuid) -> Result<bool, Refusal> {
    let Some(offer) = offers::take(tx, offer_id)? else { return Ok(false) };
    let now_us = deps.clock.now_us();
    if offer.state != OfferState::Open || is_open_at(offer.expires_at_us, now_us) {
        return Ok(false);
    }
    finish(tx, deps, offer, OfferState::Expired, now_us)
}

/// Ends an offer for land that is no longer what it was; `false` if there is nothing to do any more.
pub(crate) fn lapse_orphan(tx: &mut Tx<'_>, deps: &Deps, offer_id: Uuid) -> Result<bool, Refusal> {
    let Some(offer) = offers::take(tx, offer_id)? else { return Ok(false) };
    let is_same = land::parcel(tx, offer.parcel)?.is_some_and(|it| {
        it.anchor == offer.parcel && it.owner_id == offer.owner_id && it.cells == offer.cell_count
    });
    if offer.state != OfferState::Open || is_same {
        return Ok(false);
    }
    let now_us = deps.clock.now_us();
    finish(tx, deps, offer, OfferState::Lapsed, now_us)
}

fn finish(
    tx: &mut Tx<'_>,
    deps: &Deps,
    offer: Offer,
    state: OfferState,
    now_us: i64,
) -> Result<bool, Refusal> {
    let mut news = News::default();
    end_offer(tx, deps, &mut news, offer, state, now_us)?;
    news.record(tx, now_us)?;
    Ok(true)
}
