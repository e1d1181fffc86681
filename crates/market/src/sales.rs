//! Sales in SQL: the row that a listing or an auction has from its beginning on.

use cell::CellId;
use land::{Front, ParcelFacts};
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::party::Party;
use crate::rules::state::{SaleKind, SaleState};

/// The columns that a [`Sale`] is read from.
macro_rules! columns {
    () => {
        "s.sale_id, s.kind, s.state, s.parcel_id, s.seller_id, s.seller_is_group, s.currency, s.price_minor, \
         s.opened_at, s.ends_at, s.closed_at, s.buyer_id, s.cell_count, s.area_m2, s.biome, s.front, s.center"
    };
}
pub(crate) use columns;

/// How many they are.
pub(crate) const COLUMNS: usize = 17;

store::statements! {
    /// One sale, as it is.
    FIND = concat!("select ", columns!(), " from sales s where s.sale_id = $1");
    /// One sale; nobody else decides about it until the transaction ends.
    TAKE = concat!("select ", columns!(), " from sales s where s.sale_id = $1 for update");
    /// The open sale of a parcel, taken.
    TAKE_OPEN_OF = concat!(
        "select ", columns!(), " from sales s where s.parcel_id = $1 and s.state = 'open' for update");
    /// Sales of a batch; in no order.
    FIND_MANY = concat!(
        "select ", columns!(), " from rows(sale_id uuid) join sales s on s.sale_id = rows.sale_id");
    /// Open sales of some parcels; in no order.
    FIND_OPEN_OF = concat!(
        "select ", columns!(), " from rows(parcel_id bigint) \
         join sales s on s.parcel_id = rows.parcel_id and s.state = 'open'");
    /// Puts land up for sale, or writes down one that is sold at once.
    ADD = "insert into sales (sale_id, kind, state, parcel_id, seller_id, seller_is_group, opened_by, currency, \
           price_minor, minor_per_m2, opened_at, ends_at, closed_at, buyer_id, posting_id, cell_count, area_m2, biome, \
           front, center, center_x, center_y, center_z) \
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
           $22, $23)";
    /// Another price, and perhaps another end.
    CHANGE = "update sales set price_minor = $2, minor_per_m2 = cast($2 as bigint) / area_m2, ends_at = $3 \
              where sale_id = $1 and state = 'open'";
    /// The end without a buyer.
    CLOSE = "update sales set state = $2, closed_at = $3 where sale_id = $1 and state = 'open'";
    /// The end with a buyer, of many.
    SELL = "update sales set state = 'sold', closed_at = rows.closed_at, buyer_id = rows.buyer_id, \
            posting_id = rows.posting_id, price_minor = rows.paid_minor, minor_per_m2 = rows.paid_minor / area_m2 \
            from rows(id uuid, closed_at timestamptz, buyer_id uuid, posting_id uuid, paid_minor bigint, \
            seen_minor bigint) \
            where sales.sale_id = rows.id and sales.state = 'open' and sales.price_minor = rows.seen_minor";
    /// A seller's sales, newest first; those open alone if $4.
    LIST_OF_SELLER = concat!(
        "select ", columns!(), " from sales s where s.seller_id = $1 and s.sale_id < $2 \
         and (s.kind = 'fixed') = cast($3 as boolean) and s.kind <> 'offer' \
         and (s.state = 'open' or not cast($4 as boolean)) order by s.sale_id desc limit $5");
    /// Open sales whose time is up, in order of their end.
    DUE = "select sale_id, kind, ends_at from sales where state = 'open' and ends_at <= $1 \
           and (ends_at, sale_id) > ($2, $3) order by ends_at, sale_id limit $4";
}

/// A listing or an auction.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sale {
    pub(crate) id: Uuid,
    pub(crate) kind: SaleKind,
    pub(crate) state: SaleState,
    pub(crate) land: SoldLand,
    pub(crate) seller: Party,
    pub(crate) currency: String,
    pub(crate) price_minor: i64,
    pub(crate) opened_at_us: i64,
    pub(crate) ends_at_us: i64,
    pub(crate) closed_at_us: Option<i64>,
    pub(crate) buyer_id: Option<Uuid>,
}

/// Land as it is put up.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct SoldLand {
    /// The parcel's anchor.
    pub(crate) parcel: CellId,
    pub(crate) cell_count: u32,
    pub(crate) area_m2: f64,
    pub(crate) biome: String,
    pub(crate) front: Front,
    pub(crate) center: CellId,
}

impl From<&ParcelFacts> for SoldLand {
    fn from(facts: &ParcelFacts) -> Self {
        Self {
            parcel: facts.anchor,
            cell_count: facts.cells,
            area_m2: facts.area_m2,
            biome: facts.biome.clone(),
            front: facts.front,
            center: facts.center,
        }
    }
}

impl Sale {
    /// Reads [`columns`], from column `first` on.
    pub(crate) fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let kind = SaleKind::from_code(&row.get::<String>(first + 1)?).ok_or_else(|| damaged("a kind"))?;
        let state = SaleState::from_code(&row.get::<String>(first + 2)?).ok_or_else(|| damaged("a state"))?;
        Ok(Self {
            id: row.get(first)?,
            kind,
            state,
            seller: Party { owner_id: row.get(first + 4)?, is_group: row.get(first + 5)? },
            currency: row.get(first + 6)?,
            price_minor: row.get(first + 7)?,
            opened_at_us: row.get(first + 8)?,
            ends_at_us: row.get(first + 9)?,
            closed_at_us: row.get(first + 10)?,
            buyer_id: row.get(first + 11)?,
            land: SoldLand {
                parcel: cell_at(row, first + 3)?,
                cell_count: row.get(first + 12)?,
                area_m2: row.get(first + 13)?,
                biome: row.get(first + 14)?,
                front: Front::from_bits(row.get(first + 15)?),
                center: cell_at(row, first + 16)?,
            },
        })
    }
}

/// A cell that stands in a column.
pub(crate) fn cell_at(row: &Row, column: usize) -> Result<CellId, store::Error> {
    CellId::from_sql(row.get(column)?).ok_or_else(|| damaged("a cell"))
}

/// What is in a column is none of what was ever written there.
pub(crate) fn damaged(what: &str) -> store::Error {
    store::Error::Damaged { detail: format!("market: {what} that is none") }
}

/// What closes a sale with a buyer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closing {
    pub(crate) sale_id: Uuid,
    pub(crate) buyer_id: Uuid,
    pub(crate) posting_id: Uuid,
    /// What is paid.
    pub(crate) paid_minor: i64,
    /// The price of the row, by which the decision was made.
    pub(crate) seen_minor: i64,
}

pub(crate) fn find(tx: &mut Tx<'_>, sale_id: Uuid) -> Result<Option<Sale>, store::Error> {
    tx.query_opt(FIND, params![sale_id])?.map(|row| Sale::from_row(&row, 0)).transpose()
}

/// The sale; until the transaction ends nobody else decides about it.
pub(crate) fn take(tx: &mut Tx<'_>, sale_id: Uuid) -> Result<Option<Sale>, store::Error> {
    tx.query_opt(TAKE, params![sale_id])?.map(|row| Sale::from_row(&row, 0)).transpose()
}

/// The open sale of a parcel, taken.
pub(crate) fn take_open_of(tx: &mut Tx<'_>, parcel: CellId) -> Result<Option<Sale>, store::Error> {
    tx.query_opt(TAKE_OPEN_OF, params![parcel.to_sql()])?.map(|row| Sale::from_row(&row, 0)).transpose()
}

/// Some sales, in no order, not taken.
pub(crate) fn find_many(tx: &mut Tx<'_>, ids: &[Uuid]) -> Result<Vec<Sale>, store::Error> {
    let rows: Vec<Vec<Value>> = ids.iter().map(|id| vec![(*id).into()]).collect();
    tx.query_rows(FIND_MANY, &rows)?.iter().map(|row| Sale::from_row(row, 0)).collect()
}

/// Open sales of some parcels, in no order.
pub(crate) fn find_open_of(tx: &mut Tx<'_>, parcels: &[CellId]) -> Result<Vec<Sale>, store::Error> {
    let rows: Vec<Vec<Value>> = parcels.iter().map(|it| vec![it.to_sql().into()]).collect();
    tx.query_rows(FIND_OPEN_OF, &rows)?.iter().map(|row| Sale::from_row(row, 0)).collect()
}

/// Writes a sale; `posting_id` if it is sold already.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    sale: &Sale,
    opened_by: Uuid,
    posting_id: Option<Uuid>,
) -> Result<(), store::Error> {
    let Sale { id, kind, state, land, seller, currency, price_minor, .. } = sale;
    let middle = land.center.center();
    let values = params![
        *id,
        kind.code(),
        state.code(),
        land.parcel.to_sql(),
        seller.owner_id,
        seller.is_group,
        opened_by,
        currency,
        *price_minor,
        *price_minor as f64 / land.area_m2,
        sale.opened_at_us,
        sale.ends_at_us,
        sale.closed_at_us,
        sale.buyer_id,
        posting_id,
        land.cell_count,
        land.area_m2,
        land.biome.as_str(),
        land.front.bits(),
        land.center.to_sql(),
        middle.x,
        middle.y,
        middle.z,
    ];
    tx.execute(ADD, values).map(drop)
}

/// Changes price and end of an open sale, which the caller has taken.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    sale_id: Uuid,
    price_minor: i64,
    ends_at_us: i64,
) -> Result<(), store::Error> {
    tx.execute(CHANGE, params![sale_id, price_minor, ends_at_us]).map(drop)
}

/// Ends a sale without a buyer; `false` if it is not open.
pub(crate) fn close(
    tx: &mut Tx<'_>,
    sale_id: Uuid,
    state: SaleState,
    now_us: i64,
) -> Result<bool, store::Error> {
    Ok(tx.execute(CLOSE, params![sale_id, state.code(), now_us])? == 1)
}

/// Ends sales with buyers; how many of them were open still and at the price seen.
pub(crate) fn sell(tx: &mut Tx<'_>, closings: &[Closing], now_us: i64) -> Result<u64, store::Error> {
    let rows: Vec<Vec<Value>> = closings
        .iter()
        .map(|it| {
            let Closing { sale_id, buyer_id, posting_id, paid_minor, seen_minor } = *it;
            params![sale_id, now_us, buyer_id, posting_id, paid_minor, seen_minor].to_vec()
        })
        .collect();
    tx.execute_rows(SELL, &rows)
}

/// Which of a seller's sales are listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct OfSeller {
    pub(crate) seller_id: Uuid,
    pub(crate) is_fixed: bool,
    pub(crate) is_open_only: bool,
}

/// Up to `count` of a seller's sales before one of them, newest first.
pub(crate) fn list_of_seller(
    tx: &mut Tx<'_>,
    of: OfSeller,
    before: Uuid,
    count: u32,
) -> Result<Vec<Sale>, store::Error> {
    let values = params![of.seller_id, before, of.is_fixed, of.is_open_only, count];
    tx.query(LIST_OF_SELLER, values)?.iter().map(|row| Sale::from_row(row, 0)).collect()
}

/// A sale whose time is up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Due {
    pub(crate) sale_id: Uuid,
    pub(crate) kind: SaleKind,
    pub(crate) ends_at_us: i64,
}

/// Up to `count` open sales whose time is up, after a place in their order.
pub(crate) fn due(
    tx: &mut Tx<'_>,
    now_us: i64,
    after: (i64, Uuid),
    count: u32,
) -> Result<Vec<Due>, store::Error> {
    tx.query(DUE, params![now_us, after.0, after.1, count])?
        .iter()
        .map(|row| {
            let kind = SaleKind::from_code(&row.get::<String>(1)?).ok_or_else(|| damaged("a kind"))?;
            Ok(Due { sale_id: row.get(0)?, kind, ends_at_us: row.get(2)? })
        })
        .collect()
}
