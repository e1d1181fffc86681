//! Auctions while they run: putting up, bidding, accepting, taking back.

use api::Caller;
use cell::CellId;
use land::EncumbranceKind;
use ledger::{AccountRef, AssetId};
use serde_json::json;
use store::Tx;
use uuid::Uuid;
use wallet::{HoldKind, HoldRequest};

use crate::auctions::{self, Agenda, Auction, Bid, Bidder, Fall};
use crate::closing;
use crate::deal::minor;
use crate::deps::Deps;
use crate::listing::{self, Putting};
use crate::news::{self, HeldMoney, News};
use crate::on_record;
use crate::refusal::{Refusal, Subject};
use crate::rules::BidRefusal;
use crate::rules::dutch::AcceptRefusal;
use crate::rules::english::Effect;
use crate::rules::is_open_at;
use crate::rules::state::{SaleEvent, SaleKind, SaleState};
use crate::sales::{self, Sale};
use crate::service::{Actor, Done};
use crate::show::Viewer;

/// How long before its end bidders and watchers are told of it; of a shorter auction a tenth of its time.
const NOTICE_US: i64 = 15 * 60 * 1_000_000;

/// An auction that is asked for. Amounts and times are checked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NewAuction {
    pub(crate) parcel: CellId,
    pub(crate) currency: String,
    pub(crate) kind: SaleKind,
    pub(crate) start_minor: i64,
    pub(crate) reserve_minor: Option<i64>,
    pub(crate) duration_us: i64,
    /// How far bids may move the end; any distance if absent.
    pub(crate) extension_max_us: Option<i64>,
    /// Of a Dutch auction.
    pub(crate) fall: Option<Fall>,
}

pub(crate) fn open(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    asked: &NewAuction,
) -> Result<Done, Refusal> {
    deps.terms.asset(&asked.currency)?;
    let Putting { sale_id, seller, land } =
        listing::put_up(tx, deps, caller, asked.parcel, EncumbranceKind::Auction)?;
    let now_us = deps.clock.now_us();
    let ends_at_us = now_us.saturating_add(asked.duration_us);
    let sale = Sale {
        id: sale_id,
        kind: asked.kind,
        state: SaleState::Open,
        land,
        seller,
        currency: asked.currency.clone(),
        price_minor: asked.start_minor,
        opened_at_us: now_us,
        ends_at_us,
        closed_at_us: None,
        buyer_id: None,
    };
    let auction = Auction {
        start_minor: asked.start_minor,
        reserve_minor: asked.reserve_minor,
        first_ends_at_us: ends_at_us,
        latest_end_us: asked.extension_max_us.map(|it| ends_at_us.saturating_add(it)),
        soft_close_us: deps.terms.economy.market.soft_close_s * 1_000_000,
        extension_count: 0,
        bid_count: 0,
        bidder_count: 0,
        leader: None,
        fall: asked.fall,
    };
    let falls_at_us = match asked.fall {
        Some(_) => auction.schedule(&sale)?.falls_at_us(now_us),
        None => None,
    };
    let notice_at_us = Some(ends_at_us - NOTICE_US.min(asked.duration_us / 10));
    sales::add(tx, &sale, caller.account_id, None)?;
    auctions::add(tx, sale_id, &auction, Agenda { falls_at_us, notice_at_us })?;
    listing::show(tx, &sale)?;
    on_record::auction_opened(tx, caller.account_id, &sale, &auction)?;
    let mut news = News::default();
    news.near("market.auction_opened", &sale.land, news::of_sale(&sale));
    news.to("market.watched_listed", news::watchers(tx, &sale.land)?, news::of_sale(&sale));
    news.record(tx, now_us)?;
    Ok(Done::created(&Viewer::new(deps, caller.account_id, now_us).auction(tx, &sale, &auction, None)?))
}

/// The auction, taken: until the transaction ends nobody else bids in it or ends it.
fn take(tx: &mut Tx<'_>, auction_id: Uuid) -> Result<(Sale, Auction), Refusal> {
    let sale = sales::take(tx, auction_id)?.filter(|it| it.kind.is_auction());
    let sale = sale.ok_or(Refusal::NotFound { what: Subject::Auction })?;
    Ok((sale, auctions::find(tx, auction_id)?))
}

/// Whether it takes bids: its state and, before the worker has come by, its end.
fn check_open(sale: &Sale, now_us: i64) -> Result<(), Refusal> {
    match sale.state {
        SaleState::Open if is_open_at(sale.ends_at_us, now_us) => Ok(()),
        SaleState::Open | SaleState::Sold | SaleState::Unsold => Err(Refusal::Ended),
        state => Err(Refusal::NotOpen { state }),
    }
}

/// Nobody bids for land that staff have frozen. It is taken, so that it is not frozen in between.
fn check_thawed(tx: &mut Tx<'_>, sale: &Sale) -> Result<(), Refusal> {
    let facts = land::take(tx, sale.land.parcel)?;
    if facts.is_some_and(|it| it.frozen_at_us.is_some()) { Err(Refusal::Frozen) } else { Ok(()) }
}

pub(crate) fn cancel(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: Caller,
    auction_id: Uuid,
) -> Result<Done, Refusal> {
    let (mut sale, auction) = take(tx, auction_id)?;
    if !deps.acting.is_allowed(tx, sale.seller, caller.account_id)? {
        return Err(Refusal::NotOwner);
    }
    let now_us = deps.clock.now_us();
    check_open(&sale, now_us)?;
    let event = SaleEvent::Cancel { has_bids: auction.bid_count > 0 };
    let state = sale.state.after(sale.kind, event).ok_or(Refusal::HasBids)?;
    sales::close(tx, auction_id, state, now_us)?;
    auctions::close(tx, auction_id)?;
    land::release(tx, sale.land.parcel, auction_id)?;
    (sale.state, sale.closed_at_us) = (state, Some(now_us));
    let mut news = News::default();
    let mut data = news::of_sale(&sale);
    data["state"] = json!(state.code());
    news.near("market.auction_closed", &sale.land, data);
    news.record(tx, now_us)?;
    Ok(Done::changed(&Viewer::new(deps, caller.account_id, now_us).auction(tx, &sale, &auction, None)?))
}

/// A bid that is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewBid {
    pub(crate) auction_id: Uuid,
    pub(crate) max_minor: i64,
}

/// Takes a bid. The money is held before the bid counts; whoever is outbid by it is free in the same transaction.
pub(crate) fn bid(tx: &mut Tx<'_>, deps: &Deps, actor: Actor, asked: NewBid) -> Result<Done, Refusal> {
    let NewBid { auction_id, max_minor } = asked;
    let (mut sale, mut auction) = take(tx, auction_id)?;
    deps.acting.check(tx, actor.party, actor.account_id)?;
    // The place of a bid in the order is here: the auction is taken.
    let now_us = deps.clock.now_us();
    if sale.kind == SaleKind::Dutch {
        return Err(Refusal::WrongKind);
    }
    check_open(&sale, now_us)?;
    check_thawed(tx, &sale)?;
    deps.acting.check_strangers(tx, sale.seller, actor.party, actor.account_id)?;
    let own = auctions::find_bidder(tx, auction_id, actor.party.owner_id)?;
    let mut bidding = Bidding { deps, actor, now_us, max_minor, own, news: News::default() };
    let bidder = match sale.kind {
        SaleKind::English => bidding.english(tx, &mut sale, &mut auction)?,
        _ => bidding.sealed(tx, &sale, &mut auction)?,
    };
    bidding.news.record(tx, now_us)?;
    let mut viewer = Viewer::new(deps, actor.account_id, now_us);
    Ok(Done::created(&viewer.auction(tx, &sale, &auction, Some(&bidder))?))
}

/// A bid being taken.
struct Bidding<'a> {
    deps: &'a Deps,
    actor: Actor,
    now_us: i64,
    max_minor: i64,
    /// What the bidder is bound to so far.
    own: Option<Bidder>,
    news: News,
}

impl Bidding<'_> {
    fn english(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &mut Sale,
        auction: &mut Auction,
    ) -> Result<Bidder, Refusal> {
        let asset = self.deps.terms.asset(&sale.currency)?;
        let (terms, before) = auction.english(sale, self.deps.terms.increments(&sale.currency)?);
        let bidder_id = self.actor.party.owner_id;
        let (after, effect) = before.bid(&terms, bidder_id, self.max_minor, self.now_us)?;

        let mut bidder = self.next_bidder(auction);
        match effect {
            Effect::OwnRaise => self.raise_hold(tx, sale, &mut bidder)?,
            Effect::OutbidAtOnce => {
                // The money must have been there, or anybody could drive up the price with nothing.
                self.hold(tx, sale, &asset, &mut bidder)?;
                self.release(tx, sale, &mut bidder)?;
            }
            Effect::Leads { outbid: None } => self.hold(tx, sale, &asset, &mut bidder)?,
            Effect::Leads { outbid: Some(old) } => {
                let balances = [bidder_id, old.bidder_id].map(|it| (AccountRef::Wallet(it), asset.clone()));
                wallet::take_balances(tx, &balances, self.now_us)?;
                self.hold(tx, sale, &asset, &mut bidder)?;
                let outbid = auctions::find_bidder(tx, sale.id, old.bidder_id)?;
                let mut outbid = outbid.ok_or(store::Error::NoRow)?;
                self.release(tx, sale, &mut outbid)?;
                auctions::put_bidder(tx, sale.id, &outbid)?;
                let mut data = news::of_sale(sale);
                data["price_minor"] = json!(after.price_minor);
                data["ends_at"] = json!(api::timestamp(after.ends_at_us));
                self.news.tell_party(tx, self.deps, "market.outbid", outbid.party, data)?;
            }
        }
        auctions::put_bidder(tx, sale.id, &bidder)?;

        let is_extended = after.ends_at_us > before.ends_at_us;
        (sale.price_minor, sale.ends_at_us) = (after.price_minor, after.ends_at_us);
        (auction.leader, auction.extension_count) = (after.leader, after.extension_count);
        self.write_bid(tx, sale, auction, &bidder)?;
        if after != before {
            sales::change(tx, sale.id, sale.price_minor, sale.ends_at_us)?;
            listing::show(tx, sale)?;
        }
        // Nobody sees that a leader raised their own maximum.
        if effect != Effect::OwnRaise || after.price_minor != before.price_minor {
            let mut data = news::of_sale(sale);
            data["bid_count"] = json!(auction.bid_count);
            data["minimum_bid_minor"] = json!(after.minimum_minor(&terms));
            data["is_reserve_met"] = json!(after.is_reserve_met(&terms));
            data["extension_count"] = json!(auction.extension_count);
            self.news.near("market.bid_placed", &sale.land, data.clone());
            if is_extended {
                self.news.near("market.auction_extended", &sale.land, data);
            }
        }
        Ok(bidder)
    }

    fn sealed(&mut self, tx: &mut Tx<'_>, sale: &Sale, auction: &mut Auction) -> Result<Bidder, Refusal> {
        let asset = self.deps.terms.asset(&sale.currency)?;
        let own_minor = self.own.map(|it| it.max_minor);
        auction.sealed(sale).check(own_minor, self.max_minor, self.now_us)?;
        let mut bidder = self.next_bidder(auction);
        if bidder.hold_id.is_some() {
            self.raise_hold(tx, sale, &mut bidder)?;
        } else {
            self.hold(tx, sale, &asset, &mut bidder)?;
        }
        auctions::put_bidder(tx, sale.id, &bidder)?;
        self.write_bid(tx, sale, auction, &bidder)?;
        Ok(bidder)
    }

    /// The bidder as they are bound by this bid; the hold is that of the bid before.
    fn next_bidder(&self, auction: &mut Auction) -> Bidder {
        auction.bid_count += 1;
        let number = self.own.map_or_else(
            || {
                auction.bidder_count += 1;
                auction.bidder_count
            },
            |it| it.number,
        );
        Bidder {
            party: self.actor.party,
            number,
            max_minor: self.max_minor,
            bid_number: auction.bid_count,
            hold_id: self.own.and_then(|it| it.hold_id),
        }
    }

    fn write_bid(
        &self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        auction: &Auction,
        bidder: &Bidder,
    ) -> Result<(), store::Error> {
        let bid = Bid {
            number: bidder.bid_number,
            bidder_id: bidder.party.owner_id,
            bidder_number: bidder.number,
            placed_at_us: self.now_us,
            max_minor: self.max_minor,
            price_minor: sale.price_minor,
        };
        auctions::add_bid(tx, sale.id, &bid, self.actor.account_id)?;
        auctions::change(tx, sale.id, auction)
    }

    fn hold(
        &mut self,
        tx: &mut Tx<'_>,
        sale: &Sale,
        asset: &AssetId,
        bidder: &mut Bidder,
    ) -> Result<(), Refusal> {
        let request = HoldRequest {
            hold_id: Uuid::now_v7(),
            account_id: bidder.party.owner_id,
            asset: asset.clone(),
            amount: minor(bidder.max_minor),
            kind: HoldKind::Bid,
            reference: format!("auction:{}", sale.id),
            // It ends with the auction, whose end may move.
            expires_at_us: None,
        };
        wallet::hold(tx, &request, self.now_us)?;
        bidder.hold_id = Some(request.hold_id);
        self.tell_of_hold(tx, "wallet.held", sale, bidder, request.hold_id)
    }

    fn raise_hold(&mut self, tx: &mut Tx<'_>, sale: &Sale, bidder: &mut Bidder) -> Result<(), Refusal> {
        let hold_id = bidder.hold_id.ok_or_else(|| Refusal::Books("a bid without a hold".to_owned()))?;
        wallet::change_hold(tx, hold_id, minor(bidder.max_minor), self.now_us)?;
        self.tell_of_hold(tx, "wallet.held", sale, bidder, hold_id)
    }

    fn release(&mut self, tx: &mut Tx<'_>, sale: &Sale, bidder: &mut Bidder) -> Result<(), Refusal> {
        let hold_id = bidder.hold_id.ok_or_else(|| Refusal::Books("a bid without a hold".to_owned()))?;
        wallet::void_hold(tx, hold_id, self.now_us)?;
        self.tell_of_hold(tx, "wallet.released", sale, bidder, hold_id)?;
        bidder.hold_id = None;
        Ok(())
    }

    fn tell_of_hold(
        &mut self,
        tx: &mut Tx<'_>,
        kind: &'static str,
        sale: &Sale,
        bidder: &Bidder,
        hold_id: Uuid,
    ) -> Result<(), Refusal> {
        let money = HeldMoney {
            hold_id,
            currency: &sale.currency,
            amount_minor: bidder.max_minor,
            reason: ("auction_id", sale.id),
        };
        Ok(self.news.held_money(tx, self.deps, kind, bidder.party, money)?)
    }
}

/// Takes a Dutch auction's land for the price of the instant, at most `agreed_minor`.
pub(crate) fn accept(
    tx: &mut Tx<'_>,
    deps: &Deps,
    actor: Actor,
    auction_id: Uuid,
    agreed_minor: i64,
) -> Result<Done, Refusal> {
    let (sale, auction) = take(tx, auction_id)?;
    deps.acting.check(tx, actor.party, actor.account_id)?;
    let now_us = deps.clock.now_us();
    if sale.kind != SaleKind::Dutch {
        return Err(Refusal::WrongKind);
    }
    check_open(&sale, now_us)?;
    check_thawed(tx, &sale)?;
    deps.acting.check_strangers(tx, sale.seller, actor.party, actor.account_id)?;
    let paid_minor = auction.schedule(&sale)?.accept(agreed_minor, now_us)?;
    let by = audit::Actor::account(actor.account_id);
    let winner = closing::Winner { by, party: actor.party, hold_id: None, paid_minor };
    let bought = closing::settle(tx, deps, &sale, winner, Vec::new(), now_us)?;
    Ok(Done::changed(&bought))
}

impl From<BidRefusal> for Refusal {
    fn from(refusal: BidRefusal) -> Self {
        match refusal {
            BidRefusal::Ended => Self::Ended,
            BidRefusal::NotHigher { max_minor } => Self::BidNotHigher { max_minor },
            BidRefusal::BelowMinimum { minimum_minor } => Self::BidTooLow { minimum_minor },
        }
    }
}

impl From<AcceptRefusal> for Refusal {
    fn from(refusal: AcceptRefusal) -> Self {
        match refusal {
            AcceptRefusal::Ended => Self::Ended,
            AcceptRefusal::PriceHigher { price_minor } => Self::PriceChanged { price_minor },
        }
    }
}
