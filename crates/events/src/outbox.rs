//! Writing events where they happen, and reading them by position.

use store::{Tx, Value, params};
use uuid::Uuid;

use crate::{Audience, DATA_BYTES_MAX, NewEvent, StoredEvent};

store::statements! {
    /// One event, without a position yet.
    RECORD = "insert into events \
              (event_id, event_position, kind, at, audience, near_cell, account_ids, data) \
              values ($1, null, $2, $3, $4, $5, $6, $7)";
    /// Those after a position, in order.
    AFTER = "select event_id, event_position, kind, at, audience, near_cell, account_ids, data from events \
             where event_position > $1 order by event_position limit $2";
    /// The last position given.
    LAST_POSITION = "select event_position from event_head where event_head_id = 1";
}

/// Writes what happened in the transaction in which it happened. Those of one call keep their order.
///
/// # Panics
/// If the data of an event is no JSON object or has more than [`DATA_BYTES_MAX`] bytes, or if an event has an empty
/// list of accounts.
pub fn record(tx: &mut Tx<'_>, events: &[NewEvent], now_us: i64) -> Result<(), store::Error> {
    for (index, event) in events.iter().enumerate() {
        tx.execute(RECORD, &row_of(event, index, now_us))?;
    }
    Ok(())
}

fn row_of(event: &NewEvent, index: usize, now_us: i64) -> Vec<Value> {
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
        event_id(index, now_us).into(),
        event.kind.into(),
        now_us.into(),
        audience.into(),
        near_cell.into(),
        account_ids.into(),
        data.into(),
    ]
}

/// A version 7 UUID that sorts by microsecond, then by place in its call:
///
/// ```text
/// | 48 bits ms | 4 version | 12 bits: µs of the ms, times 4 | 2 variant | 6 bits 0 | 16 bits index | 40 bits random |
/// ```
fn event_id(index: usize, now_us: i64) -> Uuid {
    let now_us = now_us.max(0) as u64;
    let micros = ((now_us % 1000) as u16) << 2;
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let random: [u8; 5] = rand::random();
    let mut rest = [0; 10];
    rest[0..2].copy_from_slice(&micros.to_be_bytes());
    rest[3..5].copy_from_slice(&index.to_be_bytes());
    rest[5..].copy_from_slice(&random);
    uuid::Builder::from_unix_timestamp_millis(now_us / 1000, &rest).into_uuid()
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
    fn ids_of_one_call_sort_by_their_place_and_ids_of_later_instants_come_later() {
        let at = 1_700_000_000_123_456;
        let ids: Vec<Uuid> = [(0, at), (1, at), (2, at), (0, at + 1), (70_000, at + 1), (0, at + 1000)]
            .map(|(index, now_us)| event_id(index, now_us))
            .into();
        assert!(ids.is_sorted(), "{ids:?}");
        assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    }
}
