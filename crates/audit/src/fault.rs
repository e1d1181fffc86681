//! What can be wrong with the log.

use std::fmt;

/// Something that cannot be if entries were only ever added.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Places of the log are empty.
    Missing {
        /// The first.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The hash of a place is not that of its entry and the hash before it: the entry, its hash or the hash before it
    /// was changed.
    ChainBroken {
        /// Which place.
        sequence: i64,
    },
    /// A node of the tree is not the hash over what is below it, or is not there: one of those entries, or the node
    /// itself, was changed.
    TreeBroken {
        /// The first entry below it.
        from: i64,
        /// The last.
        to: i64,
    },
    /// There are nodes of the tree over entries that are not there.
    TreeTooLarge {
        /// The first such entry.
        from: i64,
    },
    /// The log does not end where its end is written down, or with another hash or another root.
    EndWrong {
        /// The last place.
        sequence: i64,
        /// What is written down.
        written: i64,
    },
    /// A checkpoint says something else about the log than the log itself.
    CheckpointDiffers {
        /// Of which size.
        tree_size: i64,
    },
    /// A checkpoint is not signed by the key it names.
    CheckpointForged {
        /// Of which size.
        tree_size: i64,
    },
    /// A checkpoint is signed with a key that the log does not know of, or about another log.
    CheckpointForeign {
        /// Of which size.
        tree_size: i64,
    },
    /// A checkpoint was signed about entries that are not there.
    Cut {
        /// The last place.
        sequence: i64,
        /// What was signed.
        tree_size: i64,
    },
}

impl Fault {
    /// The name of its sort.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::ChainBroken { .. } => "chain_broken",
            Self::TreeBroken { .. } => "tree_broken",
            Self::TreeTooLarge { .. } => "tree_too_large",
            Self::EndWrong { .. } => "end_wrong",
            Self::CheckpointDiffers { .. } => "checkpoint_differs",
            Self::CheckpointForged { .. } => "checkpoint_forged",
            Self::CheckpointForeign { .. } => "checkpoint_foreign",
            Self::Cut { .. } => "cut",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { from, to } if from == to => write!(f, "entry {from} is missing"),
            Self::Missing { from, to } => write!(f, "entries {from} to {to} are missing"),
            Self::ChainBroken { sequence } => write!(f, "the chain is broken at entry {sequence}"),
            Self::TreeBroken { from, to } => write!(f, "the tree does not fit entries {from} to {to}"),
            Self::TreeTooLarge { from } => {
                write!(f, "the tree stands over entries from {from} on, which are not there")
            }
            Self::EndWrong { sequence, written } => {
                write!(
                    f,
                    "the log ends with entry {sequence}, which is not the end written down at {written}"
                )
            }
            Self::CheckpointDiffers { tree_size } => {
                write!(f, "the checkpoint of {tree_size} entries says something else than the log")
            }
            Self::CheckpointForged { tree_size } => {
                write!(f, "the checkpoint of {tree_size} entries is not signed by the key it names")
            }
            Self::CheckpointForeign { tree_size } => {
                write!(
                    f,
                    "the checkpoint of {tree_size} entries is signed with a key the log does not know, or for another log"
                )
            }
            Self::Cut { sequence, tree_size } => {
                write!(f, "the log ends with entry {sequence}, and {tree_size} entries were signed")
            }
        }
    }
}
