//! What a chain needs done in the background, until the future is dropped.

use std::time::Duration;

use api::SharedClock;
use store::{Store, Tx};
use tracing::warn;

use crate::{Checker, Place, Walk};

/// Records are sealed so long after they were written, at most, if nobody is in the way.
const SEAL_INTERVAL: Duration = Duration::from_millis(250);
const CHECK_INTERVAL: Duration = Duration::from_millis(250);
/// Between two passes through everything.
const CHECK_REST: Duration = Duration::from_secs(30);
/// After the database failed.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// How one chain is sealed.
#[derive(Clone, Copy, Debug)]
pub struct Sealing {
    /// What is sealed, for the log: `postings`.
    pub of: &'static str,
    /// Seals up to so many that wait; how many it were.
    pub seal: fn(&mut Tx<'_>, u32) -> Result<u32, store::Error>,
    /// Sealed in one transaction: few milliseconds.
    pub batch: u32,
    /// The gauge of the last time at which nothing waited.
    pub sealed_at_gauge: &'static str,
}

/// Seals what waits, for as long as it is polled. Several processes may do so at once; being ended at any moment does
/// no harm.
pub async fn seal_for_ever(store: Store, clock: SharedClock, sealing: Sealing) {
    let Sealing { of, seal, batch, sealed_at_gauge } = sealing;
    loop {
        let pause = match store.locked(move |tx| seal(tx, batch)).await {
            // More may wait; others that write come in between.
            Ok(sealed) if sealed == batch => Duration::ZERO,
            Ok(_) => {
                metrics::gauge!(sealed_at_gauge).set(clock.now_us() as f64 / 1e6);
                SEAL_INTERVAL
            }
            Err(error) => {
                warn!(%error, of, "what waits was not sealed");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(pause).await;
    }
}

/// Checks everything over and over, for as long as it is polled. One gauge holds the number of faults, the other how
/// many seconds ago the last whole pass ended.
pub async fn check_for_ever<W: Walk>(
    store: Store,
    clock: SharedClock,
    place: Place,
    faults_gauge: &'static str,
    age_gauge: &'static str,
) {
    let mut checker = loop {
        match Checker::<W>::open(store.clone(), place).await {
            Ok(checker) => break checker,
            Err(error) => warn!(%error, of = place.of, "the check cannot begin"),
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    };
    loop {
        let now_us = clock.now_us();
        let pause = match checker.step(now_us).await {
            Ok(checked) => {
                metrics::gauge!(faults_gauge).set(checked.faults as f64);
                if let Some(passed_at_us) = checked.passed_at_us {
                    let age_us = now_us.saturating_sub(passed_at_us).max(0);
                    metrics::gauge!(age_gauge).set(age_us as f64 / 1e6);
                }
                if checked.is_pass_end { CHECK_REST } else { CHECK_INTERVAL }
            }
            Err(error) => {
                warn!(%error, of = place.of, "nothing could be checked");
                RETRY_INTERVAL
            }
        };
        tokio::time::sleep(pause).await;
    }
}
