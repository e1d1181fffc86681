//! What the books do by themselves: postings are sealed, holds end at their time, and everything is checked, over and
//! over.

use std::time::Duration;

use api::SharedClock;
use events::{Audience, NewEvent};
use serde_json::json;
use store::Store;
use tokio::sync::watch;
use tracing::warn;

use crate::{Checker, ExpiredHold, chain, expire_holds};

/// Postings are sealed so long after they were booked, at most, if nobody is in the way.
const SEAL_INTERVAL: Duration = Duration::from_millis(250);
/// Sealed in one transaction: few milliseconds.
const SEAL_BATCH: u32 = 256;
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
const EXPIRY_BATCH: u32 = 100;
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Between two passes through all of the books.
const CHECK_REST: Duration = Duration::from_secs(30);
/// After the database failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Keeps the books until `stop` becomes true or its sender is gone. Several processes may do so at once; being ended
/// at any moment does no harm.
pub async fn keep(store: Store, clock: SharedClock, mut stop: watch::Receiver<bool>) {
    let work = async {
        tokio::join!(
            seal(store.clone(), SharedClock::clone(&clock)),
            expire(store.clone(), SharedClock::clone(&clock)),
            check(store, SharedClock::clone(&clock))
        )
    };
    tokio::select! {
        _ = stop.wait_for(|is_stopping| *is_stopping) => {}
        _ = work => {}
    }
}

/// The gauge is the last time at which nothing waited.
async fn seal(store: Store, clock: SharedClock) {
    loop {
        let pause = match store.locked(|tx| chain::seal(tx, SEAL_BATCH)).await {
            // More may wait; others that write come in between.
            Ok(SEAL_BATCH) => Duration::ZERO,
            Ok(_) => {
                metrics::gauge!("terrane_ledger_sealed_at_seconds").set(clock.now_us() as f64 / 1e6);
                SEAL_INTERVAL
            }
            Err(error) => {
                warn!(%error, "postings were not sealed");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn expire(store: Store, clock: SharedClock) {
    loop {
        let now_us = clock.now_us();
        let ended = store
            .locked(move |tx| {
                let ended = expire_holds(tx, now_us, EXPIRY_BATCH)?;
                let told: Vec<NewEvent> = ended.iter().map(released).collect();
                events::record(tx, &told, now_us)?;
                Ok::<_, store::Error>(ended.len())
            })
            .await;
        let pause = match ended {
            Ok(count) if count == EXPIRY_BATCH as usize => Duration::ZERO,
            Ok(_) => EXPIRY_INTERVAL,
            Err(error) => {
                warn!(%error, "holds were not ended");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// The owner of the money is told that it is free again.
fn released(hold: &ExpiredHold) -> NewEvent {
    NewEvent {
        kind: "wallet.released",
        audience: Audience::Accounts(vec![hold.account_id]),
        data: json!({
            "hold_id": hold.hold_id,
            "reason": "expired",
            "kind": hold.kind.code(),
            "reference": hold.reference,
            "currency": hold.asset.as_str(),
            "amount_minor": hold.amount.minor(),
        }),
    }
}

async fn check(store: Store, clock: SharedClock) {
    let mut checker = loop {
        match Checker::open(store.clone()).await {
            Ok(checker) => break checker,
            Err(error) => warn!(%error, "the check of the books cannot begin"),
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    };
    loop {
        let now_us = clock.now_us();
        let pause = match checker.step(now_us).await {
            Ok(checked) => {
                metrics::gauge!("terrane_ledger_faults").set(checked.faults as f64);
                if let Some(passed_at_us) = checked.passed_at_us {
                    let age_us = now_us.saturating_sub(passed_at_us).max(0);
                    metrics::gauge!("terrane_ledger_checked_age_seconds").set(age_us as f64 / 1e6);
                }
                if checked.is_pass_end { CHECK_REST } else { CHECK_INTERVAL }
            }
            Err(error) => {
                warn!(%error, "the books could not be checked");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(pause).await;
    }
}
