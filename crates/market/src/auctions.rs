//! Auctions in SQL: what they have beside their sale, who bids, and every bid.

use store::{Row, Tx, params};
use uuid::Uuid;

use crate::party::Party;
use crate::rules::dutch::Schedule;
use crate::rules::english::{Leader, Standing, Terms as EnglishTerms};
use crate::rules::increment::Increments;
use crate::rules::sealed::{SealedBid, Terms as SealedTerms};
use crate::sales::{self, Sale, damaged};

macro_rules! columns {
    () => {
        "a.start_minor, a.reserve_minor, a.first_ends_at, a.latest_end_at, a.soft_close_us, a.extension_count, \
         a.bid_count, a.bidder_count, a.leader_id, a.leader_max_minor, a.floor_minor, a.step_minor, a.step_us"
    };
}

macro_rules! bidder_columns {
    () => {
        "b.bidder_id, b.bidder_is_group, b.bidder_number, b.max_minor, b.bid_number, b.hold_id"
    };
}

store::statements! {
    /// What an auction has beside its sale.
    FIND = concat!("select ", columns!(), " from auctions a where a.auction_id = $1");
    /// A new auction.
    ADD = "insert into auctions (auction_id, start_minor, reserve_minor, first_ends_at, latest_end_at, soft_close_us, \
           extension_count, bid_count, bidder_count, floor_minor, step_minor, step_us, falls_at, notice_at) \
           values ($1, $2, $3, $4, $5, $6, 0, 0, 0, $7, $8, $9, $10, $11)";
    /// How it stands after a bid.
    CHANGE = "update auctions set extension_count = $2, bid_count = $3, bidder_count = $4, leader_id = $5, \
              leader_max_minor = $6 where auction_id = $1";
    /// Nothing more is due.
    CLOSE = "update auctions set falls_at = null, notice_at = null where auction_id = $1";
    /// The price has fallen.
    FALL = "update auctions set falls_at = $2 where auction_id = $1";
    /// The notice of the coming end is given; once.
    NOTICE = "update auctions set notice_at = null where auction_id = $1 and notice_at is not null";
    /// One of those who bid.
    FIND_BIDDER = concat!("select ", bidder_columns!(), " from bidders b where b.auction_id = $1 and b.bidder_id = $2");
    /// All who bid; their number is bounded by the bids that accounts may make in a day.
    BIDDERS = concat!("select ", bidder_columns!(), " from bidders b where b.auction_id = $1 order by b.bidder_number");
    /// Writes what a bidder is bound to.
    PUT_BIDDER = "insert into bidders (auction_id, bidder_id, bidder_is_group, bidder_number, max_minor, bid_number, \
                  hold_id) values ($1, $2, $3, $4, $5, $6, $7) on conflict (auction_id, bidder_id) do update \
                  set max_minor = excluded.max_minor, bid_number = excluded.bid_number, hold_id = excluded.hold_id";
    /// Forgets the hold of a bidder: it is released, or the land was paid with it.
    FREE_BIDDER = "update bidders set hold_id = null where auction_id = $1 and bidder_id = $2";
    /// Writes down a bid.
    ADD_BID = "insert into bids (auction_id, bid_number, bidder_id, placed_by, placed_at, max_minor, price_minor) \
               values ($1, $2, $3, $4, $5, $6, $7)";
    /// Bids before one of them, newest first, with the public number of the bidder.
    BIDS = "select i.bid_number, i.bidder_id, b.bidder_number, i.placed_at, i.max_minor, i.price_minor \
            from bids i join bidders b on b.auction_id = i.auction_id and b.bidder_id = i.bidder_id \
            where i.auction_id = $1 and i.bid_number < $2 order by i.bid_number desc limit $3";
    /// Those of one bidder, numbered among themselves, so that nothing is said of the others.
    BIDS_OF = "select n.own_number, n.bidder_id, 1, n.placed_at, n.max_minor, n.price_minor from \
               (select row_number() over (order by i.bid_number) as own_number, i.bidder_id, i.placed_at, \
               i.max_minor, i.price_minor from bids i where i.auction_id = $1 and i.bidder_id = $2) n \
               where n.own_number < $3 order by n.own_number desc limit $4";
    /// Auctions that somebody bids in, newest first; those open alone if $3.
    LIST_OF_BIDDER = concat!("select ", bidder_columns!(), ", ", sales::columns!(), ", ", columns!(),
        " from bidders b join sales s on s.sale_id = b.auction_id join auctions a on a.auction_id = b.auction_id \
         where b.bidder_id = $1 and b.auction_id < $2 and (s.state = 'open' or not cast($3 as boolean)) \
         order by b.auction_id desc limit $4");
    /// Auctions whose price has fallen, in order.
    FALLING = "select auction_id, falls_at from auctions where falls_at <= $1 and (falls_at, auction_id) > ($2, $3) \
               order by falls_at, auction_id limit $4";
    /// Auctions of whose coming end nobody was told, in order.
    ENDING = "select auction_id, notice_at from auctions where notice_at <= $1 \
              and (notice_at, auction_id) > ($2, $3) order by notice_at, auction_id limit $4";
}

const BIDDER_COLUMNS: usize = 6;

/// What an auction has beside its [`Sale`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Auction {
    pub(crate) start_minor: i64,
    pub(crate) reserve_minor: Option<i64>,
    pub(crate) first_ends_at_us: i64,
    pub(crate) latest_end_us: Option<i64>,
    pub(crate) soft_close_us: i64,
    pub(crate) extension_count: u32,
    pub(crate) bid_count: i64,
    pub(crate) bidder_count: i64,
    pub(crate) leader: Option<Leader>,
    pub(crate) fall: Option<Fall>,
}

/// How the price of a Dutch auction falls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fall {
    pub(crate) floor_minor: i64,
    pub(crate) step_minor: i64,
    pub(crate) step_us: i64,
}

impl Auction {
    fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let leader = match (row.get::<Option<Uuid>>(first + 8)?, row.get::<Option<i64>>(first + 9)?) {
            (Some(bidder_id), Some(max_minor)) => Some(Leader { bidder_id, max_minor }),
            _ => None,
        };
        let fall = match row.get::<Option<i64>>(first + 10)? {
            Some(floor_minor) => {
                Some(Fall { floor_minor, step_minor: row.get(first + 11)?, step_us: row.get(first + 12)? })
            }
            None => None,
        };
        Ok(Self {
            start_minor: row.get(first)?,
            reserve_minor: row.get(first + 1)?,
            first_ends_at_us: row.get(first + 2)?,
            latest_end_us: row.get(first + 3)?,
            soft_close_us: row.get(first + 4)?,
            extension_count: row.get(first + 5)?,
            bid_count: row.get(first + 6)?,
            bidder_count: row.get(first + 7)?,
            leader,
            fall,
        })
    }

    /// As the rules of an English auction see it.
    pub(crate) fn english(&self, sale: &Sale, increments: &Increments) -> (EnglishTerms, Standing) {
        let terms = EnglishTerms {
            start_minor: self.start_minor,
            reserve_minor: self.reserve_minor,
            soft_close_us: self.soft_close_us,
            latest_end_us: self.latest_end_us,
            increments: increments.clone(),
        };
        let standing = Standing {
            price_minor: sale.price_minor,
            leader: self.leader,
            ends_at_us: sale.ends_at_us,
            extension_count: self.extension_count,
        };
        (terms, standing)
    }

    /// As the rules of a sealed auction see it.
    pub(crate) fn sealed(&self, sale: &Sale) -> SealedTerms {
        SealedTerms {
            start_minor: self.start_minor,
            reserve_minor: self.reserve_minor,
            ends_at_us: sale.ends_at_us,
        }
    }

    /// As the rules of a Dutch auction see it.
    pub(crate) fn schedule(&self, sale: &Sale) -> Result<Schedule, store::Error> {
        let Fall { floor_minor, step_minor, step_us } = self.fall.ok_or_else(|| damaged("a schedule"))?;
        Ok(Schedule {
            start_minor: self.start_minor,
            floor_minor,
            step_minor,
            step_us,
            starts_at_us: sale.opened_at_us,
            ends_at_us: sale.ends_at_us,
        })
    }
}

/// Somebody who has bid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bidder {
    pub(crate) party: Party,
    /// Their name in public.
    pub(crate) number: i64,
    pub(crate) max_minor: i64,
    /// The bid that named the maximum.
    pub(crate) bid_number: i64,
    pub(crate) hold_id: Option<Uuid>,
}

impl Bidder {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            party: Party { owner_id: row.get(0)?, is_group: row.get(1)? },
            number: row.get(2)?,
            max_minor: row.get(3)?,
            bid_number: row.get(4)?,
            hold_id: row.get(5)?,
        })
    }

    pub(crate) fn sealed(&self) -> SealedBid {
        SealedBid { bidder_id: self.party.owner_id, max_minor: self.max_minor, number: self.bid_number }
    }
}

/// A bid as it was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bid {
    pub(crate) number: i64,
    pub(crate) bidder_id: Uuid,
    pub(crate) bidder_number: i64,
    pub(crate) placed_at_us: i64,
    pub(crate) max_minor: i64,
    pub(crate) price_minor: i64,
}

/// What an auction has beside its sale. Whoever decides has taken the sale.
pub(crate) fn find(tx: &mut Tx<'_>, auction_id: Uuid) -> Result<Auction, store::Error> {
    Auction::from_row(&tx.query_one(FIND, params![auction_id])?, 0)
}

/// When something is due besides the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Agenda {
    pub(crate) falls_at_us: Option<i64>,
    pub(crate) notice_at_us: Option<i64>,
}

/// Writes a new auction beside its sale.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    auction_id: Uuid,
    auction: &Auction,
    agenda: Agenda,
) -> Result<(), store::Error> {
    let values = params![
        auction_id,
        auction.start_minor,
        auction.reserve_minor,
        auction.first_ends_at_us,
        auction.latest_end_us,
        auction.soft_close_us,
        auction.fall.map(|it| it.floor_minor),
        auction.fall.map(|it| it.step_minor),
        auction.fall.map(|it| it.step_us),
        agenda.falls_at_us,
        agenda.notice_at_us,
    ];
    tx.execute(ADD, values).map(drop)
}

/// Writes how it stands.
pub(crate) fn change(tx: &mut Tx<'_>, auction_id: Uuid, auction: &Auction) -> Result<(), store::Error> {
    let values = params![
        auction_id,
        auction.extension_count,
        auction.bid_count,
        auction.bidder_count,
        auction.leader.map(|it| it.bidder_id),
        auction.leader.map(|it| it.max_minor),
    ];
    tx.execute(CHANGE, values).map(drop)
}

/// Nothing more is due for an auction that has ended.
pub(crate) fn close(tx: &mut Tx<'_>, auction_id: Uuid) -> Result<(), store::Error> {
    tx.execute(CLOSE, params![auction_id]).map(drop)
}

/// When the price falls next.
pub(crate) fn fall(tx: &mut Tx<'_>, auction_id: Uuid, falls_at_us: Option<i64>) -> Result<(), store::Error> {
    tx.execute(FALL, params![auction_id, falls_at_us]).map(drop)
}

/// Whether the notice of the end is to be given now, by the caller.
pub(crate) fn take_notice(tx: &mut Tx<'_>, auction_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(NOTICE, params![auction_id])? == 1)
}

pub(crate) fn find_bidder(
    tx: &mut Tx<'_>,
    auction_id: Uuid,
    bidder_id: Uuid,
) -> Result<Option<Bidder>, store::Error> {
    tx.query_opt(FIND_BIDDER, params![auction_id, bidder_id])?.as_ref().map(Bidder::from_row).transpose()
}

/// All who bid, by the order of their first bids.
pub(crate) fn bidders(tx: &mut Tx<'_>, auction_id: Uuid) -> Result<Vec<Bidder>, store::Error> {
    tx.query(BIDDERS, params![auction_id])?.iter().map(Bidder::from_row).collect()
}

pub(crate) fn put_bidder(tx: &mut Tx<'_>, auction_id: Uuid, bidder: &Bidder) -> Result<(), store::Error> {
    let Bidder { party, number, max_minor, bid_number, hold_id } = *bidder;
    let values = params![auction_id, party.owner_id, party.is_group, number, max_minor, bid_number, hold_id];
    tx.execute(PUT_BIDDER, values).map(drop)
}

pub(crate) fn free_bidder(tx: &mut Tx<'_>, auction_id: Uuid, bidder_id: Uuid) -> Result<(), store::Error> {
    tx.execute(FREE_BIDDER, params![auction_id, bidder_id]).map(drop)
}

pub(crate) fn add_bid(
    tx: &mut Tx<'_>,
    auction_id: Uuid,
    bid: &Bid,
    placed_by: Uuid,
) -> Result<(), store::Error> {
    let Bid { number, bidder_id, placed_at_us, max_minor, price_minor, .. } = *bid;
    let values = params![auction_id, number, bidder_id, placed_by, placed_at_us, max_minor, price_minor];
    tx.execute(ADD_BID, values).map(drop)
}

impl Bid {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            number: row.get(0)?,
            bidder_id: row.get(1)?,
            bidder_number: row.get(2)?,
            placed_at_us: row.get(3)?,
            max_minor: row.get(4)?,
            price_minor: row.get(5)?,
        })
    }
}

/// Up to `count` bids before one of them, newest first.
pub(crate) fn bids(
    tx: &mut Tx<'_>,
    auction_id: Uuid,
    before: i64,
    count: u32,
) -> Result<Vec<Bid>, store::Error> {
    tx.query(BIDS, params![auction_id, before, count])?.iter().map(Bid::from_row).collect()
}

/// [`bids`] of one bidder, numbered from 1 among themselves.
pub(crate) fn bids_of(
    tx: &mut Tx<'_>,
    auction_id: Uuid,
    bidder_id: Uuid,
    before: i64,
    count: u32,
) -> Result<Vec<Bid>, store::Error> {
    let rows = tx.query(BIDS_OF, params![auction_id, bidder_id, before, count])?;
    rows.iter().map(Bid::from_row).collect()
}

/// Up to `count` auctions that somebody bids in, before one of them, newest first.
pub(crate) fn list_of_bidder(
    tx: &mut Tx<'_>,
    bidder_id: Uuid,
    is_open_only: bool,
    before: Uuid,
    count: u32,
) -> Result<Vec<(Bidder, Sale, Auction)>, store::Error> {
    tx.query(LIST_OF_BIDDER, params![bidder_id, before, is_open_only, count])?
        .iter()
        .map(|row| {
            let sale = Sale::from_row(row, BIDDER_COLUMNS)?;
            let auction = Auction::from_row(row, BIDDER_COLUMNS + sales::COLUMNS)?;
            Ok((Bidder::from_row(row)?, sale, auction))
        })
        .collect()
}

/// What else than an end may be due.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Errand {
    /// The price has fallen.
    Fall,
    /// The end is near.
    Notice,
}

/// Up to `count` auctions for which an errand is due, after a place in their order, with when it was due.
pub(crate) fn due(
    tx: &mut Tx<'_>,
    errand: Errand,
    now_us: i64,
    after: (i64, Uuid),
    count: u32,
) -> Result<Vec<(i64, Uuid)>, store::Error> {
    let sql = match errand {
        Errand::Fall => FALLING,
        Errand::Notice => ENDING,
    };
    let rows = tx.query(sql, params![now_us, after.0, after.1, count])?;
    rows.iter().map(|row| Ok((row.get(1)?, row.get(0)?))).collect()
}
