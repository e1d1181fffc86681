//! What staff sees of the log.

use api::timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::checkpoint::Checkpoint;
use crate::hex;
use crate::log::Logged;
use crate::reasons::Words;

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ActorView {
    /// `account`, `operator` (who holds the machine) or `system` (its time had come).
    #[schema(example = "account", max_length = 16)]
    pub kind: String,
    /// The account, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub account_id: Option<Uuid>,
}

/// What it was done to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SubjectView {
    /// `account`, `land`, `listing` and so on.
    #[schema(example = "account", max_length = 64)]
    pub kind: String,
    /// Which one.
    #[schema(example = "019aa5c3-1f00-7000-8000-000000000001", max_length = 200)]
    pub id: String,
}

/// What is left of the reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonState {
    /// Nobody gave one.
    None,
    /// It is in `reason`.
    Kept,
    /// The person asked to be forgotten.
    Forgotten,
    /// What is kept are not the words that the entry was made with.
    Altered,
}

/// An entry of the log.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "sequence": 42,
    "entry_id": "019aa5c3-1f00-7000-8000-000000000042",
    "at": "2026-11-21T09:00:00Z",
    "actor": {"kind": "account", "account_id": "019aa5c3-1f00-7000-8000-000000000002"},
    "action": "account.role_changed",
    "subject": {"kind": "account", "id": "019aa5c3-1f00-7000-8000-000000000001"},
    "details": {"from": "player", "to": "moderator"},
    "reason_state": "kept",
    "reason": "Helps newcomers at the harbour",
    "hash": "f1ec57ab2677bf38cb08afb2fb29fbecd8557d16e006e51c5f075f5d91bdb27f"
}))]
pub struct EntryView {
    /// Its place in the log, from 1.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// Its id; sorts by time.
    pub entry_id: Uuid,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// Who.
    pub actor: ActorView,
    /// What was done.
    #[schema(max_length = 100)]
    pub action: String,
    /// To what.
    pub subject: SubjectView,
    /// What changed; its members depend on the action.
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
    /// What is left of the reason.
    pub reason_state: ReasonState,
    /// The reason, if it is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, nullable = false)]
    pub reason: Option<String>,
    /// The hash of the chain: SHA-256 over the hash before it and this entry.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub hash: String,
}

impl EntryView {
    pub(crate) fn of(it: Logged, words: Words) -> Self {
        let (reason_state, reason) = match words {
            Words::None => (ReasonState::None, None),
            Words::Kept(words) => (ReasonState::Kept, Some(words)),
            Words::Forgotten => (ReasonState::Forgotten, None),
            Words::Altered => (ReasonState::Altered, None),
        };
        Self {
            sequence: it.sequence,
            entry_id: it.entry_id,
            at: timestamp(it.at_us),
            actor: ActorView { kind: it.actor, account_id: it.actor_account_id },
            action: it.action,
            subject: SubjectView { kind: it.subject_kind, id: it.subject_id },
            // What was altered may be no JSON any more; it is shown as it is.
            details: serde_json::from_str(&it.details)
                .unwrap_or_else(|_| serde_json::json!({ "unreadable": it.details })),
            reason_state,
            reason,
            hash: hex::encode(&it.hash),
        }
    }
}

/// A signed statement about the log: at this time it had this size and this root. Keep some of them where the
/// operator of the planet cannot change them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "log_id": "019aa5c3-1f00-7000-8000-000000000000",
    "tree_size": 42,
    "at": "2026-11-21T09:05:00Z",
    "at_us": 1_795_165_500_000_000_i64,
    "root": "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    "chain_hash": "f1ec57ab2677bf38cb08afb2fb29fbecd8557d16e006e51c5f075f5d91bdb27f",
    "public_key": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "signature": "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
}))]
pub struct CheckpointView {
    /// The planet's id.
    pub log_id: Uuid,
    /// How many entries.
    #[schema(minimum = 1)]
    pub tree_size: i64,
    /// When it was signed.
    #[schema(value_type = String, format = DateTime)]
    pub at: jiff::Timestamp,
    /// The same in microseconds since 1970, as it is signed.
    pub at_us: i64,
    /// The root of the Merkle tree (RFC 9162, SHA-256).
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub root: String,
    /// The last hash of the chain.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub chain_hash: String,
    /// The Ed25519 key, one of those at `/.well-known/jwks.json` at that time.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub public_key: String,
    /// Over `terrane audit checkpoint 1`, the 16 bytes of the log id, size and time in 8 bytes each (big-endian), root
    /// and chain hash.
    #[schema(pattern = "^[0-9a-f]{128}$")]
    pub signature: String,
}

impl From<Checkpoint> for CheckpointView {
    fn from(it: Checkpoint) -> Self {
        Self {
            log_id: it.log_id,
            tree_size: it.tree_size,
            at: timestamp(it.at_us),
            at_us: it.at_us,
            root: hex::encode(&it.root),
            chain_hash: hex::encode(&it.chain_hash),
            public_key: hex::encode(&it.public_key),
            signature: hex::encode(&it.signature),
        }
    }
}

/// Shows that an entry is in the log, to somebody who has nothing but a root.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ProofView {
    /// The entry's place; its leaf has the index `sequence − 1`.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// The entry's bytes in hexadecimal, which the leaf is the hash of: SHA-256 over a zero byte and these.
    #[schema(max_length = 32768)]
    pub leaf_data: String,
    /// The leaf.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub leaf_hash: String,
    /// The size of the tree that the proof is about.
    #[schema(minimum = 1)]
    pub tree_size: i64,
    /// The root of that tree.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub root: String,
    /// The inclusion proof, RFC 9162 section 2.1.3: hashes from the leaf's side up.
    #[schema(max_items = 64)]
    pub path: Vec<String>,
    /// The checkpoint of that very size, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub checkpoint: Option<CheckpointView>,
    /// Shows that the tree begins with an older one, if `from_size` was given: RFC 9162 section 2.1.4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub consistency: Option<ConsistencyView>,
}

/// Shows that a tree only grew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyView {
    /// The size of the older tree.
    #[schema(minimum = 1)]
    pub from_size: i64,
    /// Its root.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub from_root: String,
    /// The proof.
    #[schema(max_items = 64)]
    pub path: Vec<String>,
}

/// How the log stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct VerificationView {
    /// How many entries it has.
    #[schema(minimum = 0)]
    pub entries: i64,
    /// How many wait for their place: a moment each.
    #[schema(minimum = 0)]
    pub waiting: i64,
    /// The last hash of the chain.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub head_hash: String,
    /// The root of the tree.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub root: String,
    /// What the check in the background found wrong in its last whole pass or in this one so far; zero unless somebody
    /// altered the database. The log of the server names each.
    #[schema(minimum = 0)]
    pub faults: u64,
    /// When it last came to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub checked_at: Option<jiff::Timestamp>,
    /// The newest checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub checkpoint: Option<CheckpointView>,
}
