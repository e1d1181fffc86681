//! How long events stay.

use store::{Store, params};

/// How long an event can be read again: 7 days.
pub const KEPT_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Rows removed in one transaction, so that it never holds others up for long.
const SWEEP_BATCH: i64 = 1000;

store::statements! {
    /// Removes old events that every durable reader has read. Goes along the positions, so that it ends at the first
    /// that must stay.
    SWEEP = "delete from events where event_position in \
             (select event_position from events where event_position is not null and at <= $1 \
              and event_position <= (select coalesce(min(event_cursors.event_position), \
                (select event_position from event_head where event_head_id = 1)) from event_cursors) \
              order by event_position limit $2)";
}

/// Removes what was kept long enough, a batch at a time; how many. To be called now and then.
pub async fn sweep(store: &Store, now_us: i64) -> Result<u64, store::Error> {
    let until_us = now_us.saturating_sub(KEPT_US);
    let mut swept = 0;
    loop {
        let batch = store.locked(move |tx| tx.execute(SWEEP, params![until_us, SWEEP_BATCH])).await?;
        swept += batch;
        if batch < SWEEP_BATCH as u64 {
            return Ok(swept);
        }
    }
}
