//! Postings: the legs of each sum to zero, and each is in the chain.

use std::collections::{BTreeMap, HashMap, HashSet};

use store::{Tx, Value, params};
use uuid::Uuid;

use super::Fault;
use super::walk::Stride;

store::statements! {
    /// Some postings.
    SOME = "select posting_id from postings where posting_id > $1 order by posting_id limit $2";
    /// Which of them are sealed. Asked by key: a join with the whole chain may be planned as a sort of it.
    SEALED = "select c.posting_id from rows(posting_id uuid) \
              join posting_chain c on c.posting_id = rows.posting_id";
    /// Which of them wait for it.
    WAITING = "select u.posting_id from rows(posting_id uuid) \
               join unsealed_postings u on u.posting_id = rows.posting_id";
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
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let keys: Vec<_> = ids.iter().map(|it| params![*it].to_vec()).collect();
    let (sealed, waiting) = (which(tx, SEALED, &keys)?, which(tx, WAITING, &keys)?);
    let has_one_place = |it: &&Uuid| sealed.contains(it) != waiting.contains(it);
    let homeless = ids.iter().filter(|it| !has_one_place(it));
    faults.extend(homeless.map(|it| Fault::NotSealed { posting_id: *it }));
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

fn which(tx: &mut Tx<'_>, sql: &'static str, keys: &[Vec<Value>]) -> Result<HashSet<Uuid>, store::Error> {
    tx.query_rows(sql, keys)?.iter().map(|row| row.get(0)).collect()
}
