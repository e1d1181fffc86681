//! Writing down what was done, in the transaction that does it.
//!
//! Nobody waits for anybody here: an entry waits in a table of its own until [`crate::seal`] gives it its place in the
//! log, a moment after the commit.

use store::{Tx, Value, params};
use uuid::Uuid;

use crate::entry::{DETAILS_BYTES_MAX, Entry};

store::statements! {
    /// Writes entries down.
    ADD = "insert into audit_waiting (audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, \
           details, reason_commitment) select audit_entry_id, at, actor, actor_account_id, action, subject_kind, \
           subject_id, details, reason_commitment from rows(audit_entry_id uuid, at timestamptz, actor text, \
           actor_account_id uuid, action text, subject_kind text, subject_id text, details text, \
           reason_commitment bytea)";
    /// Keeps the words of reasons.
    ADD_REASONS = "insert into audit_reasons (audit_entry_id, account_id, sealed) \
                   select audit_entry_id, account_id, sealed \
                   from rows(audit_entry_id uuid, account_id uuid, sealed bytea)";
}

/// Records what the transaction does; the id of the entry. It is there if the transaction commits, and only then.
///
/// # Panics
/// As [`record_all`].
pub fn record(tx: &mut Tx<'_>, entry: &Entry) -> Result<Uuid, store::Error> {
    let ids = record_all(tx, std::slice::from_ref(entry))?;
    Ok(*ids.first().expect("one entry has one id"))
}

/// Records much at once, in one statement (and one more if anybody gave reasons); the ids, in the order of the
/// entries.
///
/// # Panics
/// If the details of an entry are no JSON object or have more than [`DETAILS_BYTES_MAX`] bytes.
pub fn record_all(tx: &mut Tx<'_>, entries: &[Entry]) -> Result<Vec<Uuid>, store::Error> {
    let mut ids: Vec<Uuid> = entries.iter().map(|it| chain::id_at(it.at_us)).collect();
    // Those of one instant keep their order.
    if entries.is_sorted_by_key(|it| it.at_us) {
        ids.sort_unstable();
    }
    let rows: Vec<Vec<Value>> = entries.iter().zip(&ids).map(|(entry, id)| row_of(entry, *id)).collect();
    tx.execute_rows(ADD, &rows)?;
    let reasons: Vec<Vec<Value>> = (entries.iter().zip(&ids))
        .filter_map(|(entry, id)| Some((entry.reason.as_ref()?, *id)))
        .map(|(reason, id)| params![id, reason.account_id, reason.sealed.clone()].to_vec())
        .collect();
    tx.execute_rows(ADD_REASONS, &reasons)?;
    Ok(ids)
}

fn row_of(entry: &Entry, id: Uuid) -> Vec<Value> {
    let details = entry.details.to_string();
    assert!(entry.details.is_object(), "the details of {} are no object", entry.action);
    assert!(
        details.len() <= DETAILS_BYTES_MAX,
        "the details of {} have {} bytes",
        entry.action,
        details.len()
    );
    vec![
        id.into(),
        entry.at_us.into(),
        entry.actor.kind().into(),
        entry.actor.account_id().into(),
        entry.action.into(),
        entry.subject_kind.into(),
        (&entry.subject_id).into(),
        details.into(),
        entry.reason.as_ref().map(|it| it.commitment).into(),
    ]
}
