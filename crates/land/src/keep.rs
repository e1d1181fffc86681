//! Writing parcels and which lots they are made of.

use cell::CellId;
use store::{Tx, Value, params};
use uuid::Uuid;

use crate::survey::{Front, Survey};

store::statements! {
    /// Makes a parcel, if its anchor is not one already.
    ADD = "insert into parcels (parcel_id, owner_id, name, description, claimed_at, cell_count, area_m2, center, \
           biome, front) values ($1, $2, null, null, $3, $4, $5, $6, $7, $8) on conflict (parcel_id) do nothing";
    /// Gives lots to a parcel, if they are free.
    ADD_CELLS = "insert into parcel_cells (cell, parcel_id) \
                 select rows.cell, rows.parcel_id from rows(cell bigint, parcel_id bigint) \
                 where true on conflict (cell) do nothing";
    /// Moves lots to another parcel.
    MOVE_CELLS = "update parcel_cells set parcel_id = rows.parcel_id from rows(cell bigint, parcel_id bigint) \
                  where parcel_cells.cell = rows.cell";
    /// Moves all lots of a parcel to another.
    MOVE_ALL_CELLS = "update parcel_cells set parcel_id = $2 where parcel_id = $1";
    /// Frees all lots of a parcel.
    FREE_CELLS = "delete from parcel_cells where parcel_id = $1";
    /// Ends a parcel.
    REMOVE = "delete from parcels where parcel_id = $1";
    /// Writes what a parcel is after its lots have changed.
    RESHAPE = "update parcels set cell_count = $2, area_m2 = $3, center = $4, biome = $5, front = $6 \
               where parcel_id = $1";
}

/// A parcel about to be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct NewParcel<'a> {
    pub(crate) anchor: CellId,
    pub(crate) owner_id: Uuid,
    pub(crate) cells: &'a [CellId],
    pub(crate) survey: &'a Survey,
    pub(crate) claimed_at_us: i64,
}

/// Whether the parcel was written; `false` if there is one with its anchor.
fn add_row(tx: &mut Tx<'_>, parcel: &NewParcel<'_>) -> Result<bool, store::Error> {
    let NewParcel { anchor, owner_id, cells, survey, claimed_at_us } = parcel;
    let Survey { area_m2, center, biome, front } = survey;
    let count = cells.len() as i64;
    let values = params![
        anchor.to_sql(),
        *owner_id,
        *claimed_at_us,
        count,
        *area_m2,
        center.to_sql(),
        biome.name(),
        front.bits()
    ];
    Ok(tx.execute(ADD, values)? == 1)
}

/// Whether the lots were all free and are the owner's parcel now. Others who are about to take one are waited for.
pub(crate) fn add(tx: &mut Tx<'_>, parcel: &NewParcel<'_>) -> Result<bool, store::Error> {
    // No parcel has an anchor that is not among its lots: one that is there is in the way.
    let count = parcel.cells.len() as u64;
    Ok(add_row(tx, parcel)? && tx.execute_rows(ADD_CELLS, &rows(parcel.cells, parcel.anchor))? == count)
}

/// Makes a parcel of lots of another, which the caller has taken.
pub(crate) fn split_off(tx: &mut Tx<'_>, parcel: &NewParcel<'_>) -> Result<(), store::Error> {
    if !add_row(tx, parcel)? {
        let detail = format!("parcels: {} has no lot of its own", parcel.anchor);
        return Err(store::Error::Damaged { detail });
    }
    tx.execute_rows(MOVE_CELLS, &rows(parcel.cells, parcel.anchor)).map(drop)
}

/// One row for each lot, ascending: the order in which everybody takes them.
fn rows(cells: &[CellId], anchor: CellId) -> Vec<Vec<Value>> {
    let mut keys: Vec<i64> = cells.iter().map(|it| it.to_sql()).collect();
    keys.sort_unstable();
    keys.into_iter().map(|cell| vec![cell.into(), anchor.to_sql().into()]).collect()
}

/// Ends a parcel that the caller has taken; its lots become part of another.
pub(crate) fn swallow(tx: &mut Tx<'_>, parcel: CellId, into: CellId) -> Result<(), store::Error> {
    tx.execute(MOVE_ALL_CELLS, params![parcel.to_sql(), into.to_sql()])?;
    tx.execute(REMOVE, params![parcel.to_sql()]).map(drop)
}

/// Ends a parcel that the caller has taken; its lots become free.
pub(crate) fn remove(tx: &mut Tx<'_>, parcel: CellId) -> Result<(), store::Error> {
    tx.execute(FREE_CELLS, params![parcel.to_sql()])?;
    tx.execute(REMOVE, params![parcel.to_sql()]).map(drop)
}

/// What a parcel is after its lots have changed.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Shape<'a> {
    pub(crate) cells: usize,
    pub(crate) area_m2: f64,
    pub(crate) center: CellId,
    pub(crate) biome: &'a str,
    pub(crate) front: Front,
}

pub(crate) fn reshape(tx: &mut Tx<'_>, parcel: CellId, shape: &Shape<'_>) -> Result<(), store::Error> {
    let Shape { cells, area_m2, center, biome, front } = shape;
    let values = params![parcel.to_sql(), *cells as i64, *area_m2, center.to_sql(), *biome, front.bits()];
    tx.execute(RESHAPE, values).map(drop)
}
