//! What the market keeps about persons, and how it is ended by the rules when one of them goes.

use std::sync::Arc;

use api::Caller;
use privacy::{Archive, Consequence, Erased, Form, Listing, OwnersOf, PersonalData, Settled, Stuck};
use store::{Tx, params};
use uuid::Uuid;

use crate::refusal::Refusal;
use crate::{MarketService, auctioning, listing, offering};

/// Sales and offers that are ended in one transaction.
const BATCH: i64 = 20;
/// What has ended and waits for the worker is looked at again after this.
const SOON_US: i64 = 60 * 1_000_000;

store::statements! {
    /// What somebody has put up and nobody has bid for.
    OPEN_SALES = "select s.sale_id, s.kind, s.ends_at from sales s left join auctions a on a.auction_id = s.sale_id \
                  where s.seller_id = $1 and s.state = 'open' and coalesce(a.bid_count, 0) = 0 and s.ends_at > $2 \
                  order by s.sale_id limit $3";
    /// The next end of what runs on: their auctions with bids, auctions they have bid in, what the worker has to end.
    RUNS_ON = "select min(ends_at) from sales s where s.state = 'open' and (s.seller_id = $1 or exists \
               (select 1 from bidders b where b.auction_id = s.sale_id and b.bidder_id = $1 and b.hold_id is not null))";
    /// Offers by or to somebody that are open.
    OPEN_OFFERS = "select offer_id, owner_id from offers where state = 'open' and expires_at > $2 \
                   and (buyer_id = $1 or owner_id = $1) order by offer_id limit $3";
    /// Whether the worker has still to end offers of theirs.
    ENDED_OFFERS = "select count(*) from offers where state = 'open' and expires_at <= $2 \
                    and (buyer_id = $1 or owner_id = $1)";
    /// How much of each there is: listings and auctions without bids, auctions with bids, bids that lead or may win.
    COUNTS = "select (select count(*) from sales s left join auctions a on a.auction_id = s.sale_id \
              where s.seller_id = $1 and s.state = 'open' and coalesce(a.bid_count, 0) = 0), \
              (select count(*) from sales s join auctions a on a.auction_id = s.sale_id \
              where s.seller_id = $1 and s.state = 'open' and a.bid_count > 0), \
              (select count(*) from bidders b join sales s on s.sale_id = b.auction_id \
              where b.bidder_id = $1 and b.hold_id is not null and s.state = 'open'), \
              (select count(*) from offers where buyer_id = $1 and state = 'open')";
    /// What was said with offers.
    FORGET_MESSAGES = "update offers set message = null where (buyer_id = $1 or placed_by = $1) and message is not null";
    /// What was watched.
    FORGET_WATCHES = "delete from watches where account_id = $1";
    SOLD = "select sale_id, kind, state, parcel_id, currency, price_minor, opened_at, ends_at, closed_at, area_m2 \
            from sales where seller_id = $1 order by sale_id limit $2 offset $3";
    BOUGHT = "select sale_id, kind, parcel_id, currency, price_minor, closed_at, area_m2 \
              from sales where buyer_id = $1 order by sale_id limit $2 offset $3";
    AUCTIONS = "select a.auction_id, a.start_minor, a.reserve_minor, a.first_ends_at, a.bid_count \
                from auctions a join sales s on s.sale_id = a.auction_id where s.seller_id = $1 \
                order by a.auction_id limit $2 offset $3";
    BIDS = "select auction_id, bid_number, placed_at, max_minor, price_minor from bids \
            where bidder_id = $1 or placed_by = $1 order by auction_id, bid_number limit $2 offset $3";
    OFFERS_MADE = "select offer_id, state, parcel_id, currency, price_minor, message, made_at, expires_at, decided_at \
                   from offers where buyer_id = $1 or placed_by = $1 order by offer_id limit $2 offset $3";
    OFFERS_RECEIVED = "select offer_id, state, parcel_id, currency, price_minor, made_at, expires_at, decided_at \
                       from offers where owner_id = $1 order by offer_id limit $2 offset $3";
    WATCHES = "select parcel_id, since from watches where account_id = $1 order by parcel_id limit $2 offset $3";
}

const LISTINGS: &[Listing] = &[
    Listing {
        file: "market",
        kind: "sale",
        sql: SOLD,
        columns: &[
            ("sale_id", Form::Id),
            ("way", Form::Text),
            ("state", Form::Text),
            ("parcel", Form::Cell),
            ("currency", Form::Text),
            ("price_minor", Form::Number),
            ("opened_at", Form::Time),
            ("ends_at", Form::Time),
            ("closed_at", Form::Time),
            ("area_m2", Form::Real),
        ],
    },
    Listing {
        file: "market",
        kind: "purchase",
        sql: BOUGHT,
        columns: &[
            ("sale_id", Form::Id),
            ("way", Form::Text),
            ("parcel", Form::Cell),
            ("currency", Form::Text),
            ("price_minor", Form::Number),
            ("closed_at", Form::Time),
            ("area_m2", Form::Real),
        ],
    },
    Listing {
        file: "market",
        kind: "auction",
        sql: AUCTIONS,
        columns: &[
            ("auction_id", Form::Id),
            ("start_minor", Form::Number),
            ("reserve_minor", Form::Number),
            ("first_ends_at", Form::Time),
            ("bid_count", Form::Number),
        ],
    },
    Listing {
        file: "bids",
        kind: "bid",
        sql: BIDS,
        columns: &[
            ("auction_id", Form::Id),
            ("bid_number", Form::Number),
            ("placed_at", Form::Time),
            ("max_minor", Form::Number),
            ("price_minor", Form::Number),
        ],
    },
    Listing {
        file: "market",
        kind: "offer_made",
        sql: OFFERS_MADE,
        columns: &[
            ("offer_id", Form::Id),
            ("state", Form::Text),
            ("parcel", Form::Cell),
            ("currency", Form::Text),
            ("price_minor", Form::Number),
            ("message", Form::Text),
            ("made_at", Form::Time),
            ("expires_at", Form::Time),
            ("decided_at", Form::Time),
        ],
    },
    Listing {
        file: "market",
        kind: "offer_received",
        sql: OFFERS_RECEIVED,
        columns: &[
            ("offer_id", Form::Id),
            ("state", Form::Text),
            ("parcel", Form::Cell),
            ("currency", Form::Text),
            ("price_minor", Form::Number),
            ("made_at", Form::Time),
            ("expires_at", Form::Time),
            ("decided_at", Form::Time),
        ],
    },
    Listing {
        file: "market",
        kind: "watch",
        sql: WATCHES,
        columns: &[("parcel", Form::Cell), ("since", Form::Time)],
    },
];

/// Sales, bids, offers, watches.
pub struct Personal {
    market: Arc<MarketService>,
    owners: OwnersOf,
}

impl Personal {
    /// `owners` gives the account and what is owned through it alone.
    pub fn new(market: Arc<MarketService>, owners: OwnersOf) -> Self {
        Self { market, owners }
    }

    fn settle_owner(
        &self,
        tx: &mut Tx<'_>,
        account_id: Uuid,
        owner_id: Uuid,
        now_us: i64,
    ) -> Result<Settled, Refusal> {
        let (deps, caller) = (self.market.deps(), Caller::player(account_id));
        let offers = tx.query(OPEN_OFFERS, params![owner_id, now_us, BATCH])?;
        for row in &offers {
            let (offer_id, to): (Uuid, Uuid) = (row.get(0)?, row.get(1)?);
            if to == owner_id {
                offering::decline(tx, deps, caller, offer_id)?;
            } else {
                offering::withdraw(tx, deps, caller, offer_id)?;
            }
        }
        let sales = tx.query(OPEN_SALES, params![owner_id, now_us, BATCH])?;
        for row in &sales {
            let (sale_id, kind): (Uuid, String) = (row.get(0)?, row.get(1)?);
            if kind == "fixed" {
                listing::cancel(tx, deps, caller, sale_id)?;
            } else {
                auctioning::cancel(tx, deps, caller, sale_id)?;
            }
        }
        if !offers.is_empty() || !sales.is_empty() {
            return Ok(Settled::More);
        }
        let soon_us = now_us.saturating_add(SOON_US);
        if tx.query_one(ENDED_OFFERS, params![owner_id, now_us])?.get::<i64>(0)? > 0 {
            return Ok(Settled::Waits { what: "offers", until_us: soon_us });
        }
        let runs_on: Option<i64> = tx.query_one(RUNS_ON, params![owner_id])?.get(0)?;
        Ok(runs_on.map_or(Settled::Done, |ends_us| Settled::Waits {
            what: "auctions",
            until_us: ends_us.saturating_add(SOON_US / 30).max(now_us.saturating_add(SOON_US / 30)),
        }))
    }
}

impl PersonalData for Personal {
    fn domain(&self) -> &'static str {
        "market"
    }

    fn export(&self, tx: &mut Tx<'_>, account_id: Uuid, out: &mut Archive) -> Result<(), store::Error> {
        out.leave_out("who bought, sold, bid or offered on the other side", "data of other people");
        LISTINGS.iter().try_for_each(|it| out.list(tx, account_id, it))
    }

    fn consequences(&self, tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Consequence>, store::Error> {
        let mut sums = [0i64; 4];
        for owner_id in (self.owners)(tx, account_id)? {
            let row = tx.query_one(COUNTS, params![owner_id])?;
            for (column, sum) in sums.iter_mut().enumerate() {
                *sum += row.get::<i64>(column)?;
            }
        }
        let codes = ["listings_cancelled", "auctions_run_on", "bids_stand", "offers_withdrawn"];
        Ok(codes.into_iter().zip(sums).filter_map(|(code, count)| Consequence::of(code, count)).collect())
    }

    fn settle(&self, tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Settled, Stuck> {
        let mut settled = Settled::Done;
        for owner_id in (self.owners)(tx, account_id)? {
            match self.settle_owner(tx, account_id, owner_id, now_us) {
                Ok(Settled::Done) => {}
                Ok(Settled::More) => return Ok(Settled::More),
                Ok(waits @ Settled::Waits { .. }) => settled = waits,
                Err(Refusal::Store(error)) => return Err(error.into()),
                Err(refusal) => return Err(Stuck::Refused(refusal.to_string())),
            }
        }
        Ok(settled)
    }

    fn erase(&self, tx: &mut Tx<'_>, account_id: Uuid, _: i64) -> Result<Erased, store::Error> {
        tx.execute(FORGET_MESSAGES, params![account_id])?;
        tx.execute(FORGET_WATCHES, params![account_id])?;
        Ok(Erased::Done)
    }
}
