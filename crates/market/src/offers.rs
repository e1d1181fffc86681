//! Offers in SQL.

use cell::CellId;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::party::Party;
use crate::rules::state::OfferState;
use crate::sales::{cell_at, damaged};

macro_rules! columns {
    () => {
        "o.offer_id, o.state, o.parcel_id, o.owner_id, o.cell_count, o.buyer_id, o.buyer_is_group, o.currency, \
         o.price_minor, o.message, o.hold_id, o.made_at, o.expires_at, o.decided_at"
    };
}

store::statements! {
    /// One offer, taken: nobody else decides about it until the transaction ends.
    TAKE = concat!("select ", columns!(), " from offers o where o.offer_id = $1 for update");
    /// The open offers for a parcel, taken in one order.
    TAKE_OF_PARCEL = concat!("select ", columns!(), " from offers o where o.parcel_id = $1 and o.state = 'open' \
                              order by o.offer_id for update");
    /// Open offers for some parcels; in no order.
    FIND_OF_PARCELS = concat!("select ", columns!(), " from rows(parcel_id bigint) \
                               join offers o on o.parcel_id = rows.parcel_id and o.state = 'open'");
    /// A new offer, if the buyer has none for the parcel.
    ADD = "insert into offers (offer_id, state, parcel_id, owner_id, cell_count, buyer_id, buyer_is_group, placed_by, \
           currency, price_minor, message, hold_id, made_at, expires_at) \
           values ($1, 'open', $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    /// Whether a buyer has an open offer for a parcel.
    HAS_OPEN = "select count(*) from offers where parcel_id = $1 and buyer_id = $2 and state = 'open'";
    /// How many open offers a parcel has.
    COUNT_OF_PARCEL = "select count(*) from offers where parcel_id = $1 and state = 'open'";
    /// The end of an offer; one row if it was open.
    DECIDE = "update offers set state = $2, decided_at = $3 where offer_id = $1 and state = 'open'";
    /// Offers that somebody made, newest first; those open alone if $3.
    LIST_MADE = concat!("select ", columns!(), " from offers o where o.buyer_id = $1 and o.offer_id < $2 \
                         and (o.state = 'open' or not cast($3 as boolean)) order by o.offer_id desc limit $4");
    /// Offers that somebody got, newest first; those open alone if $3.
    LIST_RECEIVED = concat!("select ", columns!(), " from offers o where o.owner_id = $1 and o.offer_id < $2 \
                             and (o.state = 'open' or not cast($3 as boolean)) order by o.offer_id desc limit $4");
    /// Open offers whose time is up, in order.
    DUE = "select offer_id, expires_at from offers where state = 'open' and expires_at <= $1 \
           and (expires_at, offer_id) > ($2, $3) order by expires_at, offer_id limit $4";
    /// Open offers for land that has another owner now, or another shape, or is gone. What else can happen to land is
    /// its own business; the question is asked of its table so that nothing has to be told.
    ORPHANS = "select o.offer_id from offers o where o.state = 'open' and o.offer_id > $1 and not exists \
               (select 1 from parcels p where p.parcel_id = o.parcel_id and p.owner_id = o.owner_id \
               and p.cell_count = o.cell_count) order by o.offer_id limit $2";
}

/// An offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Offer {
    pub(crate) id: Uuid,
    pub(crate) state: OfferState,
    pub(crate) parcel: CellId,
    pub(crate) owner_id: Uuid,
    pub(crate) cell_count: u32,
    pub(crate) buyer: Party,
    pub(crate) currency: String,
    pub(crate) price_minor: i64,
    pub(crate) message: Option<String>,
    pub(crate) hold_id: Uuid,
    pub(crate) made_at_us: i64,
    pub(crate) expires_at_us: i64,
    pub(crate) decided_at_us: Option<i64>,
}

impl Offer {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            id: row.get(0)?,
            state: OfferState::from_code(&row.get::<String>(1)?).ok_or_else(|| damaged("a state"))?,
            parcel: cell_at(row, 2)?,
            owner_id: row.get(3)?,
            cell_count: row.get(4)?,
            buyer: Party { owner_id: row.get(5)?, is_group: row.get(6)? },
            currency: row.get(7)?,
            price_minor: row.get(8)?,
            message: row.get(9)?,
            hold_id: row.get(10)?,
            made_at_us: row.get(11)?,
            expires_at_us: row.get(12)?,
            decided_at_us: row.get(13)?,
        })
    }
}

fn all(rows: &[Row]) -> Result<Vec<Offer>, store::Error> {
    rows.iter().map(Offer::from_row).collect()
}

pub(crate) fn take(tx: &mut Tx<'_>, offer_id: Uuid) -> Result<Option<Offer>, store::Error> {
    tx.query_opt(TAKE, params![offer_id])?.as_ref().map(Offer::from_row).transpose()
}

/// The open offers for a parcel, taken; bounded when they are made.
pub(crate) fn take_of_parcel(tx: &mut Tx<'_>, parcel: CellId) -> Result<Vec<Offer>, store::Error> {
    all(&tx.query(TAKE_OF_PARCEL, params![parcel.to_sql()])?)
}

/// The open offers for some parcels, in no order and not taken.
pub(crate) fn find_of_parcels(tx: &mut Tx<'_>, parcels: &[CellId]) -> Result<Vec<Offer>, store::Error> {
    let rows: Vec<_> = parcels.iter().map(|it| vec![it.to_sql().into()]).collect();
    all(&tx.query_rows(FIND_OF_PARCELS, &rows)?)
}

/// Writes an open offer.
pub(crate) fn add(tx: &mut Tx<'_>, offer: &Offer, placed_by: Uuid) -> Result<(), store::Error> {
    let values = params![
        offer.id,
        offer.parcel.to_sql(),
        offer.owner_id,
        offer.cell_count,
        offer.buyer.owner_id,
        offer.buyer.is_group,
        placed_by,
        &offer.currency,
        offer.price_minor,
        offer.message.clone(),
        offer.hold_id,
        offer.made_at_us,
        offer.expires_at_us,
    ];
    tx.execute(ADD, values).map(drop)
}

pub(crate) fn has_open(tx: &mut Tx<'_>, parcel: CellId, buyer_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.query_one(HAS_OPEN, params![parcel.to_sql(), buyer_id])?.get::<i64>(0)? > 0)
}

pub(crate) fn count_of_parcel(tx: &mut Tx<'_>, parcel: CellId) -> Result<i64, store::Error> {
    tx.query_one(COUNT_OF_PARCEL, params![parcel.to_sql()])?.get(0)
}

/// Ends an offer; `false` if it is not open.
pub(crate) fn decide(
    tx: &mut Tx<'_>,
    offer_id: Uuid,
    state: OfferState,
    now_us: i64,
) -> Result<bool, store::Error> {
    Ok(tx.execute(DECIDE, params![offer_id, state.code(), now_us])? == 1)
}

/// Whose offers are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    /// Those that a buyer made.
    Made(Uuid),
    /// Those that an owner got.
    Received(Uuid),
}

/// Up to `count` offers before one of them, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    side: Side,
    is_open_only: bool,
    before: Uuid,
    count: u32,
) -> Result<Vec<Offer>, store::Error> {
    let (sql, party_id) = match side {
        Side::Made(buyer_id) => (LIST_MADE, buyer_id),
        Side::Received(owner_id) => (LIST_RECEIVED, owner_id),
    };
    all(&tx.query(sql, params![party_id, before, is_open_only, count])?)
}

/// Up to `count` open offers whose time is up, after a place in their order, with when it was.
pub(crate) fn due(
    tx: &mut Tx<'_>,
    now_us: i64,
    after: (i64, Uuid),
    count: u32,
) -> Result<Vec<(i64, Uuid)>, store::Error> {
    let rows = tx.query(DUE, params![now_us, after.0, after.1, count])?;
    rows.iter().map(|row| Ok((row.get(1)?, row.get(0)?))).collect()
}

/// Up to `count` open offers after one of them whose land is no longer what it was.
pub(crate) fn orphans(tx: &mut Tx<'_>, after: Uuid, count: u32) -> Result<Vec<Uuid>, store::Error> {
    tx.query(ORPHANS, params![after, count])?.iter().map(|row| row.get(0)).collect()
}
