//! How long notices and deliveries stay.

use store::{Store, params};

/// 90 days.
const NOTICES_KEPT_US: i64 = 90 * 24 * 60 * 60 * 1_000_000;
/// 7 days.
const DELIVERIES_KEPT_US: i64 = 7 * 24 * 60 * 60 * 1_000_000;
/// Rows removed in one transaction, so that it never holds others up for long.
const SWEEP_BATCH: i64 = 1000;

store::statements! {
    /// Removes old notices.
    SWEEP_NOTICES = "delete from notices where at <= $1 and (account_id, event_position) in \
                     (select account_id, event_position from notices where at <= $1 limit $2)";
    /// Removes deliveries that were finished long ago.
    SWEEP_DELIVERIES = "delete from webhook_deliveries where finished_at <= $1 and state <> 'waiting' \
                        and delivery_id in \
                        (select delivery_id from webhook_deliveries where finished_at <= $1 limit $2)";
}

/// Removes what was kept long enough, a batch at a time; how much. To be called now and then.
pub async fn sweep(store: &Store, now_us: i64) -> Result<u64, store::Error> {
    let mut swept = 0;
    for (sql, kept_us) in [(SWEEP_NOTICES, NOTICES_KEPT_US), (SWEEP_DELIVERIES, DELIVERIES_KEPT_US)] {
        let until_us = now_us.saturating_sub(kept_us);
        loop {
            let batch = store.locked(move |tx| tx.execute(sql, params![until_us, SWEEP_BATCH])).await?;
            swept += batch;
            if batch < SWEEP_BATCH as u64 {
                break;
            }
        }
    }
    Ok(swept)
}
