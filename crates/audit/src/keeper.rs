//! What the log does by itself: entries get their places, the log is signed now and then, and everything is checked,
//! over and over.

use std::path::PathBuf;
use std::time::Duration;

use ::chain::{check_for_ever, seal_for_ever};
use api::SharedClock;
use store::Store;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::checkpoint::{Checkpoint, Signer, announce_key, checkpoint, checkpoints_between};
use crate::heads;
use crate::walk::{PLACE, Walk};

/// Sealed in one transaction: few milliseconds.
const SEALING: ::chain::Sealing = ::chain::Sealing {
    of: "audit entries",
    seal: crate::seal::seal,
    batch: 256,
    sealed_at_gauge: "terrane_audit_sealed_at_seconds",
};
/// So long the newest entries may be without a signature.
const SIGN_INTERVAL: Duration = Duration::from_mins(5);
/// The first time: what the last run left, and what this one began with.
const SIGN_FIRST: Duration = Duration::from_secs(2);
/// Checkpoints that are added to the file at once.
const EXPORT_BATCH: u32 = 1_000;

/// Keeps the log until `stop` becomes true or its sender is gone; checkpoints are also added to the file `heads`.
/// Several processes may do so at once, each with a file of its own; being ended at any moment does no harm.
pub async fn keep(
    store: Store,
    clock: SharedClock,
    signer: Signer,
    heads: Option<PathBuf>,
    mut stop: watch::Receiver<bool>,
) {
    let work = async {
        tokio::join!(
            seal_for_ever(store.clone(), SharedClock::clone(&clock), SEALING),
            sign_for_ever(store.clone(), SharedClock::clone(&clock), signer, heads),
            check_for_ever::<Walk>(
                store,
                SharedClock::clone(&clock),
                PLACE,
                "terrane_audit_faults",
                "terrane_audit_checked_age_seconds",
            )
        )
    };
    tokio::select! {
        _ = stop.wait_for(|is_stopping| *is_stopping) => {}
        _ = work => {}
    }
}

async fn sign_for_ever(store: Store, clock: SharedClock, signer: Signer, heads: Option<PathBuf>) {
    tokio::time::sleep(SIGN_FIRST).await;
    loop {
        if let Err(error) = sign(&store, &signer, clock.now_us()).await {
            warn!(%error, "the audit log was not signed");
        }
        if let Some(path) = &heads
            && let Err(error) = export(&store, path.clone()).await
        {
            warn!(%error, path = %path.display(), "checkpoints of the audit log were not written to their file");
        }
        tokio::time::sleep(SIGN_INTERVAL).await;
    }
}

/// Signs the log if it has grown. The gauges say what was signed last: its size, when, and the first 48 bits of its
/// root, which a gauge holds exactly.
pub(crate) async fn sign(store: &Store, signer: &Signer, now_us: i64) -> Result<(), store::Error> {
    let signer = signer.clone();
    let last = store
        .locked(move |tx| {
            announce_key(tx, &signer, now_us)?;
            checkpoint(tx, &signer, now_us)?;
            crate::checkpoint::last_checkpoint(tx)
        })
        .await?;
    if let Some(last) = last {
        metrics::gauge!("terrane_audit_checkpoint_entries").set(last.tree_size as f64);
        metrics::gauge!("terrane_audit_checkpoint_at_seconds").set(last.at_us as f64 / 1e6);
        metrics::gauge!("terrane_audit_checkpoint_root_first_48_bits").set(first_48_bits(&last.root));
    }
    Ok(())
}

fn first_48_bits(root: &[u8; 32]) -> f64 {
    root[..6].iter().fold(0_u64, |bits, it| bits << 8 | u64::from(*it)) as f64
}

/// Adds to the file what it does not have yet. One that says something else than the database is an alarm.
pub(crate) async fn export(store: &Store, path: PathBuf) -> anyhow::Result<()> {
    loop {
        let of_file = path.clone();
        let last = tokio::task::spawn_blocking(move || heads::last(&of_file)).await??;
        let size = last.map_or(0, |it| it.tree_size);
        let (same, new) = store
            .read(move |tx| {
                let same = checkpoints_between(tx, size - 1, size, 1)?;
                Ok::<_, store::Error>((same, checkpoints_between(tx, size, i64::MAX, EXPORT_BATCH)?))
            })
            .await?;
        let is_contradicted = last.is_some_and(|last| same != [last]);
        metrics::gauge!("terrane_audit_heads_contradicted").set(f64::from(u8::from(is_contradicted)));
        if is_contradicted {
            error!(entries = size, path = %path.display(), "the database does not know a checkpoint of the file");
        }
        if new.is_empty() {
            return Ok(());
        }
        let of_file = path.clone();
        let is_end = new.len() < EXPORT_BATCH as usize;
        let append = move || -> std::io::Result<Vec<Checkpoint>> {
            heads::append(&of_file, &new)?;
            Ok(new)
        };
        tokio::task::spawn_blocking(append).await??;
        if is_end {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
