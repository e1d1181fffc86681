//! Who is what in a group, on record.

use audit::{Actor, Entry};
use serde_json::{Value, json};
use store::Tx;
use uuid::Uuid;

use crate::rules::Place;

/// An account has another place in a group, or none.
pub(crate) fn role_changed(
    tx: &mut Tx<'_>,
    by: Actor,
    (group_id, account_id): (Uuid, Uuid),
    (before, after): (Option<Place>, Option<Place>),
    now_us: i64,
) -> Result<(), store::Error> {
    let role = |it: Option<Place>| it.map(|it| it.role);
    let details = json!({
        "account_id": account_id,
        "from": role(before),
        "to": role(after),
        "is_invitation": after.or(before).is_some_and(|it| !it.has_joined),
    });
    record(tx, by, "group.role_changed", group_id, details, now_us)
}

/// A group is no more.
pub(crate) fn dissolved(tx: &mut Tx<'_>, by: Actor, group_id: Uuid, now_us: i64) -> Result<(), store::Error> {
    record(tx, by, "group.dissolved", group_id, json!({}), now_us)
}

fn record(
    tx: &mut Tx<'_>,
    actor: Actor,
    action: &'static str,
    group_id: Uuid,
    details: Value,
    at_us: i64,
) -> Result<(), store::Error> {
    let entry = Entry {
        at_us,
        actor,
        action,
        subject_kind: "group",
        subject_id: group_id.to_string(),
        reason: None,
        details,
    };
    audit::record(tx, &entry).map(drop)
}
