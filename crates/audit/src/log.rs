//! Entries as they stand in the log.
//!
//! ```text
//! hash(0) = SHA-256("terrane audit log 1")
//! hash(n) = SHA-256(hash(n − 1) ‖ entry n), the entry as
//!
//!   8  n                                    all numbers big-endian
//!  16  entry id
//!   8  at, µs since 1970
//!   4  length, then the actor               texts UTF-8
//!   1  1 and 16 account id, or 0
//!   4  length, then the action
//!   4  length, then the kind of the subject
//!   4  length, then the id of the subject
//!   4  length, then the details, JSON as it was written
//!   1  1 and 4 length and the commitment of the reason, or 0
//! ```
//!
//! The same bytes are the leaf of the tree.

use ::chain::Canonical;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::merkle::{self, Hash};

/// What the first hash covers beside the first entry.
const GENESIS: &[u8] = b"terrane audit log 1";

store::statements! {
    /// Entries after a place, in order.
    AFTER = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, details, \
             reason_commitment, hash from audit_entries where sequence > $1 order by sequence limit $2";
    /// One entry.
    ONE = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, details, \
           reason_commitment, hash from audit_entries where sequence = $1";
    /// One entry, by its id.
    BY_ID = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, details, \
             reason_commitment, hash from audit_entries where audit_entry_id = $1";
}

/// The hash before the first.
pub(crate) fn genesis() -> Hash {
    ::chain::genesis(GENESIS)
}

/// An entry with its place in the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Logged {
    /// Its place, from 1.
    pub sequence: i64,
    /// What [`crate::record`] gave.
    pub entry_id: Uuid,
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// [`crate::Actor::kind`].
    pub actor: String,
    /// The account, if it was one.
    pub actor_account_id: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what sort of thing.
    pub subject_kind: String,
    /// To which one.
    pub subject_id: String,
    /// What changed, JSON as it was written.
    pub details: String,
    /// Shows which words were its reason.
    pub reason_commitment: Option<Vec<u8>>,
    /// The hash of the chain.
    pub hash: Hash,
}

impl Logged {
    /// In the order in which the statements of this crate select.
    pub(crate) fn from_row(row: &Row) -> Result<Self, store::Error> {
        Ok(Self {
            sequence: row.get(0)?,
            entry_id: row.get(1)?,
            at_us: row.get(2)?,
            actor: row.get(3)?,
            actor_account_id: row.get(4)?,
            action: row.get(5)?,
            subject_kind: row.get(6)?,
            subject_id: row.get(7)?,
            details: row.get(8)?,
            reason_commitment: row.get(9)?,
            hash: row.get(10)?,
        })
    }

    /// See the head of this file.
    pub fn canonical(&self) -> Vec<u8> {
        let head = Canonical::new()
            .number(self.sequence)
            .id(Some(self.entry_id))
            .number(self.at_us)
            .text(&self.actor);
        let head = match self.actor_account_id {
            Some(account_id) => head.byte(1).id(Some(account_id)),
            None => head.byte(0),
        };
        let body =
            head.text(&self.action).text(&self.subject_kind).text(&self.subject_id).text(&self.details);
        match &self.reason_commitment {
            Some(commitment) => body.byte(1).count(commitment.len()).raw(commitment),
            None => body.byte(0),
        }
        .finish()
    }

    /// Its leaf in the tree.
    pub fn leaf(&self) -> Hash {
        merkle::leaf(&self.canonical())
    }

    /// What its hash must be after that of the entry before it.
    pub(crate) fn expected_hash(&self, before: &Hash) -> Hash {
        ::chain::link(before, &self.canonical())
    }
}

/// Up to `count` entries after a place, in order.
pub(crate) fn after(tx: &mut Tx<'_>, sequence: i64, count: u32) -> Result<Vec<Logged>, store::Error> {
    tx.query(AFTER, params![sequence, count])?.iter().map(Logged::from_row).collect()
}

/// The entry at a place.
pub fn find(tx: &mut Tx<'_>, sequence: i64) -> Result<Option<Logged>, store::Error> {
    tx.query_opt(ONE, params![sequence])?.map(|row| Logged::from_row(&row)).transpose()
}

/// The entry with an id, once it has its place.
pub fn find_by_id(tx: &mut Tx<'_>, entry_id: Uuid) -> Result<Option<Logged>, store::Error> {
    tx.query_opt(BY_ID, params![entry_id])?.map(|row| Logged::from_row(&row)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex;

    /// Never to be changed: logs of living planets are checked by it.
    #[test]
    fn the_form_of_the_log_is_for_ever() {
        let logged = Logged {
            sequence: 1,
            entry_id: Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001),
            at_us: 1_763_715_600_000_001,
            actor: "account".to_owned(),
            actor_account_id: Some(Uuid::from_u128(7)),
            action: "account.role_changed".to_owned(),
            subject_kind: "account".to_owned(),
            subject_id: "ü".to_owned(),
            details: "{}".to_owned(),
            reason_commitment: Some(vec![9; 32]),
            hash: [0; 32],
        };
        let bytes = logged.canonical();
        let texts = (4 + 7) + (4 + 20) + (4 + 7) + (4 + 2) + (4 + 2);
        assert_eq!(bytes.len(), 8 + 16 + 8 + texts + 17 + 1 + 4 + 32);
        assert_eq!(hex::encode(&bytes[32..43]), "000000076163636f756e74");
        assert_eq!(hex::encode(&genesis()), GENESIS_HEX);
        assert_eq!(hex::encode(&logged.expected_hash(&genesis())), FIRST_HEX);
        assert_eq!(hex::encode(&logged.leaf()), LEAF_HEX);
        let by_nobody = Logged { actor_account_id: None, reason_commitment: None, ..logged.clone() };
        assert_ne!(by_nobody.leaf(), logged.leaf());
    }

    const GENESIS_HEX: &str = "34f8d3b5429cc7c98cddc3310444108af3eb30d3b9ebfc1c5dcba845c5d6ace3";
    const FIRST_HEX: &str = "f1ec57ab2677bf38cb08afb2fb29fbecd8557d16e006e51c5f075f5d91bdb27f";
    const LEAF_HEX: &str = "854c7bc58757f990e4ab37abb27aa934089c69bd2e50ab07fe22945973245b7a";
}
