//! The end of an auction: money and deed change hands, or everything is free again. Once, whoever asks how often.

use api::timestamp;
use ledger::AssetId;
use serde_json::json;
use store::Tx;
use uuid::Uuid;

use crate::auctions::{self, Auction, Bidder};
use crate::deal::{Deal, lapse};
use crate::deps::Deps;
use crate::news::{self, HeldMoney, News};
use crate::offers;
use crate::party::Party;
use crate::refusal::Refusal;
use crate::rules::is_open_at;
use crate::rules::state::{SaleEvent, SaleKind, SaleState};
use crate::sales::{self, Closing, Sale};
use crate::view::PurchaseView;
use crate::watches;

/// Who gets it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Winner {
    /// Who decided it: nobody, if the time was up.
    pub(crate) by: audit::Actor,
    pub(crate) party: Party,
    /// What pays; without one the money is taken from what is free.
    pub(crate) hold_id: Option<Uuid>,
    pub(crate) paid_minor: i64,
}

/// Ends an auction whose time is up; `false` if there is nothing to do: it was ended before, its end was moved, or the
/// clock was set back.
pub(crate) fn close(tx: &mut Tx<'_>, deps: &Deps, auction_id: Uuid) -> Result<bool, Refusal> {
    let Some(sale) = sales::take(tx, auction_id)? else { return Ok(false) };
    let now_us = deps.clock.now_us();
    if sale.state != SaleState::Open || is_open_at(sale.ends_at_us, now_us) {
        return Ok(false);
    }
    let auction = auctions::find(tx, auction_id)?;
    let bidders = auctions::bidders(tx, auction_id)?;
    // Land that staff hold as it is finds no buyer.
    let is_frozen = land::take(tx, sale.land.parcel)?.is_some_and(|it| it.frozen_at_us.is_some());
    let winner = if is_frozen { None } else { winner(deps, &sale, &auction, &bidders)? };
    match winner {
        Some((number, winner)) => {
            let losers = bidders.into_iter().filter(|it| it.number != number).collect();
            settle(tx, deps, &sale, winner, losers, now_us)?;
        }
        None => end_unsold(tx, deps, sale, bidders, now_us)?,
    }
    Ok(true)
}

/// Who wins, by their public number.
fn winner(
    deps: &Deps,
    sale: &Sale,
    auction: &Auction,
    bidders: &[Bidder],
) -> Result<Option<(i64, Winner)>, Refusal> {
    let (bidder_id, paid_minor) = match sale.kind {
        SaleKind::English => {
            let (terms, standing) = auction.english(sale, deps.terms.increments(&sale.currency)?);
            match standing.winner(&terms) {
                Some(leader) => (leader.bidder_id, standing.price_minor),
                None => return Ok(None),
            }
        }
        SaleKind::Sealed => {
            let bids: Vec<_> = bidders.iter().map(Bidder::sealed).collect();
            match auction.sealed(sale).open(&bids) {
                Some(won) => (won.bid.bidder_id, won.price_minor),
                None => return Ok(None),
            }
        }
        SaleKind::Dutch | SaleKind::Fixed | SaleKind::Offer => return Ok(None),
    };
    let bidder = bidders.iter().find(|it| it.party.owner_id == bidder_id).ok_or(store::Error::NoRow)?;
    let hold_id = bidder.hold_id.ok_or_else(|| Refusal::Books("a bid without a hold wins".to_owned()))?;
    Ok(Some((
        bidder.number,
        Winner { by: audit::Actor::System, party: bidder.party, hold_id: Some(hold_id), paid_minor },
    )))
}

/// Sells to the winner. The sale is taken and open.
pub(crate) fn settle(
    tx: &mut Tx<'_>,
    deps: &Deps,
    sale: &Sale,
    winner: Winner,
    losers: Vec<Bidder>,
    now_us: i64,
) -> Result<PurchaseView, Refusal> {
    let Winner { by, party: buyer, hold_id, paid_minor } = winner;
    let deal = Deal { by, sale, buyer, paid_minor };
    let offers = offers::take_of_parcel(tx, sale.land.parcel)?;
    let mut released: Vec<(Uuid, AssetId)> = Vec::new();
    for offer in &offers {
        released.push((offer.buyer.owner_id, deps.terms.asset(&offer.currency)?));
    }
    let asset = deps.terms.asset(&sale.currency)?;
    released.extend(losers.iter().map(|it| (it.party.owner_id, asset.clone())));
    deal.take_balances(tx, &deps.terms, released, now_us)?;

    let mut news = News::default();
    free(tx, deps, &mut news, sale, losers, now_us)?;
    let posting_id = deal.exchange(tx, deps, hold_id, now_us)?;
    if hold_id.is_some() {
        auctions::free_bidder(tx, sale.id, buyer.owner_id)?;
    }
    land::release(tx, sale.land.parcel, sale.id)?;
    let closing = Closing {
        sale_id: sale.id,
        buyer_id: buyer.owner_id,
        posting_id,
        paid_minor,
        seen_minor: sale.price_minor,
    };
    if sale.state.after(sale.kind, SaleEvent::Settle).is_none() || sales::sell(tx, &[closing], now_us)? != 1 {
        return Err(Refusal::NotOpen { state: sale.state });
    }
    auctions::close(tx, sale.id)?;
    lapse(tx, deps, &mut news, offers, now_us)?;

    let mut data = news::of_sale(sale);
    data["state"] = json!(SaleState::Sold.code());
    data["price_minor"] = json!(paid_minor);
    data["buyer_id"] = json!(buyer.owner_id);
    news.near("market.auction_closed", &sale.land, data.clone());
    news.tell_party(tx, deps, "market.won", buyer, data)?;
    deal.tell(tx, deps, &mut news)?;
    news.record(tx, now_us)?;
    Ok(PurchaseView {
        sale_id: sale.id,
        parcel: sale.land.parcel.token(),
        buyer_id: buyer.owner_id,
        seller_id: sale.seller.owner_id,
        currency: sale.currency.clone(),
        price_minor: paid_minor,
        posting_id,
        at: timestamp(now_us),
    })
}

fn end_unsold(
    tx: &mut Tx<'_>,
    deps: &Deps,
    mut sale: Sale,
    bidders: Vec<Bidder>,
    now_us: i64,
) -> Result<(), Refusal> {
    let state = sale.state.after(sale.kind, SaleEvent::EndUnsold);
    let state = state.ok_or(Refusal::NotOpen { state: sale.state })?;
    let asset = deps.terms.asset(&sale.currency)?;
    let balances: Vec<_> = bidders
        .iter()
        .filter(|it| it.hold_id.is_some())
        .map(|it| (ledger::AccountRef::Wallet(it.party.owner_id), asset.clone()))
        .collect();
    wallet::take_balances(tx, &balances, now_us)?;
    let mut news = News::default();
    free(tx, deps, &mut news, &sale, bidders, now_us)?;
    sales::close(tx, sale.id, state, now_us)?;
    auctions::close(tx, sale.id)?;
    land::release(tx, sale.land.parcel, sale.id)?;
    sale.state = state;
    let mut data = news::of_sale(&sale);
    data["state"] = json!(state.code());
    news.near("market.auction_closed", &sale.land, data.clone());
    news.tell_party(tx, deps, "market.unsold", sale.seller, data)?;
    news.record(tx, now_us)?;
    Ok(())
}

/// Releases what is still held of bidders. The caller has taken their balances.
pub(crate) fn free(
    tx: &mut Tx<'_>,
    deps: &Deps,
    news: &mut News,
    sale: &Sale,
    bidders: Vec<Bidder>,
    now_us: i64,
) -> Result<(), Refusal> {
    for bidder in bidders {
        let Some(hold_id) = bidder.hold_id else { continue };
        wallet::void_hold(tx, hold_id, now_us)?;
        auctions::free_bidder(tx, sale.id, bidder.party.owner_id)?;
        let money = HeldMoney {
            hold_id,
            currency: &sale.currency,
            amount_minor: bidder.max_minor,
            reason: ("auction_id", sale.id),
        };
        news.held_money(tx, deps, "wallet.released", bidder.party, money)?;
    }
    Ok(())
}

/// Tells bidders and watchers, once, that the end is near; `false` if it was told or is no longer so.
pub(crate) fn give_notice(tx: &mut Tx<'_>, deps: &Deps, auction_id: Uuid) -> Result<bool, Refusal> {
    let Some(sale) = sales::take(tx, auction_id)? else { return Ok(false) };
    let now_us = deps.clock.now_us();
    if !auctions::take_notice(tx, auction_id)? || sale.state != SaleState::Open {
        return Ok(false);
    }
    let mut told = watches::watchers(tx, sale.land.parcel, news::WATCHERS_TOLD_MAX)?;
    let bidders = auctions::bidders(tx, auction_id)?;
    // The newest come first: they are those who still want it.
    for bidder in bidders.iter().rev().take(news::WATCHERS_TOLD_MAX as usize / 2) {
        told.extend(deps.acting.told(tx, bidder.party)?);
    }
    let mut news = News::default();
    news.to("market.auction_ending", told.into_iter().take(200), news::of_sale(&sale));
    news.record(tx, now_us)?;
    Ok(true)
}

/// Writes the price that a Dutch auction has fallen to, for lists and maps; `false` if it has not fallen.
pub(crate) fn fall(tx: &mut Tx<'_>, deps: &Deps, auction_id: Uuid) -> Result<bool, Refusal> {
    let Some(mut sale) = sales::take(tx, auction_id)? else { return Ok(false) };
    if sale.state != SaleState::Open || sale.kind != SaleKind::Dutch {
        return Ok(false);
    }
    let now_us = deps.clock.now_us();
    let schedule = auctions::find(tx, auction_id)?.schedule(&sale)?;
    let price_minor = schedule.price_minor(now_us);
    auctions::fall(tx, auction_id, schedule.falls_at_us(now_us))?;
    // A clock set back does not raise a price that was shown.
    if price_minor >= sale.price_minor {
        return Ok(false);
    }
    sale.price_minor = price_minor;
    sales::change(tx, auction_id, price_minor, sale.ends_at_us)?;
    crate::listing::show(tx, &sale)?;
    Ok(true)
}
