//! The chain: every place filled, every hash right, and the end where it is written down.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use store::{Tx, params};
use uuid::Uuid;

use super::Fault;
use super::walk::Stride;
use crate::chain::{Hash, booked, chain_head, genesis};

store::statements! {
    /// Some places of the chain, in order.
    SOME = "select chain_number, posting_id, hash from posting_chain where chain_number > $1 \
            order by chain_number limit $2";
}

/// The last place that was looked at, and its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    chain_number: i64,
    hash: Hash,
}

impl Place {
    pub(crate) fn begin() -> Self {
        Self { chain_number: 0, hash: genesis() }
    }
}

/// One step; where the next one begins, or `None` after the end.
pub(super) fn step(
    tx: &mut Tx<'_>,
    mut place: Place,
    stride: Stride,
    faults: &mut Vec<Fault>,
) -> Result<Option<Place>, store::Error> {
    let many = stride.0.div_ceil(3);
    let rows = tx.query(SOME, params![place.chain_number, many])?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.get(1)).collect::<Result<_, _>>()?;
    let postings: HashMap<Uuid, _> = booked(tx, &ids)?.into_iter().map(|it| (it.posting_id, it)).collect();
    for (row, id) in rows.iter().zip(&ids) {
        let (chain_number, hash): (i64, Hash) = (row.get(0)?, row.get(2)?);
        let expected = postings.get(id).map(|it| it.hash(&place.hash, chain_number));
        if chain_number != place.chain_number + 1 || expected != Some(hash) {
            faults.push(Fault::ChainBroken { chain_number });
        }
        // On with what is written: one fault is told once, not at every place after it.
        place = Place { chain_number, hash };
    }
    if rows.len() == many as usize {
        return Ok(Some(place));
    }
    let (head_number, head_hash) = chain_head(tx)?;
    if (head_number, head_hash) != (place.chain_number, place.hash) {
        faults.push(Fault::ChainCut { chain_number: place.chain_number, head_number });
    }
    Ok(None)
}
