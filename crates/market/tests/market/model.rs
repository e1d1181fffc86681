//! The market once more, plainly: a few vectors in memory, one thing after the other, no SQL, no holds, no batches.
//! What is held is not kept but added up from what it is held for; the price of an English auction is not kept but
//! worked out from the list of its bids.

use std::collections::BTreeMap;

use uuid::Uuid;
use wallet::Economy;

use crate::world::{DAY_US, SECOND_US, account, group};

/// Groups' leaders: players 1 and 2.
pub(crate) const LEADERS: [u128; 2] = [1, 2];
const SOFT_CLOSE_US: i64 = 120 * SECOND_US;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Fixed,
    English,
    Dutch,
    Sealed,
}

/// What a client asks for. Sales and offers are named by their place in the model; one beyond the last is none.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    List { lot: u32, price: i64, days: i64 },
    Change { sale: usize, price: i64 },
    CancelListing { sale: usize },
    Buy { sale: usize, price: i64, as_group: bool },
    Open { lot: u32, kind: Kind, start: i64, reserve: Option<i64>, duration_s: i64, cap_s: Option<i64> },
    CancelAuction { sale: usize },
    Bid { sale: usize, max: i64, as_group: bool },
    Accept { sale: usize, price: i64, as_group: bool },
    Offer { lot: u32, price: i64, days: i64, as_group: bool },
    AcceptOffer { offer: usize },
    DeclineOffer { offer: usize },
    WithdrawOffer { offer: usize },
}

#[derive(Clone, Debug)]
pub(crate) struct Sale {
    pub(crate) id: Uuid,
    pub(crate) kind: Kind,
    pub(crate) state: &'static str,
    pub(crate) lot: u32,
    pub(crate) seller: Uuid,
    /// Of a listing the price; once sold what was paid.
    pub(crate) price: i64,
    pub(crate) opened_at: i64,
    pub(crate) ends_at: i64,
    start: i64,
    reserve: Option<i64>,
    latest_end: i64,
    /// All bids that were taken.
    bids: Vec<(Uuid, i64)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) id: Uuid,
    pub(crate) state: &'static str,
    lot: u32,
    owner: Uuid,
    buyer: Uuid,
    price: i64,
    expires_at: i64,
}

/// Status and problem code.
pub(crate) type Outcome = (u16, &'static str);

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) now: i64,
    pub(crate) coins: BTreeMap<Uuid, i64>,
    pub(crate) owners: BTreeMap<u32, Uuid>,
    pub(crate) sales: Vec<Sale>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) fees: i64,
    pub(crate) taxes: i64,
}

/// How the price of every Dutch auction here falls: by a tenth of the start every ten minutes, to a fifth of it.
pub(crate) fn fall(start: i64) -> (i64, i64, i64) {
    ((start / 5).max(1), (start / 10).max(1), 600)
}

fn step_at(price: i64) -> i64 {
    Economy::embedded().currency("coin").expect("coins are there").increment_at(price)
}

impl Sale {
    fn leader(&self) -> Option<(Uuid, i64)> {
        best_two(&self.bids).first().copied()
    }

    /// What everybody sees.
    pub(crate) fn visible(&self, now: i64) -> i64 {
        match self.kind {
            Kind::English if self.state != "sold" => {
                let mut price = self.start;
                for count in 1..=self.bids.len() {
                    let before = best_two(&self.bids[..count - 1]);
                    let after = best_two(&self.bids[..count]);
                    let is_own_raise = before.first().is_some_and(|it| it.0 == self.bids[count - 1].0);
                    if let (false, Some(second)) = (is_own_raise, after.get(1)) {
                        price = after[0].1.min(second.1 + step_at(second.1));
                    }
                    if let Some(reserve) = self.reserve.filter(|it| after[0].1 >= *it) {
                        price = price.max(reserve);
                    }
                }
                price
            }
            Kind::Dutch if self.state == "open" => {
                let (floor, step, step_s) = fall(self.start);
                let steps = (now - self.opened_at).max(0) / (step_s * SECOND_US);
                (self.start - steps * step).max(floor)
            }
            _ => self.price,
        }
    }

    /// Who is bound to what.
    fn held(&self) -> Vec<(Uuid, i64)> {
        match self.kind {
            _ if self.state != "open" => Vec::new(),
            Kind::English => self.leader().into_iter().collect(),
            Kind::Sealed => best_two(&self.bids),
            Kind::Fixed | Kind::Dutch => Vec::new(),
        }
    }

    fn bound(&self, bidder: Uuid) -> i64 {
        self.held().into_iter().find(|it| it.0 == bidder).map_or(0, |it| it.1)
    }
}

/// The best bid of each bidder, the highest and earliest first.
fn best_two(bids: &[(Uuid, i64)]) -> Vec<(Uuid, i64)> {
    let mut best: Vec<(Uuid, i64, usize)> = Vec::new();
    for (at, (bidder, max)) in bids.iter().enumerate() {
        best.retain(|it| it.0 != *bidder);
        best.push((*bidder, *max, at));
    }
    best.sort_by_key(|it| (-it.1, it.2));
    best.into_iter().map(|it| (it.0, it.1)).collect()
}

pub(crate) fn acts(owner: Uuid, number: u128) -> bool {
    owner == account(number) || (owner == group(1) && LEADERS.contains(&number))
}

fn party(number: u128, as_group: bool) -> Uuid {
    if as_group { group(1) } else { account(number) }
}

/// Whether that would be buying one's own.
fn is_own(seller: Uuid, buyer: Uuid, number: u128) -> bool {
    let through_group =
        seller != group(1) && buyer == group(1) && LEADERS.iter().any(|it| account(*it) == seller);
    seller == buyer || acts(seller, number) || through_group
}

impl Model {
    pub(crate) fn held(&self, owner: Uuid) -> i64 {
        let of_sales = self.sales.iter().map(|it| it.bound(owner)).sum::<i64>();
        let open = self.offers.iter().filter(|it| it.state == "open" && it.buyer == owner);
        of_sales + open.map(|it| it.price).sum::<i64>()
    }

    fn available(&self, owner: Uuid) -> i64 {
        self.coins.get(&owner).copied().unwrap_or(0) - self.held(owner)
    }

    fn open_sale_of(&self, lot: u32) -> Option<usize> {
        self.sales.iter().position(|it| it.lot == lot && it.state == "open")
    }

    /// Land for money.
    fn exchange(&mut self, lot: u32, buyer: Uuid, price: i64) {
        let seller = self.owners.insert(lot, buyer).expect("sold land had an owner");
        let (fee, tax) = (price * 250 / 10_000, price * 100 / 10_000);
        *self.coins.entry(buyer).or_default() -= price;
        *self.coins.entry(seller).or_default() += price - fee - tax;
        self.fees += fee;
        self.taxes += tax;
        for offer in self.offers.iter_mut().filter(|it| it.lot == lot && it.state == "open") {
            offer.state = "lapsed";
        }
    }

    fn sell(&mut self, sale: usize, buyer: Uuid, price: i64) {
        self.sales[sale].state = "sold";
        self.sales[sale].price = price;
        self.exchange(self.sales[sale].lot, buyer, price);
    }

    /// Ends what is due.
    pub(crate) fn run_due(&mut self) {
        for at in 0..self.sales.len() {
            let sale = &self.sales[at];
            if sale.state != "open" || sale.ends_at > self.now {
                continue;
            }
            let best = best_two(&sale.bids);
            let least = sale.reserve.unwrap_or(sale.start).max(sale.start);
            let won = best.first().filter(|it| it.1 >= sale.reserve.unwrap_or(0));
            match (sale.kind, won) {
                (Kind::Fixed, _) => self.sales[at].state = "expired",
                (Kind::English, Some(&(winner, _))) => {
                    let price = sale.visible(self.now);
                    self.sell(at, winner, price);
                }
                (Kind::Sealed, Some(&(winner, _))) => {
                    let price = best.get(1).map_or(least, |it| it.1.max(least));
                    self.sell(at, winner, price);
                }
                _ => {
                    self.sales[at].price = sale.visible(self.now);
                    self.sales[at].state = "unsold";
                }
            }
        }
        for offer in self.offers.iter_mut().filter(|it| it.state == "open" && it.expires_at <= self.now) {
            offer.state = "expired";
        }
    }

    /// What must become of a request, and what it does; `id` is that of what it makes.
    pub(crate) fn apply(&mut self, number: u128, op: &Op, id: Uuid) -> Outcome {
        self.decide(number, op, id).unwrap_or_else(|refusal| refusal)
    }

    fn decide(&mut self, number: u128, op: &Op, id: Uuid) -> Result<Outcome, Outcome> {
        match *op {
            Op::List { lot, price, days } => {
                let seller = self.put_up(number, lot)?;
                self.add(id, Kind::Fixed, lot, seller, price, days * DAY_US);
                Ok((201, ""))
            }
            Op::Open { lot, kind, start, reserve, duration_s, cap_s } => {
                let seller = self.put_up(number, lot)?;
                self.add(id, kind, lot, seller, start, duration_s * SECOND_US);
                let sale = self.sales.last_mut().expect("it was just added");
                sale.reserve = reserve;
                sale.latest_end = cap_s.map_or(i64::MAX, |it| sale.ends_at + it * SECOND_US);
                Ok((201, ""))
            }
            Op::Change { sale, price } => {
                self.own_listing(number, sale)?;
                self.sales[sale].price = price;
                Ok((200, ""))
            }
            Op::CancelListing { sale } => {
                self.own_listing(number, sale)?;
                self.sales[sale].state = "cancelled";
                Ok((200, ""))
            }
            Op::Buy { sale, price, as_group } => {
                let buyer = party(number, as_group);
                let found = self.listing(sale)?;
                require(acts(buyer, number), (403, "may_not_act"))?;
                require(found.state == "open" && self.now < found.ends_at, (409, "not_open"))?;
                require(!is_own(found.seller, buyer, number), (422, "own_land"))?;
                require(found.price == price, (409, "price_changed"))?;
                require(self.available(buyer) >= price, (422, "insufficient_funds"))?;
                self.sell(sale, buyer, price);
                Ok((200, ""))
            }
            Op::CancelAuction { sale } => {
                let found = self.auction(sale)?;
                require(acts(found.seller, number), (403, "not_owner"))?;
                self.running(sale)?;
                require(self.sales[sale].bids.is_empty(), (409, "has_bids"))?;
                self.sales[sale].price = self.sales[sale].visible(self.now);
                self.sales[sale].state = "cancelled";
                Ok((200, ""))
            }
            Op::Bid { sale, max, as_group } => self.bid(number, sale, max, as_group),
            Op::Accept { sale, price, as_group } => {
                let buyer = party(number, as_group);
                let found = self.auction(sale)?.clone();
                require(acts(buyer, number), (403, "may_not_act"))?;
                require(found.kind == Kind::Dutch, (409, "wrong_kind"))?;
                self.running(sale)?;
                require(!is_own(found.seller, buyer, number), (422, "own_land"))?;
                let pays = found.visible(self.now);
                require(pays <= price, (409, "price_changed"))?;
                require(self.available(buyer) >= pays, (422, "insufficient_funds"))?;
                self.sell(sale, buyer, pays);
                Ok((200, ""))
            }
            Op::Offer { lot, price, days, as_group } => {
                let buyer = party(number, as_group);
                let owner = *self.owners.get(&lot).ok_or((409, "not_owned"))?;
                require(acts(buyer, number), (403, "may_not_act"))?;
                require(!is_own(owner, buyer, number), (422, "own_land"))?;
                let has =
                    self.offers.iter().any(|it| it.lot == lot && it.buyer == buyer && it.state == "open");
                require(!has, (409, "offer_exists"))?;
                require(self.available(buyer) >= price, (422, "insufficient_funds"))?;
                let expires_at = self.now + days * DAY_US;
                self.offers.push(Offer { id, state: "open", lot, owner, buyer, price, expires_at });
                Ok((201, ""))
            }
            Op::AcceptOffer { offer } => {
                let Offer { lot, buyer, price, .. } = self.open_offer(number, offer, true)?;
                if let Some(sale) = self.open_sale_of(lot) {
                    require(self.sales[sale].kind == Kind::Fixed, (409, "encumbered"))?;
                    self.sales[sale].state = "cancelled";
                }
                self.offers[offer].state = "accepted";
                self.exchange(lot, buyer, price);
                Ok((200, ""))
            }
            Op::DeclineOffer { offer } => {
                self.open_offer(number, offer, true)?;
                self.offers[offer].state = "declined";
                Ok((200, ""))
            }
            Op::WithdrawOffer { offer } => {
                self.open_offer(number, offer, false)?;
                self.offers[offer].state = "withdrawn";
                Ok((200, ""))
            }
        }
    }

    /// Notes that something was made, without asking whether it could be.
    pub(crate) fn remember(&mut self, number: u128, op: &Op, id: Uuid) {
        match *op {
            Op::List { lot, price, days } => {
                self.add(id, Kind::Fixed, lot, account(number), price, days * DAY_US);
            }
            Op::Open { lot, kind, start, duration_s, .. } => {
                self.add(id, kind, lot, account(number), start, duration_s * SECOND_US);
            }
            Op::Offer { lot, price, days, as_group } => {
                let (owner, buyer) = (account(number), party(number, as_group));
                let expires_at = self.now + days * DAY_US;
                self.offers.push(Offer { id, state: "open", lot, owner, buyer, price, expires_at });
            }
            _ => {}
        }
    }

    fn put_up(&self, number: u128, lot: u32) -> Result<Uuid, Outcome> {
        let owner = *self.owners.get(&lot).ok_or((409, "not_owned"))?;
        require(acts(owner, number), (403, "not_owner"))?;
        require(self.open_sale_of(lot).is_none(), (409, "encumbered"))?;
        Ok(owner)
    }

    fn add(&mut self, id: Uuid, kind: Kind, lot: u32, seller: Uuid, price: i64, duration: i64) {
        let ends_at = self.now + duration;
        self.sales.push(Sale {
            id,
            kind,
            state: "open",
            lot,
            seller,
            price,
            opened_at: self.now,
            ends_at,
            start: price,
            reserve: None,
            latest_end: i64::MAX,
            bids: Vec::new(),
        });
    }

    fn listing(&self, sale: usize) -> Result<&Sale, Outcome> {
        let found = self.sales.get(sale).filter(|it| it.kind == Kind::Fixed);
        found.ok_or((404, "listing_not_found"))
    }

    fn own_listing(&self, number: u128, sale: usize) -> Result<(), Outcome> {
        let found = self.listing(sale)?;
        require(acts(found.seller, number), (403, "not_owner"))?;
        require(found.state == "open" && self.now < found.ends_at, (409, "not_open"))
    }

    fn auction(&self, sale: usize) -> Result<&Sale, Outcome> {
        let found = self.sales.get(sale).filter(|it| it.kind != Kind::Fixed);
        found.ok_or((404, "auction_not_found"))
    }

    fn running(&self, sale: usize) -> Result<(), Outcome> {
        let found = &self.sales[sale];
        require(found.state != "cancelled", (409, "not_open"))?;
        require(found.state == "open" && self.now < found.ends_at, (409, "auction_ended"))
    }

    fn bid(&mut self, number: u128, sale: usize, max: i64, as_group: bool) -> Result<Outcome, Outcome> {
        let bidder = party(number, as_group);
        let found = self.auction(sale)?.clone();
        require(acts(bidder, number), (403, "may_not_act"))?;
        require(found.kind != Kind::Dutch, (409, "wrong_kind"))?;
        self.running(sale)?;
        require(!is_own(found.seller, bidder, number), (422, "own_land"))?;
        let bound = found.bound(bidder);
        let before = found.visible(self.now);
        if bound > 0 {
            require(max > bound, (422, "bid_not_higher"))?;
        } else {
            let is_first = found.kind == Kind::Sealed || found.bids.is_empty();
            let least = if is_first { found.start } else { before + step_at(before) };
            require(max >= least, (422, "bid_too_low"))?;
        }
        require(self.available(bidder) >= max - bound, (422, "insufficient_funds"))?;
        let now = self.now;
        let sale = &mut self.sales[sale];
        sale.bids.push((bidder, max));
        let counts = sale.kind == Kind::English && (bound == 0 || sale.visible(now) != before);
        if counts {
            sale.ends_at = sale.ends_at.max((now + SOFT_CLOSE_US).min(sale.latest_end));
        }
        Ok((201, ""))
    }

    fn open_offer(&self, number: u128, offer: usize, by_owner: bool) -> Result<Offer, Outcome> {
        let found = self.offers.get(offer).ok_or((404, "offer_not_found"))?;
        let (is_owner, is_buyer) = (acts(found.owner, number), acts(found.buyer, number));
        require(is_owner || is_buyer, (404, "offer_not_found"))?;
        require(if by_owner { is_owner } else { is_buyer }, (403, "not_owner"))?;
        require(found.state == "open" && self.now < found.expires_at, (409, "not_open"))?;
        Ok(found.clone())
    }
}

fn require(is_so: bool, refusal: Outcome) -> Result<(), Outcome> {
    if is_so { Ok(()) } else { Err(refusal) }
}
