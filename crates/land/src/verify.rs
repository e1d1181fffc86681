//! The proof that land, titles and books agree.

use std::collections::{BTreeMap, BTreeSet};

use cell::CellId;
use ledger::AssetId;
use store::{Tx, params};
use uuid::Uuid;

use crate::books::deed;
use crate::encumbrance::EncumbranceKind;
use crate::fault::Fault;
use crate::parcel::cell_at;
use crate::shape::is_connected;

/// How much the true area of a parcel may differ from that of its lots, in parts of it: rounding of the sums.
const AREA_TOLERANCE: f64 = 1e-9;

store::statements! {
    /// Every parcel with the owner of its newest title.
    PARCELS = "select p.parcel_id, p.owner_id, p.cell_count, p.area_m2, t.owner_id from parcels p \
               left join titles t on t.parcel_id = p.parcel_id and t.title_number = \
               (select max(title_number) from titles where titles.parcel_id = p.parcel_id)";
    /// Every owned lot.
    LOTS = "select cell, parcel_id from parcel_cells";
    /// Former parcels whose newest title names an owner all the same.
    OWNED_NOTHINGS = "select t.parcel_id, t.owner_id from titles t where t.owner_id is not null and t.title_number = \
                      (select max(n.title_number) from titles n where n.parcel_id = t.parcel_id) \
                      and not exists (select 1 from parcels p where p.parcel_id = t.parcel_id)";
    /// Gaps in the numbers of titles.
    TITLE_GAPS = "select parcel_id from titles group by parcel_id having max(title_number) <> count(*)";
    /// Every promise.
    ENCUMBRANCES = "select parcel_id, kind, reference_id from encumbrances";
    /// Gifts that are offered.
    OFFERED_GIFTS = "select gift_id, parcel_id, from_id from gifts where state = 'offered'";
}

/// What one kind of promise may refer to: all of these that are open, as (parcel, reference). Read in the transaction
/// of the proof.
pub type OpenReferences<'a> =
    (EncumbranceKind, &'a dyn Fn(&mut Tx<'_>) -> Result<Vec<(CellId, Uuid)>, store::Error>);

/// Compares parcels with their lots, deeds, titles and gifts. Reads it all: for an operator and for tests, in a read
/// transaction.
pub fn verify(tx: &mut Tx<'_>) -> Result<Vec<Fault>, store::Error> {
    verify_with(tx, &[])
}

/// [`verify`], and promises of some kinds against what they refer to: each is there, and each of those is promised.
pub fn verify_with(tx: &mut Tx<'_>, open: &[OpenReferences<'_>]) -> Result<Vec<Fault>, store::Error> {
    let mut faults = Vec::new();
    let mut cells = cells_by_parcel(tx)?;
    let mut deeds: BTreeMap<AssetId, Uuid> = wallet::deed_holders(tx)?.into_iter().collect();
    let mut owners = BTreeMap::new();
    let mut radii = Vec::new();
    for row in tx.query(PARCELS, params![])? {
        let parcel = cell_at(&row, 0)?;
        let owner_id: Uuid = row.get(1)?;
        let lots = cells.remove(&parcel).unwrap_or_default();
        faults.extend(shape_faults(parcel, &lots, row.get(2)?));
        let holder_id = deeds.remove(&deed(parcel));
        if holder_id != Some(owner_id) {
            faults.push(Fault::OwnerWithoutDeed { lot: parcel, owner_id, holder_id });
        }
        if row.get::<Option<Uuid>>(4)? != Some(owner_id) {
            faults.push(Fault::OwnerWithoutTitle { lot: parcel, owner_id });
        }
        // Where it is null the next start fills it in.
        if let Some(area_m2) = row.get::<Option<f64>>(3)? {
            radii.push((parcel, area_m2, area_sr(&lots)));
        }
        owners.insert(parcel, owner_id);
    }
    faults.extend(area_faults(&radii));
    faults.extend(cells.into_keys().map(|parcel| Fault::LotsWithoutParcel { parcel }));
    faults.extend(deeds.into_iter().map(|(deed, holder_id)| Fault::DeedWithoutLot { deed, holder_id }));
    for row in tx.query(OWNED_NOTHINGS, params![])? {
        faults.push(Fault::TitleWithoutLot { lot: cell_at(&row, 0)?, owner_id: row.get(1)? });
    }
    for row in tx.query(TITLE_GAPS, params![])? {
        faults.push(Fault::TitleMissing { lot: cell_at(&row, 0)? });
    }
    let gifts = |tx: &mut Tx<'_>| {
        let rows = tx.query(OFFERED_GIFTS, params![])?;
        rows.iter().map(|row| Ok((cell_at(row, 1)?, row.get(0)?))).collect()
    };
    let mut references: Vec<OpenReferences<'_>> = open.to_vec();
    references.push((EncumbranceKind::Gift, &gifts));
    promise_faults(tx, &references, &mut faults)?;
    for row in tx.query(OFFERED_GIFTS, params![])? {
        let (parcel, giver_id): (CellId, Uuid) = (cell_at(&row, 1)?, row.get(2)?);
        if owners.get(&parcel) != Some(&giver_id) {
            faults.push(Fault::GiftOfAnother { gift_id: row.get(0)?, lot: parcel, giver_id });
        }
    }
    Ok(faults)
}

fn cells_by_parcel(tx: &mut Tx<'_>) -> Result<BTreeMap<CellId, Vec<CellId>>, store::Error> {
    let mut cells: BTreeMap<CellId, Vec<CellId>> = BTreeMap::new();
    for row in tx.query(LOTS, params![])? {
        cells.entry(cell_at(&row, 1)?).or_default().push(cell_at(&row, 0)?);
    }
    Ok(cells)
}

fn area_sr(lots: &[CellId]) -> f64 {
    lots.iter().map(|it| it.area_sr()).sum()
}

fn shape_faults(parcel: CellId, lots: &[CellId], count: i64) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !lots.contains(&parcel) {
        faults.push(Fault::AnchorOutside { parcel });
    }
    if !is_connected(lots) {
        faults.push(Fault::NotConnected { parcel });
    }
    if lots.len() as i64 != count {
        faults.push(Fault::CountWrong { parcel, written: count, is: lots.len() });
    }
    if lots.iter().any(|it| it.level() != parcel.level()) {
        faults.push(Fault::LevelsDiffer { parcel });
    }
    faults
}

/// The radius of the planet is the same for all: whose area tells another is wrong.
fn area_faults(radii: &[(CellId, f64, f64)]) -> Vec<Fault> {
    let mut squares: Vec<f64> = radii.iter().map(|(_, area_m2, area_sr)| area_m2 / area_sr).collect();
    squares.sort_unstable_by(f64::total_cmp);
    let Some(usual) = squares.get(squares.len() / 2).copied() else { return Vec::new() };
    let is_wrong = |area_m2: f64, area_sr: f64| {
        let difference = (area_m2 / area_sr / usual - 1.0).abs();
        // A parcel without lots has no area at all.
        difference.is_nan() || difference > AREA_TOLERANCE
    };
    radii
        .iter()
        .filter(|(_, area_m2, area_sr)| is_wrong(*area_m2, *area_sr))
        .map(|(parcel, area_m2, _)| Fault::AreaWrong { parcel: *parcel, area_m2: area_m2.to_string() })
        .collect()
}

fn promise_faults(
    tx: &mut Tx<'_>,
    open: &[OpenReferences<'_>],
    faults: &mut Vec<Fault>,
) -> Result<(), store::Error> {
    let mut promises: BTreeMap<&'static str, BTreeSet<(CellId, Uuid)>> = BTreeMap::new();
    for row in tx.query(ENCUMBRANCES, params![])? {
        let code: String = row.get(1)?;
        let kind = EncumbranceKind::from_code(&code)
            .ok_or_else(|| store::Error::Damaged { detail: "encumbrances: no such kind".to_owned() })?;
        promises.entry(kind.code()).or_default().insert((cell_at(&row, 0)?, row.get(2)?));
    }
    for (kind, references) in open {
        let open: BTreeSet<(CellId, Uuid)> = references(tx)?.into_iter().collect();
        let promised = promises.remove(kind.code()).unwrap_or_default();
        for (parcel, reference_id) in promised.difference(&open).copied() {
            faults.push(Fault::PromiseOfNothing { parcel, kind: *kind, reference_id });
        }
        for (parcel, reference_id) in open.difference(&promised).copied() {
            faults.push(Fault::NotPromised { parcel, kind: *kind, reference_id });
        }
    }
    Ok(())
}
