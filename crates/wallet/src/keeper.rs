//! What the books do by themselves: postings are sealed, holds end at their time, and everything is checked, over and
//! over.

use std::time::Duration;

use api::SharedClock;
use events::{Audience, NewEvent};
use serde_json::json;
use store::Store;
use tokio::sync::watch;
use tracing::warn;

use crate::audit::checker::PLACE;
use crate::audit::walk::Walk;
use crate::{ExpiredHold, expire_holds};

/// Sealed in one transaction: few milliseconds.
const SEALING: chain::Sealing = chain::Sealing {
    of: "postings",
    seal: crate::chain::seal,
    batch: 256,
    sealed_at_gauge: "terrane_ledger_sealed_at_seconds",
};
const EXPIRY_INTERVAL: Duration = Duration::from_secs(1);
const EXPIRY_BATCH: u32 = 100;
/// After the database failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Keeps the books until `stop` becomes true or its sender is gone. Several processes may do so at once; being ended
/// at any moment does no harm.
pub async fn keep(store: Store, clock: SharedClock, mut stop: watch::Receiver<bool>) {
    let work = async {
        tokio::join!(
            chain::seal_for_ever(store.clone(), SharedClock::clone(&clock), SEALING),
            expire(store.clone(), SharedClock::clone(&clock)),
            chain::check_for_ever::<Walk>(
                store,
                SharedClock::clone(&clock),
                PLACE,
                "terrane_ledger_faults",
                "terrane_ledger_checked_age_seconds",
            )
        )
    };
    tokio::select! {
        _ = stop.wait_for(|is_stopping| *is_stopping) => {}
        _ = work => {}
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
