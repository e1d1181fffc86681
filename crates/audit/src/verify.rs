//! The proof of the log, from one snapshot.

use ::chain::Walk as _;
use store::Tx;
use uuid::Uuid;

use crate::checkpoint::{Checkpoint, last_checkpoint};
use crate::fault::Fault;
use crate::merkle::Hash;
use crate::seal::{head, waiting};
use crate::walk::Walk;

/// Faults that are listed; the rest is the same story.
const FAULTS_MAX: usize = 100;

/// What a check of the log found, all from one snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// How many entries the log has, by what is written down about its end.
    pub entries: i64,
    /// The last hash of the chain and the root of the tree.
    pub head: (Hash, Hash),
    /// Entries that wait for their place: a moment each while a planet runs, and however long while it does not.
    pub waiting: i64,
    /// The newest checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// The keys that checkpoints are signed with: that of the first, and those the log tells of.
    pub keys: Vec<[u8; 32]>,
    /// The planet that they are about.
    pub log_id: Option<Uuid>,
    /// What is wrong; up to 100.
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.faults.is_empty()
    }
}

/// Checks every entry, every node of the tree and every checkpoint. Reads it all: for an operator and for tests, in a
/// read transaction.
pub fn verify(tx: &mut Tx<'_>) -> Result<Report, store::Error> {
    let (mut walk, mut faults) = (Walk::begin(), Vec::new());
    while !walk.is_done() {
        let met = walk.step(tx)?;
        faults.extend(met.into_iter().take(FAULTS_MAX - faults.len()));
    }
    let (entries, head) = match head(tx) {
        Ok(it) => (it.sequence, (it.hash, it.peaks.root())),
        // Among the faults already.
        Err(store::Error::Damaged { .. }) => (0, ([0; 32], [0; 32])),
        Err(error) => return Err(error),
    };
    let (keys, log_id) = walk.keys();
    let (keys, waiting) = (keys.to_vec(), waiting(tx)?);
    Ok(Report { entries, head, waiting, checkpoint: last_checkpoint(tx)?, keys, log_id, faults })
}
