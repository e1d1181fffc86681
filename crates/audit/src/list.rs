//! Finding entries.

use store::{Tx, params};
use uuid::Uuid;

use crate::log::Logged;

// One statement for each of the columns that narrow most; the others are compared in what that one finds. Bounds of
// time are bounds of ids, which sort by time.
store::statements! {
    /// Of one subject.
    BY_SUBJECT = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, \
                  details, reason_commitment, hash from audit_entries \
                  where subject_id = $1 and audit_entry_id >= $2 and audit_entry_id < $3 \
                  and actor_account_id is not distinct from coalesce($4, actor_account_id) \
                  and action = coalesce($5, action) order by audit_entry_id desc limit $6";
    /// By one actor.
    BY_ACTOR = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, \
                details, reason_commitment, hash from audit_entries \
                where actor_account_id = $1 and audit_entry_id >= $2 and audit_entry_id < $3 \
                and action = coalesce($4, action) order by audit_entry_id desc limit $5";
    /// Of one sort.
    BY_ACTION = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, \
                 details, reason_commitment, hash from audit_entries \
                 where action = $1 and audit_entry_id >= $2 and audit_entry_id < $3 \
                 order by audit_entry_id desc limit $4";
    /// All.
    ALL = "select sequence, audit_entry_id, at, actor, actor_account_id, action, subject_kind, subject_id, details, \
           reason_commitment, hash from audit_entries where audit_entry_id >= $1 and audit_entry_id < $2 \
           order by audit_entry_id desc limit $3";
}

/// Which entries.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Done by an account.
    pub actor: Option<Uuid>,
    /// Done to something.
    pub subject: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// Not before, in microseconds since 1970.
    pub from_us: Option<i64>,
    /// Before.
    pub to_us: Option<i64>,
    /// Older than this entry: the last one of the page before.
    pub before: Option<Uuid>,
}

/// Entries, the newest first, up to `count`.
pub fn list(tx: &mut Tx<'_>, filter: &Filter, count: u32) -> Result<Vec<Logged>, store::Error> {
    let from = filter.from_us.map_or(Uuid::nil(), ::chain::id_from);
    let to = filter.to_us.map_or(Uuid::max(), ::chain::id_from);
    let to = filter.before.map_or(to, |it| it.min(to));
    let (actor, action) = (filter.actor, filter.action.as_deref());
    let rows = match (&filter.subject, actor, action) {
        (Some(subject), ..) => tx.query(BY_SUBJECT, params![subject, from, to, actor, action, count]),
        (None, Some(actor), _) => tx.query(BY_ACTOR, params![actor, from, to, action, count]),
        (None, None, Some(action)) => tx.query(BY_ACTION, params![action, from, to, count]),
        (None, None, None) => tx.query(ALL, params![from, to, count]),
    };
    rows?.iter().map(Logged::from_row).collect()
}
