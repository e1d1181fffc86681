//! Notices: what an account is told of when it comes back.

use events::{Audience, StoredEvent};
use serde_json::Value;
use store::{Row, Tx, params};
use uuid::Uuid;

/// Notices kept for one account; of more, the oldest go, read or not.
pub const NOTICES_PER_ACCOUNT_MAX: i64 = 500;

/// The kinds of events that become notices, if they are for particular accounts: what somebody would want to know who
/// was away.
pub const KINDS: &[&str] = &[
    "account.role_changed",
    "group.invited",
    "group.joined",
    "group.removed",
    "land.frozen",
    "land.gift_ended",
    "land.gift_offered",
    "land.lease_accepted",
    "land.lease_declined",
    "land.lease_ended",
    "land.lease_notice",
    "land.lease_offered",
    "land.lease_withdrawn",
    "land.reclaim_warned",
    "land.reclaimed",
    "land.restored",
    "land.thawed",
    "land.upkeep_missed",
    "market.auction_cancelled",
    "market.auction_ending",
    "market.bought",
    "market.cancelled_by_staff",
    "market.listing_cancelled",
    "market.listing_expired",
    "market.offer_accepted",
    "market.offer_declined",
    "market.offer_expired",
    "market.offer_lapsed",
    "market.offer_received",
    "market.offer_withdrawn",
    "market.outbid",
    "market.sold",
    "market.unsold",
    "market.watched_listed",
    "market.won",
    "rent.due",
    "rent.missed",
    "rent.paid",
    "wallet.received",
    "wallet.reversed",
    "webhook.delivery_failed",
    "webhook.disabled",
];

store::statements! {
    /// Makes notices; one that is there already stays as it is.
    ADD = "insert into notices (account_id, event_position, event_id, kind, at, data, is_read) \
           select account_id, event_position, event_id, kind, at, data, false from rows(account_id uuid, \
           event_position bigint, event_id uuid, kind text, at timestamptz, data text) where true \
           on conflict (account_id, event_position) do nothing";
    /// Removes an account's oldest beyond a number.
    TRIM = "delete from notices where account_id = $1 and event_position <= \
            (select event_position from notices where account_id = $1 \
             order by event_position desc limit 1 offset $2)";
    /// One page, newest first.
    LIST = "select event_id, event_position, kind, at, data, is_read from notices \
            where account_id = $1 and event_position < $2 order by event_position desc limit $3";
    /// One page of those not read, newest first.
    LIST_UNREAD = "select event_id, event_position, kind, at, data, is_read from notices \
                   where account_id = $1 and event_position < $2 and not is_read \
                   order by event_position desc limit $3";
    /// How many are not read.
    COUNT_UNREAD = "select count(*) from notices where account_id = $1 and not is_read";
    /// Where a notice is.
    POSITION_OF = "select event_position from notices where account_id = $1 and event_id = $2";
    /// Marks one and all before it.
    MARK_READ = "update notices set is_read = true where account_id = $1 and event_position <= $2 and not is_read";
}

/// One notice of an account.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Notice {
    pub(crate) event_id: Uuid,
    pub(crate) position: i64,
    pub(crate) kind: String,
    pub(crate) at_us: i64,
    pub(crate) data: Value,
    pub(crate) is_read: bool,
}

impl Notice {
    fn from_row(row: &Row) -> Result<Self, store::Error> {
        let data = serde_json::from_str(&row.get::<String>(4)?)
            .map_err(|_| store::Error::Damaged { detail: "notices: data is not JSON".to_owned() })?;
        Ok(Self {
            event_id: row.get(0)?,
            position: row.get(1)?,
            kind: row.get(2)?,
            at_us: row.get(3)?,
            data,
            is_read: row.get(5)?,
        })
    }
}

/// Makes the notices of some events.
pub(crate) fn make(tx: &mut Tx<'_>, events: &[StoredEvent]) -> Result<(), store::Error> {
    let mut rows = Vec::new();
    let mut told: Vec<Uuid> = Vec::new();
    for event in events.iter().filter(|it| KINDS.contains(&it.kind.as_str())) {
        let Audience::Accounts(accounts) = &event.audience else { continue };
        for account_id in accounts {
            let StoredEvent { event_id, position, kind, at_us, data, .. } = event;
            let row = params![*account_id, *position, *event_id, kind, *at_us, data.to_string()];
            rows.push(row.to_vec());
            told.push(*account_id);
        }
    }
    tx.execute_rows(ADD, &rows)?;
    told.sort_unstable();
    told.dedup();
    for account_id in told {
        tx.execute(TRIM, params![account_id, NOTICES_PER_ACCOUNT_MAX])?;
    }
    Ok(())
}

/// Up to `count` notices before a position, newest first.
pub(crate) fn list(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    before: Option<i64>,
    is_unread_only: bool,
    count: u32,
) -> Result<Vec<Notice>, store::Error> {
    let sql = if is_unread_only { LIST_UNREAD } else { LIST };
    let rows = tx.query(sql, params![account_id, before.unwrap_or(i64::MAX), count])?;
    rows.iter().map(Notice::from_row).collect()
}

pub(crate) fn unread_count(tx: &mut Tx<'_>, account_id: Uuid) -> Result<i64, store::Error> {
    tx.query_one(COUNT_UNREAD, params![account_id])?.get(0)
}

/// Marks a notice and all older ones as read; `None` if there is no such notice.
pub(crate) fn mark_read(tx: &mut Tx<'_>, account_id: Uuid, up_to: Uuid) -> Result<Option<()>, store::Error> {
    let Some(row) = tx.query_opt(POSITION_OF, params![account_id, up_to])? else { return Ok(None) };
    tx.execute(MARK_READ, params![account_id, row.get::<i64>(0)?])?;
    Ok(Some(()))
}
