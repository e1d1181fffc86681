//! Parcels by place and by owner.

use std::collections::BTreeSet;

use cell::CellId;
use store::{Tx, Value, params};
use uuid::Uuid;

use crate::parcel::cell_at;
use crate::seen::{Found, found_columns, found_tables};

store::statements! {
    /// Owned lots of a range, with their parcels.
    IN_RANGE = concat!("select c.cell, ", found_columns!(), " from parcel_cells c \
                        join parcels p on p.parcel_id = c.parcel_id", found_tables!(), "where c.cell > $1 and c.cell <= $2 order by c.cell limit $3");
    /// Which of some lots are owned.
    OWNED_AMONG = "select c.cell from rows(cell bigint) join parcel_cells c on c.cell = rows.cell";
    /// Parcels of one owner, after a place among them.
    OWNED = concat!("select ", found_columns!(), " from parcels p", found_tables!(), "where p.owner_id = $1 and p.parcel_id > $2 order by p.parcel_id limit $3");
}

/// The questions of this crate by place and owner with values in them: engines plan those without otherwise.
pub(crate) const EXPLAINED: &[&str] = &[
    concat!(
        "select c.cell, ",
        found_columns!(),
        " from parcel_cells c join parcels p on p.parcel_id = c.parcel_id",
        found_tables!(),
        "where c.cell > 100 and c.cell <= 1000000 order by c.cell limit 200"
    ),
    concat!(
        "select ",
        found_columns!(),
        " from parcels p",
        found_tables!(),
        "where p.owner_id = (select owner_id from parcels where parcel_id = 5) and p.parcel_id > 5 \
         order by p.parcel_id limit 50"
    ),
    "select cell from parcel_cells where cell > 100 and cell <= 1000000 order by cell limit 1",
    "select count(*) from (select cell from parcel_cells where cell >= 1 and cell <= 99 limit 1000) as counted",
    "select cell from parcel_cells where parcel_id = 5 order by cell",
    "select parcel_id from parcel_cells where cell = 5",
    "select title_number from titles where parcel_id = 5 and title_number < 9 order by title_number desc limit 50",
];

/// Up to `count` owned lots inside a cell, after one of them, each with its parcel; in the order of cells.
pub(crate) fn lots_in(
    tx: &mut Tx<'_>,
    place: CellId,
    after: Option<CellId>,
    count: u32,
) -> Result<Vec<(CellId, Found)>, store::Error> {
    // All keys of one cell have one sign, so their order as SQL integers is the order of cells.
    let (first, last) = (place.range_min().to_sql(), place.range_max().to_sql());
    let after = after.map_or(first - 1, CellId::to_sql);
    let rows = tx.query(IN_RANGE, params![after, last, count])?;
    rows.iter().map(|row| Ok((cell_at(row, 0)?, Found::from_row(row, 1)?))).collect()
}

/// Up to `count` parcels of one owner after an anchor, by ascending SQL key.
pub(crate) fn owned_by(
    tx: &mut Tx<'_>,
    owner_id: Uuid,
    after: Option<CellId>,
    count: u32,
) -> Result<Vec<Found>, store::Error> {
    let after = after.map_or(i64::MIN, CellId::to_sql);
    let rows = tx.query(OWNED, params![owner_id, after, count])?;
    rows.iter().map(|row| Found::from_row(row, 0)).collect()
}

/// Which of some lots are owned; one column, their keys.
pub(crate) fn owned_among(tx: &mut Tx<'_>, lots: &[Vec<Value>]) -> Result<BTreeSet<CellId>, store::Error> {
    tx.query_rows(OWNED_AMONG, lots)?.iter().map(|row| cell_at(row, 0)).collect()
}
