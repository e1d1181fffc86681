//! The watch list in SQL.

use cell::CellId;
use store::{Tx, params};
use uuid::Uuid;

use crate::sales::cell_at;

store::statements! {
    /// Watches a parcel; again, it changes nothing.
    ADD = "insert into watches (account_id, parcel_id, since) values ($1, $2, $3) \
           on conflict (account_id, parcel_id) do nothing";
    /// Watches it no longer.
    REMOVE = "delete from watches where account_id = $1 and parcel_id = $2";
    /// How many somebody watches.
    COUNT = "select count(*) from watches where account_id = $1";
    /// What somebody watches, after a parcel, by ascending id.
    LIST = "select parcel_id, since from watches where account_id = $1 and parcel_id > $2 \
            order by parcel_id limit $3";
    /// Who watches a parcel, the earliest first.
    WATCHERS = "select account_id from watches where parcel_id = $1 order by since, account_id limit $2";
}

/// Whether it is new; `false` if it was watched already.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    parcel: CellId,
    now_us: i64,
) -> Result<bool, store::Error> {
    Ok(tx.execute(ADD, params![account_id, parcel.to_sql(), now_us])? == 1)
}

pub(crate) fn remove(tx: &mut Tx<'_>, account_id: Uuid, parcel: CellId) -> Result<(), store::Error> {
    tx.execute(REMOVE, params![account_id, parcel.to_sql()]).map(drop)
}

pub(crate) fn count(tx: &mut Tx<'_>, account_id: Uuid) -> Result<i64, store::Error> {
    tx.query_one(COUNT, params![account_id])?.get(0)
}

/// Up to `count` watched parcels after one of them, with since when.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    after: i64,
    count: u32,
) -> Result<Vec<(CellId, i64)>, store::Error> {
    let rows = tx.query(LIST, params![account_id, after, count])?;
    rows.iter().map(|row| Ok((cell_at(row, 0)?, row.get(1)?))).collect()
}

/// Up to `count` accounts that watch a parcel.
pub(crate) fn watchers(tx: &mut Tx<'_>, parcel: CellId, count: u32) -> Result<Vec<Uuid>, store::Error> {
    tx.query(WATCHERS, params![parcel.to_sql(), count])?.iter().map(|row| row.get(0)).collect()
}
