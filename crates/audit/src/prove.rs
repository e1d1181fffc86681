//! A whole proof about one entry, for somebody who has a checkpoint.

use store::Tx;

use crate::checkpoint::{checkpoints_between, last_checkpoint};
use crate::merkle::Hash;
use crate::view::{ConsistencyView, ProofView};
use crate::{consistency_proof, find, head, hex, inclusion_proof, root_at};

/// Why there is no such proof.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ProveError {
    /// No such place in the log.
    #[error("the log has no entry {sequence}; it has {entries}")]
    NoSuchEntry {
        /// Which.
        sequence: i64,
        /// How many there are.
        entries: i64,
    },
    /// No such tree, or one without what is to be shown.
    #[error("{size_of} must be from {from} to {to}")]
    NoSuchTree {
        /// `tree_size` or `from_size`.
        size_of: &'static str,
        /// The least it may be.
        from: i64,
        /// The most.
        to: i64,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The proof that the entry at `sequence` is in the tree of `tree_size` (of the newest checkpoint that has it, or the
/// whole, if absent), and that this tree begins with the one of `from_size`.
pub fn prove(
    tx: &mut Tx<'_>,
    sequence: i64,
    tree_size: Option<i64>,
    from_size: Option<i64>,
) -> Result<ProofView, ProveError> {
    let entries = head(tx)?.sequence;
    let found = if sequence <= entries { find(tx, sequence)? } else { None };
    let entry = found.ok_or(ProveError::NoSuchEntry { sequence, entries })?;
    let signed = last_checkpoint(tx)?.filter(|it| (sequence..=entries).contains(&it.tree_size));
    let tree_size = tree_size.or(signed.map(|it| it.tree_size)).unwrap_or(entries);
    let size = within("tree_size", tree_size, sequence, entries)?;
    let path = inclusion_proof(tx, sequence as u64, size)?;
    let consistency = match from_size {
        None => None,
        Some(from_size) => {
            let before = within("from_size", from_size, 1, tree_size)?;
            Some(ConsistencyView {
                from_size,
                from_root: hex::encode(&root_at(tx, before)?),
                path: hexes(&consistency_proof(tx, before, size)?),
            })
        }
    };
    let checkpoint = checkpoints_between(tx, tree_size - 1, tree_size, 1)?.pop();
    Ok(ProofView {
        sequence,
        leaf_data: hex::encode(&entry.canonical()),
        leaf_hash: hex::encode(&entry.leaf()),
        tree_size,
        root: hex::encode(&root_at(tx, size)?),
        path: hexes(&path),
        checkpoint: checkpoint.map(Into::into),
        consistency,
    })
}

fn within(size_of: &'static str, size: i64, from: i64, to: i64) -> Result<u64, ProveError> {
    let is_within = (from..=to).contains(&size);
    is_within.then_some(size as u64).ok_or(ProveError::NoSuchTree { size_of, from, to })
}

fn hexes(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|it| hex::encode(it)).collect()
}
