//! What the proof of land and books asks of leases: which land they have promised, and what money they have held.

use cell::CellId;
use store::{Row, Tx, params};
use uuid::Uuid;
use wallet::HoldReason;

use crate::lease::damaged;

store::statements! {
    /// Land that is offered for lease.
    OFFERED = "select parcel_id, lease_id from leases where state = 'offered'";
    /// Deposits; each is held under its lease's own id.
    DEPOSITS = "select lease_id, tenant_id, deposit_minor from leases where state = 'active' and deposit_minor > 0";
}

/// The parcels that are offered for lease, for `land::verify_with`.
pub fn open_offers(tx: &mut Tx<'_>) -> Result<Vec<(CellId, Uuid)>, store::Error> {
    let rows = tx.query(OFFERED, params![])?;
    let promise = |row: &Row| {
        let parcel = CellId::from_sql(row.get(0)?).ok_or_else(|| damaged("cell"))?;
        Ok((parcel, row.get(1)?))
    };
    rows.iter().map(promise).collect()
}

/// The deposits of running leases, for `wallet::verify_reasons`.
pub fn hold_reasons(tx: &mut Tx<'_>) -> Result<Vec<HoldReason>, store::Error> {
    let rows = tx.query(DEPOSITS, params![])?;
    let reason = |row: &Row| {
        Ok(HoldReason { hold_id: row.get(0)?, account_id: row.get(1)?, amount_minor: row.get(2)? })
    };
    rows.iter().map(reason).collect()
}
