//! What is signed about the log, now and then: whoever keeps a checkpoint elsewhere can tell later whether the past
//! was changed, even by somebody who made the whole log anew.
//!
//! ```text
//! signature = Ed25519 over
//!  26  "terrane audit checkpoint 1"
//!  16  log id: the planet's id
//!   8  size of the tree, big-endian, as the next
//!   8  at, µs since 1970
//!  32  root of the tree
//!  32  last hash of the chain
//! ```

use std::fmt;
use std::sync::Arc;

use ::chain::Canonical;
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::json;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::entry::{Actor, Entry};
use crate::merkle::Hash;
use crate::record;
use crate::seal::take_head;

/// Nothing else that the planet's key signs begins like this.
const DOMAIN: &[u8] = b"terrane audit checkpoint 1";

/// The action that tells of another key.
pub(crate) const KEY_CHANGED: &str = "audit.key_changed";

store::statements! {
    /// Keeps one.
    ADD = "insert into audit_checkpoints (tree_size, log_id, at, root, chain_hash, public_key, signature) \
           values ($1, $2, $3, $4, $5, $6, $7)";
    /// The newest.
    LAST = "select tree_size, log_id, at, root, chain_hash, public_key, signature from audit_checkpoints \
            order by tree_size desc limit 1";
    /// Those of trees of some sizes, in order.
    BETWEEN = "select tree_size, log_id, at, root, chain_hash, public_key, signature from audit_checkpoints \
               where tree_size > $1 and tree_size <= $2 order by tree_size limit $3";
    /// Those before one, the newest first.
    BEFORE = "select tree_size, log_id, at, root, chain_hash, public_key, signature from audit_checkpoints \
              where tree_size < $1 order by tree_size desc limit $2";
}

/// Signs bytes.
pub type Sign = Arc<dyn Fn(&[u8]) -> [u8; 64] + Send + Sync>;

/// The planet's hand.
#[derive(Clone)]
pub struct Signer {
    /// The planet's id.
    pub log_id: Uuid,
    /// The key that signatures are checked with.
    pub public_key: [u8; 32],
    /// Signs bytes.
    pub sign: Sign,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("log_id", &self.log_id).finish_non_exhaustive()
    }
}

/// A signed statement: at this time the log had this size and this root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// How many entries.
    pub tree_size: i64,
    /// The planet's id.
    pub log_id: Uuid,
    /// When it was signed, in microseconds since 1970.
    pub at_us: i64,
    /// The root of the tree.
    pub root: Hash,
    /// The last hash of the chain.
    pub chain_hash: Hash,
    /// Whose signature.
    pub public_key: [u8; 32],
    /// The signature.
    pub signature: [u8; 64],
}

impl Checkpoint {
    fn signed(&self) -> Vec<u8> {
        Canonical::new()
            .raw(DOMAIN)
            .id(Some(self.log_id))
            .number(self.tree_size)
            .number(self.at_us)
            .raw(&self.root)
            .raw(&self.chain_hash)
            .finish()
    }

    /// Whether its key has signed it.
    pub fn is_signed(&self) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(&self.public_key) else { return false };
        key.verify_strict(&self.signed(), &Signature::from_bytes(&self.signature)).is_ok()
    }

    fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            tree_size: row.get(0)?,
            log_id: row.get(1)?,
            at_us: row.get(2)?,
            root: row.get(3)?,
            chain_hash: row.get(4)?,
            public_key: row.get(5)?,
            signature: row.get(6)?,
        })
    }
}

/// Signs the log as it stands, if it has grown since the last time.
pub fn checkpoint(tx: &mut Tx<'_>, signer: &Signer, now_us: i64) -> Result<Option<Checkpoint>, store::Error> {
    // By one hand at a time, like all that follows the end of the log.
    let head = take_head(tx)?;
    if last_checkpoint(tx)?.map_or(0, |it| it.tree_size) >= head.sequence {
        return Ok(None);
    }
    let mut it = Checkpoint {
        tree_size: head.sequence,
        log_id: signer.log_id,
        at_us: now_us,
        root: head.peaks.root(),
        chain_hash: head.hash,
        public_key: signer.public_key,
        signature: [0; 64],
    };
    it.signature = (signer.sign)(&it.signed());
    tx.execute(
        ADD,
        params![it.tree_size, it.log_id, it.at_us, it.root, it.chain_hash, it.public_key, it.signature],
    )?;
    Ok(Some(it))
}

/// Records that the planet signs with another key from now on, if it does.
pub fn announce_key(tx: &mut Tx<'_>, signer: &Signer, now_us: i64) -> Result<bool, store::Error> {
    let Some(last) = last_checkpoint(tx)?.filter(|it| it.public_key != signer.public_key) else {
        return Ok(false);
    };
    let (from, to) = (crate::hex::encode(&last.public_key), crate::hex::encode(&signer.public_key));
    let entry = Entry {
        at_us: now_us,
        actor: Actor::System,
        action: KEY_CHANGED,
        subject_kind: "planet",
        subject_id: signer.log_id.to_string(),
        reason: None,
        details: json!({ "from": from, "to": to }),
    };
    record(tx, &entry)?;
    Ok(true)
}

/// The newest.
pub fn last_checkpoint(tx: &mut Tx<'_>) -> Result<Option<Checkpoint>, store::Error> {
    tx.query_opt(LAST, params![])?.map(|row| Checkpoint::from_row(&row)).transpose()
}

/// Those of trees larger than `after` and not larger than `to`, in order, up to `count`.
pub fn checkpoints_between(
    tx: &mut Tx<'_>,
    after: i64,
    to: i64,
    count: u32,
) -> Result<Vec<Checkpoint>, store::Error> {
    tx.query(BETWEEN, params![after, to, count])?.iter().map(Checkpoint::from_row).collect()
}

/// Those of trees smaller than `before`, the newest first, up to `count`.
pub(crate) fn checkpoints_before(
    tx: &mut Tx<'_>,
    before: i64,
    count: u32,
) -> Result<Vec<Checkpoint>, store::Error> {
    tx.query(BEFORE, params![before, count])?.iter().map(Checkpoint::from_row).collect()
}
