//! Deeds: each that was issued is in exactly one account.

use std::collections::HashMap;

use ledger::AccountRef;
use store::{Tx, params};
use uuid::Uuid;

use super::Fault;
use super::walk::Stride;

store::statements! {
    /// Some deeds, in order.
    SOME = "select asset_id from assets where kind = 'deed' and asset_id > $1 order by asset_id limit $2";
    /// Where they are.
    HELD = "select b.asset_id, b.ledger_account_id, b.amount from rows(asset_id text) \
            join balances b on b.asset_id = rows.asset_id where b.amount <> 0";
}

/// One step; after which deed the next one begins, or `None` after the last.
pub(super) fn step(
    tx: &mut Tx<'_>,
    after: &str,
    stride: Stride,
    faults: &mut Vec<Fault>,
) -> Result<Option<String>, store::Error> {
    let rows = tx.query(SOME, params![after, stride.0.div_ceil(2)])?;
    let deeds: Vec<String> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let keys: Vec<_> = deeds.iter().map(|it| params![it].to_vec()).collect();
    let mut held: HashMap<String, Vec<(Uuid, i64)>> = HashMap::with_capacity(deeds.len());
    for row in tx.query_rows(HELD, &keys)? {
        held.entry(row.get(0)?).or_default().push((row.get(1)?, row.get(2)?));
    }
    for asset in &deeds {
        let held = held.remove(asset).unwrap_or_default();
        // The office is one short of each that it has issued; one that came back is nowhere.
        let (office, holders): (Vec<_>, Vec<_>) =
            held.into_iter().partition(|it| it.0 == AccountRef::LandOffice.id());
        let issued = office.iter().map(|it| -it.1).sum::<i64>();
        let is_whole = holders.iter().all(|it| it.1 == 1);
        if !is_whole || usize::try_from(issued) != Ok(holders.len()) || issued > 1 {
            faults.push(Fault::DeedNotOnce { asset: asset.clone(), holders: holders.len() });
        }
    }
    Ok(deeds.last().cloned())
}
