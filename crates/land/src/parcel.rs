//! What is known of a parcel, and holding on to it.

use std::collections::{BTreeMap, BTreeSet};

use cell::CellId;
use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::survey::Front;

/// The columns that [`ParcelFacts`] are read from.
macro_rules! columns {
    () => {
        "p.parcel_id, p.owner_id, p.name, p.description, p.cell_count, p.area_m2, p.center, p.biome, p.front, \
         p.claimed_at, p.lease_id, p.frozen_at"
    };
}
pub(crate) use columns;

store::statements! {
    /// Which parcel a lot belongs to.
    PARCEL_OF = "select parcel_id from parcel_cells where cell = $1";
    /// The parcel that a lot belongs to.
    OF_CELL = concat!("select ", columns!(), " from parcel_cells c join parcels p on p.parcel_id = c.parcel_id \
                       where c.cell = $1");
    /// A parcel by its anchor.
    BY_ANCHOR = concat!("select ", columns!(), " from parcels p where p.parcel_id = $1");
    /// Parcels by their anchors.
    BY_ANCHORS = concat!("select ", columns!(), " from rows(parcel_id bigint) \
                          join parcels p on p.parcel_id = rows.parcel_id");
    /// All lots of some parcels.
    CELLS_OF = "select c.parcel_id, c.cell from rows(parcel_id bigint) \
                join parcel_cells c on c.parcel_id = rows.parcel_id";
    /// The first lots of each of some parcels.
    FIRST_CELLS = "select c.parcel_id, c.cell from rows(parcel_id bigint) \
                   join parcel_cells c on c.parcel_id = rows.parcel_id \
                   where c.cell <= coalesce((select f.cell from parcel_cells f where f.parcel_id = rows.parcel_id \
                   order by f.cell limit 1 offset 63), 9223372036854775807)";
    /// Takes the row of a parcel: whoever else wants it waits until the transaction ends.
    TAKE = concat!("select ", columns!(), " from parcels p where p.parcel_id = $1 for update");
    /// All parcels after one, ascending.
    EVERY = concat!("select ", columns!(), " from parcels p where p.parcel_id > $1 order by p.parcel_id limit $2");
    /// The lots of a parcel, which is bounded.
    CELLS = "select cell from parcel_cells where parcel_id = $1 order by cell";
}

/// How often a lot may change hands between being looked up and being taken before we give up.
const TAKES_MAX: usize = 8;

/// A parcel: some lots that have one owner and one deed.
#[derive(Clone, PartialEq, Debug)]
pub struct ParcelFacts {
    /// Its id: one of its lots. Its deed is `deed:<token of the anchor>`.
    pub anchor: CellId,
    /// The account or group that owns it.
    pub owner_id: Uuid,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What its owner says of it.
    pub description: Option<String>,
    /// How many lots it has.
    pub cells: u32,
    /// True area at sea level.
    pub area_m2: f64,
    /// The leaf at its middle.
    pub center: CellId,
    /// What grows at its middle: a name of [`planet::Biome`].
    pub biome: String,
    /// The water it looks out on.
    pub front: Front,
    /// Since when its first owner had it.
    pub claimed_at_us: i64,
    /// The lease under which somebody else uses it.
    pub lease_id: Option<Uuid>,
    /// Since when staff have frozen it.
    pub frozen_at_us: Option<i64>,
}

impl ParcelFacts {
    /// Reads [`columns`], from column `first` on.
    pub(crate) fn from_row(row: &Row, first: usize) -> Result<Self, store::Error> {
        let cell = |column| CellId::from_sql(row.get(first + column)?).ok_or_else(no_cell);
        Ok(Self {
            anchor: cell(0)?,
            owner_id: row.get(first + 1)?,
            name: row.get(first + 2)?,
            description: row.get(first + 3)?,
            cells: row.get(first + 4)?,
            area_m2: row.get(first + 5)?,
            center: cell(6)?,
            biome: row.get(first + 7)?,
            front: Front::from_bits(row.get(first + 8)?),
            claimed_at_us: row.get(first + 9)?,
            lease_id: row.get(first + 10)?,
            frozen_at_us: row.get(first + 11)?,
        })
    }
}

fn no_cell() -> store::Error {
    store::Error::Damaged { detail: "parcels: a key is no cell".to_owned() }
}

/// A cell that stands in a column.
pub(crate) fn cell_at(row: &Row, column: usize) -> Result<CellId, store::Error> {
    CellId::from_sql(row.get(column)?).ok_or_else(no_cell)
}

/// The parcel that a lot belongs to; `None` for a lot of nobody. Whoever means to change it uses [`take`].
pub fn parcel(tx: &mut Tx<'_>, any_cell: CellId) -> Result<Option<ParcelFacts>, store::Error> {
    let row = tx.query_opt(OF_CELL, params![any_cell.to_sql()])?;
    row.map(|row| ParcelFacts::from_row(&row, 0)).transpose()
}

/// A parcel by its anchor; `None` if that is the anchor of none.
pub(crate) fn by_anchor(tx: &mut Tx<'_>, anchor: CellId) -> Result<Option<ParcelFacts>, store::Error> {
    let row = tx.query_opt(BY_ANCHOR, params![anchor.to_sql()])?;
    row.map(|row| ParcelFacts::from_row(&row, 0)).transpose()
}

/// As [`parcel`], and nobody else changes it until the transaction ends: neither owner nor lots nor encumbrance.
/// Parcels are taken before balances, several of them by [`take_all`].
pub fn take(tx: &mut Tx<'_>, any_cell: CellId) -> Result<Option<ParcelFacts>, store::Error> {
    for _ in 0..TAKES_MAX {
        let Some(anchor) = anchor_of(tx, any_cell)? else { return Ok(None) };
        let row = tx.query_opt(TAKE, params![anchor.to_sql()])?;
        // It may have been merged away, or the lot split off, while we waited for it.
        if let Some(row) = row
            && anchor_of(tx, any_cell)? == Some(anchor)
        {
            return ParcelFacts::from_row(&row, 0).map(Some);
        }
    }
    Err(store::Error::Retry)
}

/// The parcels that some lots belong to, each once and by ascending id, taken in that order; `None` if one of the lots
/// is nobody's.
pub fn take_all(tx: &mut Tx<'_>, cells: &[CellId]) -> Result<Option<Vec<ParcelFacts>>, store::Error> {
    for _ in 0..TAKES_MAX {
        let Some(anchors) = anchors_of(tx, cells)? else { return Ok(None) };
        let mut taken = Vec::with_capacity(anchors.len());
        for anchor in &anchors {
            if let Some(row) = tx.query_opt(TAKE, params![anchor.to_sql()])? {
                taken.push(ParcelFacts::from_row(&row, 0)?);
            }
        }
        // As in `take`: the lots may have changed hands while we waited.
        if taken.len() == anchors.len() && anchors_of(tx, cells)?.as_ref() == Some(&anchors) {
            return Ok(Some(taken));
        }
    }
    Err(store::Error::Retry)
}

/// The anchors of the parcels that lots belong to, each once, ascending as SQL has them.
fn anchors_of(tx: &mut Tx<'_>, cells: &[CellId]) -> Result<Option<Vec<CellId>>, store::Error> {
    let mut anchors = Vec::with_capacity(cells.len());
    for cell in cells {
        match anchor_of(tx, *cell)? {
            Some(anchor) => anchors.push(anchor),
            None => return Ok(None),
        }
    }
    anchors.sort_unstable_by_key(|it| it.to_sql());
    anchors.dedup();
    Ok(Some(anchors))
}

/// The lots of several parcels, by their anchors.
pub(crate) fn cells_of(
    tx: &mut Tx<'_>,
    anchors: &BTreeSet<CellId>,
) -> Result<BTreeMap<CellId, Vec<CellId>>, store::Error> {
    let rows: Vec<Vec<Value>> = anchors.iter().map(|it| vec![it.to_sql().into()]).collect();
    let mut cells: BTreeMap<CellId, Vec<CellId>> = BTreeMap::new();
    for row in tx.query_rows(CELLS_OF, &rows)? {
        cells.entry(cell_at(&row, 0)?).or_default().push(cell_at(&row, 1)?);
    }
    Ok(cells)
}

/// For lists: what is known of parcels that have these anchors, with the first 64 lots of each, in no particular order.
pub fn facts_of(
    tx: &mut Tx<'_>,
    anchors: &[CellId],
) -> Result<Vec<(CellId, ParcelFacts, Vec<CellId>)>, store::Error> {
    let ids: BTreeSet<i64> = anchors.iter().map(|it| it.to_sql()).collect();
    let rows: Vec<Vec<Value>> = ids.iter().map(|it| vec![(*it).into()]).collect();
    let mut found = Vec::with_capacity(rows.len());
    let mut several: Vec<Vec<Value>> = Vec::new();
    for row in tx.query_rows(BY_ANCHORS, &rows)? {
        let facts = ParcelFacts::from_row(&row, 0)?;
        if facts.cells > 1 {
            several.push(vec![facts.anchor.to_sql().into()]);
        }
        let cells = if facts.cells == 1 { vec![facts.anchor] } else { Vec::new() };
        found.push((facts.anchor, facts, cells));
    }
    let mut cells: BTreeMap<CellId, Vec<CellId>> = BTreeMap::new();
    for row in tx.query_rows(FIRST_CELLS, &several)? {
        cells.entry(cell_at(&row, 0)?).or_default().push(cell_at(&row, 1)?);
    }
    for (anchor, _, shown) in &mut found {
        if let Some(mut cells) = cells.remove(anchor) {
            cells.sort_unstable();
            *shown = cells;
        }
    }
    Ok(found)
}

fn anchor_of(tx: &mut Tx<'_>, cell: CellId) -> Result<Option<CellId>, store::Error> {
    tx.query_opt(PARCEL_OF, params![cell.to_sql()])?.map(|row| cell_at(&row, 0)).transpose()
}

/// For rounds over all land: up to `count` parcels after one, in the order of their SQL keys.
pub fn every(tx: &mut Tx<'_>, after: Option<CellId>, count: u32) -> Result<Vec<ParcelFacts>, store::Error> {
    let after = after.map_or(i64::MIN, CellId::to_sql);
    tx.query(EVERY, params![after, count])?.iter().map(|row| ParcelFacts::from_row(row, 0)).collect()
}

/// The lots of a parcel, in the order of their SQL keys.
pub fn cells(tx: &mut Tx<'_>, anchor: CellId) -> Result<Vec<CellId>, store::Error> {
    tx.query(CELLS, params![anchor.to_sql()])?.iter().map(|row| cell_at(row, 0)).collect()
}
