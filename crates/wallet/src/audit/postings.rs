//! Postings: the legs of each sum to zero, and each is in the chain.

use std::collections::{BTreeMap, HashMap};

use store::{Tx, params};
use uuid::Uuid;

use super::Fault;
use super::walk::Stride;

store::statements! {
    /// Some postings, and whether they are sealed or wait for it.
    SOME = "select p.posting_id, c.chain_number, u.posting_id from postings p \
            left join posting_chain c on c.posting_id = p.posting_id \
            left join unsealed_postings u on u.posting_id = p.posting_id \
            where p.posting_id > $1 order by p.posting_id limit $2";
    /// Their legs.
    LEGS = "select l.posting_id, l.asset_id, l.amount from rows(posting_id uuid) \
            join legs l on l.posting_id = rows.posting_id";
}

/// One step; after which posting the next one begins, or `None` after the last.
pub(super) fn step(
    tx: &mut Tx<'_>,
    after: Uuid,
    stride: Stride,
    faults: &mut Vec<Fault>,
) -> Result<Option<Uuid>, store::Error> {
    let rows = tx.query(SOME, params![after, stride.0.div_ceil(3)])?;
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        let posting_id: Uuid = row.get(0)?;
        let is_sealed = row.get::<Option<i64>>(1)?.is_some();
        let is_waiting = row.get::<Option<Uuid>>(2)?.is_some();
        if is_sealed == is_waiting {
            faults.push(Fault::NotSealed { posting_id });
        }
        ids.push(posting_id);
    }
    let keys: Vec<_> = ids.iter().map(|it| params![*it].to_vec()).collect();
    let mut sums: HashMap<Uuid, BTreeMap<String, i64>> = HashMap::with_capacity(ids.len());
    for row in tx.query_rows(LEGS, &keys)? {
        let sum = sums.entry(row.get(0)?).or_default().entry(row.get(1)?).or_default();
        *sum = sum.saturating_add(row.get(2)?);
    }
    for posting_id in &ids {
        match sums.remove(posting_id) {
            None => faults.push(Fault::PostingEmpty { posting_id: *posting_id }),
            Some(sums) => {
                let wrong = sums.into_iter().filter(|(_, sum)| *sum != 0);
                faults.extend(wrong.map(|(asset, sum_minor)| Fault::PostingNotZero {
                    posting_id: *posting_id,
                    asset,
                    sum_minor,
                }));
            }
        }
    }
    Ok(ids.last().copied())
}
