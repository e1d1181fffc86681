//! The proof of the books, from one snapshot.

use std::collections::{BTreeMap, HashMap};

use store::{Tx, params};

use super::Fault;
use super::walk::{Stride, Walk};
use crate::chain::chain_head;

/// Faults of one sort that are listed; the rest is the same story.
const FAULTS_MAX: usize = 100;
const STRIDE: Stride = Stride(6_000);

store::statements! {
    /// How much has been written.
    COUNT_POSTINGS = "select count(*) from postings";
    /// How much waits for its seal.
    COUNT_UNSEALED = "select count(*) from unsealed_postings";
    /// The sum of all balances of each currency, and of all deeds together.
    SUMS = "select case when a.kind = 'deed' then 'deed' else a.asset_id end as name, \
            cast(sum(b.amount) as bigint) from balances b join assets a on a.asset_id = b.asset_id group by name";
    /// Assets of which there is something from nowhere.
    UNBALANCED_ASSETS = "select asset_id, cast(sum(amount) as bigint) from balances \
                         group by asset_id having sum(amount) <> 0 order by asset_id limit $1";
}

/// What a check of the books found, all from one snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// Postings ever booked.
    pub postings: i64,
    /// How many of them are in the chain, and the last hash: written down elsewhere, it shows later whether anything
    /// before it was changed.
    pub chain_head: (i64, [u8; 32]),
    /// Postings that wait for their seal: a moment each while a planet runs, and however long while it does not.
    pub unsealed: i64,
    /// Sum of all balances of each currency, and of all deeds together (`deed`): zero for each, or something came from
    /// nowhere.
    pub sums: BTreeMap<String, i64>,
    /// What is wrong; up to 100 of each sort.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks every balance, posting, deed and place of the chain. Reads it all: for an operator and for tests, in a read
/// transaction.
pub fn verify(tx: &mut Tx<'_>) -> Result<Report, store::Error> {
    let postings = tx.query_one(COUNT_POSTINGS, params![])?.get(0)?;
    let unsealed = tx.query_one(COUNT_UNSEALED, params![])?.get(0)?;
    let mut sums = BTreeMap::new();
    for row in tx.query(SUMS, params![])? {
        sums.insert(row.get(0)?, row.get(1)?);
    }
    let mut faults = Vec::new();
    for row in tx.query(UNBALANCED_ASSETS, params![FAULTS_MAX as i64])? {
        faults.push(Fault::AssetNotZero { asset: row.get(0)?, sum_minor: row.get(1)? });
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut walk = Walk::begin();
    while walk != Walk::Done {
        for fault in walk.step_by(tx, STRIDE)? {
            let count = counts.entry(fault.code()).or_default();
            *count += 1;
            if *count <= FAULTS_MAX {
                faults.push(fault);
            }
        }
    }
    Ok(Report { postings, chain_head: chain_head(tx)?, unsealed, sums, faults })
}
