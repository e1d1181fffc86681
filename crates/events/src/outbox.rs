//! Writing events where they happen, and reading them by position.

use std::sync::atomic::{AtomicI64, Ordering};

use api::{Clock as _, SystemClock};
use store::{Tx, Value, params};
use uuid::Uuid;

use crate::{Audience, DATA_BYTES_MAX, NewEvent, StoredEvent};

store::statements! {
    /// Events, without positions yet.
    RECORD = "insert into events (event_id, event_position, kind, at, audience, near_cell, account_ids, data) \
              select event_id, null, kind, at, audience, near_cell, account_ids, data from rows(event_id uuid, \
              kind text, at timestamptz, audience text, near_cell bigint, account_ids bytea, data text)";
    /// Those after a position, in order.
    AFTER = "select event_id, event_position, kind, at, audience, near_cell, account_ids, data from events \
             where event_position > $1 order by event_position limit $2";
    /// The last position given.
    LAST_POSITION = "select event_position from event_head where event_head_id = 1";
}

/// Writes what happened in the transaction in which it happened; to be called after the rows of what it is about are
/// taken, so that events of one thing keep its order.
///
/// # Panics
/// If the data of an event is no JSON object or has more than [`DATA_BYTES_MAX`] bytes, or if an event has an empty
/// list of accounts.
pub fn record(tx: &mut Tx<'_>, events: &[NewEvent], now_us: i64) -> Result<(), store::Error> {
    let rows: Vec<Vec<Value>> = events.iter().map(|event| row_of(event, now_us)).collect();
    tx.execute_rows(RECORD, &rows)?;
    Ok(())
}

fn row_of(event: &NewEvent, now_us: i64) -> Vec<Value> {
    let data = event.data.to_string();
    assert!(event.data.is_object(), "the data of {} is no object", event.kind);
    assert!(data.len() <= DATA_BYTES_MAX, "the data of {} has {} bytes", event.kind, data.len());
    let (audience, near_cell, account_ids) = match &event.audience {
        Audience::Public => ("public", None, None),
        Audience::Near(cell) => ("near", Some(cell.to_sql()), None),
        Audience::Accounts(accounts) => {
            assert!(!accounts.is_empty(), "{} is for nobody", event.kind);
            let bytes: Vec<u8> = accounts.iter().flat_map(|it| *it.as_bytes()).collect();
            ("accounts", None, Some(bytes))
        }
    };
    vec![
        next_id().into(),
        event.kind.into(),
        now_us.into(),
        audience.into(),
        near_cell.into(),
        account_ids.into(),
        data.into(),
    ]
}

/// A version 7 UUID later than every one made here in this process before.
pub fn next_id() -> Uuid {
    id_of_tick(next_tick_us())
}

/// When the last id was made.
static LAST_TICK_US: AtomicI64 = AtomicI64::new(0);

/// The instant, later than every one given before.
///
/// By the machine's clock, not by the time of the decision: that was read before the decision waited for its rows, and
/// who came first at the clock may have come second at the row. Between processes the order of two events is as good
/// as their machines' clocks agree, and only until they have their positions.
fn next_tick_us() -> i64 {
    let now_us = SystemClock.now_us();
    let next = |last: i64| Some(now_us.max(last.saturating_add(1)));
    let before = LAST_TICK_US.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    before.ok().and_then(next).expect("every tick has a next one")
}

/// A version 7 UUID that sorts by microsecond:
///
/// ```text
/// | 48 bits ms | 4 version | 12 bits: µs of the ms, times 4 | 2 variant | 62 bits random |
/// ```
fn id_of_tick(tick_us: i64) -> Uuid {
    let tick_us = tick_us.max(0) as u64;
    let mut rest: [u8; 10] = rand::random();
    rest[0..2].copy_from_slice(&(((tick_us % 1000) as u16) << 2).to_be_bytes());
    uuid::Builder::from_unix_timestamp_millis(tick_us / 1000, &rest).into_uuid()
}

/// Up to `count` events after a position, in their order.
pub fn after(tx: &mut Tx<'_>, position: i64, count: u32) -> Result<Vec<StoredEvent>, store::Error> {
    tx.query(AFTER, params![position, count])?.iter().map(StoredEvent::from_row).collect()
}

/// The last position that was given; 0 before the first.
pub fn last_position(tx: &mut Tx<'_>) -> Result<i64, store::Error> {
    tx.query_one(LAST_POSITION, params![])?.get(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_in_the_order_of_recording() {
        let ids: Vec<Uuid> = (0..10_000).map(|_| next_id()).collect();
        assert!(ids.is_sorted());
        assert!(ids.iter().all(|id| id.get_version_num() == 7));
    }
}
