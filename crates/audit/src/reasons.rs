//! The words of reasons: the one thing here that may be removed.

use std::collections::HashMap;

use store::{Tx, params};
use uuid::Uuid;

use crate::entry::words;
use crate::log::Logged;

store::statements! {
    /// Sealed words.
    REASONS = "select r.audit_entry_id, r.account_id, r.sealed from rows(audit_entry_id uuid) \
               join audit_reasons r on r.audit_entry_id = rows.audit_entry_id";
    /// Those sealed with the key of an account.
    REASONS_OF = "select audit_entry_id, sealed from audit_reasons where account_id = $1 order by audit_entry_id \
                  limit $2";
    /// Forgets them.
    FORGET = "delete from audit_reasons where account_id = $1";
}

/// The field that words are sealed as.
pub const REASON_FIELD: &str = "audit_reason";

/// What is left of a reason.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Words {
    /// Nobody gave one.
    None,
    /// As they were said.
    Kept(String),
    /// Their key or they themselves are gone.
    Forgotten,
    /// They are not the words that the entry was made with.
    Altered,
}

/// Opens what the key of an account has sealed as [`REASON_FIELD`]; `None` if the key is gone.
pub type Open =
    std::sync::Arc<dyn Fn(&mut Tx<'_>, Uuid, &[u8]) -> Result<Option<Vec<u8>>, store::Error> + Send + Sync>;

/// The words of each of some entries, in their order.
pub(crate) fn of_entries(
    tx: &mut Tx<'_>,
    open: &Open,
    entries: &[Logged],
) -> Result<Vec<Words>, store::Error> {
    let with_words = entries.iter().filter(|it| it.reason_commitment.is_some());
    let keys: Vec<_> = with_words.map(|it| params![it.entry_id].to_vec()).collect();
    let mut sealed: HashMap<Uuid, (Uuid, Vec<u8>)> = HashMap::new();
    for row in tx.query_rows(REASONS, &keys)? {
        sealed.insert(row.get(0)?, (row.get(1)?, row.get(2)?));
    }
    let mut found = Vec::with_capacity(entries.len());
    for entry in entries {
        let Some(commitment) = &entry.reason_commitment else {
            found.push(Words::None);
            continue;
        };
        let opened = match sealed.get(&entry.entry_id) {
            None => Ok(None),
            Some((account_id, sealed)) => open(tx, *account_id, sealed),
        };
        found.push(match opened {
            Ok(None) => Words::Forgotten,
            Ok(Some(opened)) => {
                let expected = commitment.as_slice().try_into().ok();
                expected.and_then(|it| words(&opened, it)).map_or(Words::Altered, Words::Kept)
            }
            // What does not open was not sealed like this.
            Err(store::Error::Damaged { .. }) => Words::Altered,
            Err(error) => return Err(error),
        });
    }
    Ok(found)
}

/// The sealed words that the key of an account opens, by entry, up to `count`; for what a person may take home. What
/// opens begins with 32 bytes of salt.
pub fn reasons_of(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    count: u32,
) -> Result<Vec<(Uuid, Vec<u8>)>, store::Error> {
    let rows = tx.query(REASONS_OF, params![account_id, count])?;
    rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// Forgets all words sealed with the key of an account; how many reasons it were. The entries stay, and stay sound.
pub fn forget_reasons(tx: &mut Tx<'_>, account_id: Uuid) -> Result<u64, store::Error> {
    tx.execute(FORGET, params![account_id])
}
