//! What is recorded.

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Details that are longer, as JSON, are a mistake of the code that records them.
pub const DETAILS_BYTES_MAX: usize = 8 * 1024;

/// Who did it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Actor {
    /// Somebody who is signed in, or their API key.
    Account {
        /// Whose account.
        account_id: Uuid,
    },
    /// Terrane itself, because its time had come: an auction's end, neglected land.
    System,
    /// Whoever holds the machine, by the command line.
    Operator,
}

impl Actor {
    /// An account.
    pub const fn account(account_id: Uuid) -> Self {
        Self::Account { account_id }
    }

    /// As it is written in the database and in the API.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Account { .. } => "account",
            Self::System => "system",
            Self::Operator => "operator",
        }
    }

    /// The account, if it was one.
    pub const fn account_id(self) -> Option<Uuid> {
        match self {
            Self::Account { account_id } => Some(account_id),
            Self::System | Self::Operator => None,
        }
    }
}

/// Something that was done. It holds ids and numbers, never a name, an address or words of a person: entries cannot be
/// removed. Words belong in [`Reason`].
#[derive(Clone, PartialEq, Debug)]
pub struct Entry {
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// Who.
    pub actor: Actor,
    /// What, dotted: `account.role_changed`.
    pub action: &'static str,
    /// What sort of thing it was done to: `account`, `land`, `listing`.
    pub subject_kind: &'static str,
    /// Which one.
    pub subject_id: String,
    /// Why, if a person said it.
    pub reason: Option<Reason>,
    /// What changed, an object: `{"from": "player", "to": "moderator"}`. [`DETAILS_BYTES_MAX`] at most.
    pub details: Value,
}

/// Why a person did it, in their words, sealed so that the words can be forgotten while the entry stays.
///
/// The entry holds `SHA-256("terrane audit reason 1" ‖ salt ‖ words)`. The salt of 32 bytes is sealed with the words:
/// once their key is gone, nobody can try words against the entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reason {
    pub(crate) account_id: Uuid,
    pub(crate) sealed: Vec<u8>,
    pub(crate) commitment: [u8; 32],
}

const REASON_SALT_BYTES: usize = 32;

/// What the commitment of a reason covers beside salt and words.
const REASON_DOMAIN: &[u8] = b"terrane audit reason 1";

impl Reason {
    /// Seals the words by `seal`, which is given bytes and gives back what only the key of `account_id` opens. The
    /// account is the one whom the words are about, or else the one who wrote them.
    pub fn sealed_by<E>(
        account_id: Uuid,
        words: &str,
        seal: impl FnOnce(&[u8]) -> Result<Vec<u8>, E>,
    ) -> Result<Self, E> {
        let salt: [u8; REASON_SALT_BYTES] = rand::random();
        let salted = [&salt[..], words.as_bytes()].concat();
        Ok(Self { account_id, sealed: seal(&salted)?, commitment: commitment(&salted) })
    }
}

/// The words in an opened reason, if they are those that the entry was made with.
pub(crate) fn words(opened: &[u8], expected: &[u8; 32]) -> Option<String> {
    let words = opened.get(REASON_SALT_BYTES..)?;
    (commitment(opened) == *expected).then(|| String::from_utf8(words.to_vec()).ok()).flatten()
}

fn commitment(salted: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(REASON_DOMAIN).chain_update(salted).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_opens_to_its_words_and_to_no_others() {
        let account_id = Uuid::from_u128(1);
        let same = |salted: &[u8]| Ok::<_, ()>(salted.to_vec());
        let reason = Reason::sealed_by(account_id, "grief at ü", same).unwrap();
        assert_eq!(words(&reason.sealed, &reason.commitment).as_deref(), Some("grief at ü"));
        let again = Reason::sealed_by(account_id, "grief at ü", same).unwrap();
        assert_ne!(again.commitment, reason.commitment, "nobody can try words against it");
        assert_eq!(words(&again.sealed, &reason.commitment), None);
        assert_eq!(words(b"short", &reason.commitment), None);
    }
}
