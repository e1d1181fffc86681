//! Parcels and titles in SQL.

use cell::CellId;
use store::{Row, Tx, params};
use uuid::Uuid;

store::statements! {
    /// Takes the lot, if it is free.
    TAKE = "insert into parcels (parcel_id, owner_id, name, claimed_at) values ($1, $2, null, $3) \
            on conflict (parcel_id) do nothing";
    /// Writes the lot's first title.
    ADD_TITLE = "insert into titles (parcel_id, title_number, owner_id, price_minor, posting_id, since) \
                 values ($1, 1, $2, $3, $4, $5)";
    /// Names the lot, if it is the caller's.
    RENAME = "update parcels set name = $3 where parcel_id = $1 and owner_id = $2 \
              returning parcel_id, owner_id, name, claimed_at";
    /// One lot.
    FIND = "select parcel_id, owner_id, name, claimed_at from parcels where parcel_id = $1";
    /// Lots of a range of cells, after a place in it.
    LIST_RANGE = "select parcel_id, owner_id, name, claimed_at from parcels \
                  where parcel_id > $1 and parcel_id <= $2 order by parcel_id limit $3";
    /// Lots of one owner, after a place among them.
    LIST_OWNED = "select parcel_id, owner_id, name, claimed_at from parcels \
                  where owner_id = $1 and parcel_id > $2 order by parcel_id limit $3";
}

/// A lot that somebody owns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Parcel {
    pub(crate) lot: CellId,
    pub(crate) owner_id: Uuid,
    pub(crate) name: Option<String>,
    pub(crate) claimed_at_us: i64,
}

impl Parcel {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let lot = CellId::from_sql(row.get(0)?)
            .ok_or_else(|| store::Error::Damaged { detail: "parcels: a key is no cell".to_owned() })?;
        Ok(Self { lot, owner_id: row.get(1)?, name: row.get(2)?, claimed_at_us: row.get(3)? })
    }
}

/// Whether the lot was free and is the owner's now. Another transaction that is about to take it is waited for.
pub(crate) fn take(tx: &mut Tx<'_>, lot: CellId, owner_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    Ok(tx.execute(TAKE, params![lot.to_sql(), owner_id, now_us])? == 1)
}

pub(crate) fn add_title(
    tx: &mut Tx<'_>,
    parcel: &Parcel,
    price_minor: i64,
    posting_id: Uuid,
) -> Result<(), store::Error> {
    let Parcel { lot, owner_id, claimed_at_us, .. } = parcel;
    tx.execute(ADD_TITLE, params![lot.to_sql(), *owner_id, price_minor, posting_id, *claimed_at_us])?;
    Ok(())
}

/// The lot with its new name, or `None` if it is not the owner's.
pub(crate) fn rename(
    tx: &mut Tx<'_>,
    lot: CellId,
    owner_id: Uuid,
    name: &str,
) -> Result<Option<Parcel>, store::Error> {
    tx.query_opt(RENAME, params![lot.to_sql(), owner_id, name])?.as_ref().map(Parcel::from_row).transpose()
}

pub(crate) fn find(tx: &mut Tx<'_>, lot: CellId) -> Result<Option<Parcel>, store::Error> {
    tx.query_opt(FIND, params![lot.to_sql()])?.as_ref().map(Parcel::from_row).transpose()
}

/// Which lots a list is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Inside(CellId),
    OwnedBy(Uuid),
}

/// Up to `count` lots after `after`, by ascending key.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    scope: Scope,
    after: Option<CellId>,
    count: u32,
) -> Result<Vec<Parcel>, store::Error> {
    let after = after.map(CellId::to_sql);
    let rows = match scope {
        Scope::Inside(place) => {
            // All keys of one cell have one sign, so their order as SQL integers is the order of cells.
            let (first, last) = (place.range_min().to_sql(), place.range_max().to_sql());
            tx.query(LIST_RANGE, params![after.unwrap_or(first - 1), last, count])?
        }
        Scope::OwnedBy(owner_id) => {
            tx.query(LIST_OWNED, params![owner_id, after.unwrap_or(i64::MIN), count])?
        }
    };
    rows.iter().map(Parcel::from_row).collect()
}
