//! Does what is due.

use std::time::Duration;

use cell::CellId;
use store::Tx;
use tokio::sync::watch;
use tracing::{error, warn};

use crate::refusal::Refusal;
use crate::service::Tenure;
use crate::{lease, rent};

/// How often the tables are looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);
/// Leases that are looked up at once.
const BATCH_MAX: u32 = 50;
/// Changes of owners that are noted at once.
const EVENTS_MAX: u32 = 200;
/// The name under which this crate reads events.
const READER: &str = "tenure";

impl Tenure {
    /// Works until the receiver says true. What it leaves undone is in the database.
    pub async fn work(&self, mut stop: watch::Receiver<bool>) {
        loop {
            match self.round().await {
                Ok(()) => {}
                Err(Refusal::Store(error)) if error.is_temporary() => {
                    warn!(%error, "leases and upkeep wait for the database");
                }
                Err(error) => error!(%error, "leases and upkeep could not be worked on"),
            }
            tokio::select! {
                () = tokio::time::sleep(POLL_INTERVAL) => {}
                _ = stop.wait_for(|is_stopping| *is_stopping) => return,
            }
        }
    }

    /// Everything that is due now.
    pub async fn round(&self) -> Result<(), Refusal> {
        self.note_owners().await?;
        self.act_on_leases().await?;
        self.charge_upkeep().await?;
        self.reclaim_abandoned().await
    }

    /// Land is sold with its lease: whoever owns it now sees the lease among theirs.
    async fn note_owners(&self) -> Result<(), Refusal> {
        let store = &self.deps.store;
        while events::consume(store, READER, EVENTS_MAX, |tx, events| {
            for event in events.iter().filter(|it| it.kind == "land.ownership_changed") {
                let token = event.data["parcel"].as_str().unwrap_or_default();
                if let Ok(cell) = CellId::parse_token(token) {
                    note_owner(tx, cell)?;
                }
            }
            Ok(())
        })
        .await?
            > 0
        {}
        Ok(())
    }

    async fn act_on_leases(&self) -> Result<(), Refusal> {
        loop {
            let now_us = self.deps.clock.now_us();
            let due = self.deps.store.read(move |tx| lease::due(tx, now_us, BATCH_MAX)).await?;
            let mut acted = 0;
            for lease_id in &due {
                let (deps, lease_id) = (self.deps.clone(), *lease_id);
                let done = self.deps.store.locked(move |tx| rent::act(tx, &deps, lease_id, now_us)).await;
                match done {
                    Ok(true) => acted += 1,
                    Ok(false) => {}
                    // One lease that cannot be worked on must not hold up the others.
                    Err(Refusal::Books(cause)) => error!(%lease_id, cause, "a lease could not be worked on"),
                    Err(error) => return Err(error),
                }
            }
            if acted > 0 {
                self.deps.wake.wake();
            }
            if acted == 0 {
                return Ok(());
            }
        }
    }
}

fn note_owner(tx: &mut Tx<'_>, cell: CellId) -> Result<(), store::Error> {
    let Some(facts) = land::parcel(tx, cell)? else { return Ok(()) };
    if facts.lease_id.is_some() {
        lease::set_landlord(tx, facts.anchor, facts.owner_id)?;
    }
    Ok(())
}
