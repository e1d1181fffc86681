//! Parcels by place and by owner.

use cell::CellId;
use store::{Tx, params};
use uuid::Uuid;

use crate::parcel::cell_at;
use crate::seen::{Found, found_columns, found_tables};

store::statements! {
    /// Owned lots of a range, with their parcels.
    IN_RANGE = concat!("select c.cell, ", found_columns!(), " from parcel_cells c \
                        join parcels p on p.parcel_id = c.parcel_id", found_tables!(), "where c.cell > $1 and c.cell <= $2 order by c.cell limit $3");
    /// Parcels of one owner, after a place among them.
    OWNED = concat!("select ", found_columns!(), " from parcels p", found_tables!(), "where p.owner_id = $1 and p.parcel_id > $2 order by p.parcel_id limit $3");
}

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
