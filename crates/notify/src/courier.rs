//! Sends what waits, to each webhook one after the other, to several at once.
//!
//! Whoever sends for a webhook holds a lease on its row. The lease runs out by itself, so that the webhooks of a
//! process that died are served by another; what was under way is sent again, under the same id.

use std::sync::Arc;
use std::time::{Duration, Instant};

use api::SharedClock;
use events::{NewEvent, StoredEvent};
use serde_json::json;
use store::{Store, Tx, params};
use tokio::sync::{Semaphore, broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};
use tracing::warn;
use uuid::Uuid;

use crate::deliveries::{self, Waiting};
use crate::dispatch::{self, dispatch};
use crate::endpoints::{self, Target};
use crate::schedule;
use crate::sender::{Letter, Outcome, Sender};
use crate::signature::signatures;
use crate::webhook_views::message_id;

/// How often the tables are looked at when nothing is heard.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Webhooks that are sent to at once.
const SENDING_MAX: usize = 16;
/// Deliveries to one webhook before others have their turn.
const ROUND_MAX: usize = 20;
/// Longer than one attempt may take.
const LEASE_US: i64 = 60_000_000;

/// What the courier is given.
#[derive(Clone)]
pub struct CourierDeps {
    /// Where events, notices and deliveries are.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// The HTTP client.
    pub sender: Sender,
}

/// Makes notices and deliveries of events, and sends the deliveries.
pub struct Courier {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Courier {
    /// Works until it is stopped; looks at once when an event is heard.
    pub fn start(deps: CourierDeps, heard: broadcast::Receiver<Arc<StoredEvent>>) -> Self {
        let stop = watch::Sender::new(false);
        let round = Round { deps, lease_id: Uuid::new_v4(), slots: Arc::new(Semaphore::new(SENDING_MAX)) };
        let task = tokio::spawn(run(round, heard, stop.subscribe()));
        Self { stop, task }
    }

    /// Breaks off what is being sent, so that it is sent again by the next, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A task that panicked has said so.
        let _ = self.task.await;
    }
}

async fn run(
    round: Round,
    mut heard: broadcast::Receiver<Arc<StoredEvent>>,
    mut stop: watch::Receiver<bool>,
) {
    let mut sending = JoinSet::new();
    let mut is_open = true;
    loop {
        if let Err(error) = round.work(&mut sending).await {
            warn!(%error, "notices and webhooks wait for the database");
        }
        while sending.try_join_next().is_some() {}
        tokio::select! {
            _ = stop.wait_for(|is_stopping| *is_stopping) => break,
            () = tokio::time::sleep(POLL_INTERVAL) => {}
            // What was missed is in the table.
            told = heard.recv(), if is_open => is_open = !matches!(told, Err(broadcast::error::RecvError::Closed)),
        }
    }
    sending.shutdown().await;
    if let Err(error) = round.give_back().await {
        warn!(%error, "webhooks that were being sent wait until their lease ends");
    }
}

#[derive(Clone)]
struct Round {
    deps: CourierDeps,
    /// Whose leases these are.
    lease_id: Uuid,
    slots: Arc<Semaphore>,
}

impl Round {
    /// All events that wait, then as many webhooks as may be sent to at once.
    async fn work(&self, sending: &mut JoinSet<()>) -> Result<(), store::Error> {
        while dispatch(&self.deps.store, self.deps.clock.now_us()).await? > 0 {}
        let free = self.slots.available_permits();
        if free == 0 {
            return Ok(());
        }
        for endpoint_id in self.lease(free).await? {
            let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() else { break };
            let round = self.clone();
            sending.spawn(async move {
                if let Err(error) = round.serve(endpoint_id).await {
                    warn!(%error, "a webhook waits for the database");
                }
                drop(slot);
            });
        }
        Ok(())
    }

    async fn lease(&self, count: usize) -> Result<Vec<Uuid>, store::Error> {
        let (lease_id, now_us) = (self.lease_id, self.deps.clock.now_us());
        // Asked without a lock first: most of the time there is nothing.
        let is_any =
            self.deps.store.read(move |tx| tx.query_opt(endpoints::IS_ANY_DUE, params![now_us])).await?;
        if is_any.is_none() {
            return Ok(Vec::new());
        }
        let (until_us, odd_us) = (now_us.saturating_add(LEASE_US), now_us.saturating_add(2 * LEASE_US));
        self.deps
            .store
            .locked(move |tx| {
                let rows =
                    tx.query(endpoints::LEASE, params![lease_id, until_us, now_us, odd_us, count as i64])?;
                rows.iter().map(|row| row.get(0)).collect()
            })
            .await
    }

    /// Sends what is due for one webhook, until something fails.
    async fn serve(&self, endpoint_id: Uuid) -> Result<(), store::Error> {
        for _ in 0..ROUND_MAX {
            let Some((target, waiting)) = self.next(endpoint_id).await? else { break };
            let outcome = self.send(&target, &waiting).await;
            let is_success = outcome.is_success();
            self.note(endpoint_id, target, waiting, outcome).await?;
            if !is_success {
                break;
            }
        }
        let (lease_id, now_us) = (self.lease_id, self.deps.clock.now_us());
        self.deps
            .store
            .locked(move |tx| {
                // The row before its deliveries, so that none is added in between unseen.
                tx.query_opt(endpoints::TAKE, params![endpoint_id])?;
                tx.execute(endpoints::RELEASE, params![endpoint_id, lease_id, now_us])?;
                tx.execute(deliveries::TRIM, params![endpoint_id, deliveries::FINISHED_MAX])?;
                Ok(())
            })
            .await
    }

    /// What to send next, as long as the lease is ours.
    async fn next(&self, endpoint_id: Uuid) -> Result<Option<(Target, Waiting)>, store::Error> {
        let (lease_id, now_us) = (self.lease_id, self.deps.clock.now_us());
        self.deps
            .store
            .locked(move |tx| {
                let until_us = now_us.saturating_add(LEASE_US);
                let renewed = tx.query_opt(endpoints::RENEW, params![endpoint_id, lease_id, until_us])?;
                let Some(row) = renewed else { return Ok(None) };
                let target = Target::from_row(&row, now_us)?;
                let waiting = deliveries::next(tx, endpoint_id, now_us)?;
                Ok(waiting.map(|waiting| (target, waiting)))
            })
            .await
    }

    async fn send(&self, target: &Target, waiting: &Waiting) -> Outcome {
        let started = Instant::now();
        let timestamp_s = self.deps.clock.now_us().div_euclid(1_000_000);
        let id = message_id(waiting.delivery_id);
        let signatures = signatures(&target.secrets, &id, timestamp_s, &waiting.body);
        let (url, body) = (target.url.clone(), waiting.body.clone());
        let outcome = self.deps.sender.send(Letter { url, id, timestamp_s, signatures, body }).await;
        let word = match outcome.status {
            Some(_) if outcome.is_success() => "taken",
            Some(_) => "refused",
            None => "unanswered",
        };
        metrics::counter!("terrane_webhook_attempts_total", "outcome" => word).increment(1);
        metrics::histogram!("terrane_webhook_attempt_seconds").record(started.elapsed().as_secs_f64());
        outcome
    }

    async fn note(
        &self,
        endpoint_id: Uuid,
        target: Target,
        waiting: Waiting,
        outcome: Outcome,
    ) -> Result<(), store::Error> {
        let attempt = Attempt { endpoint_id, target, waiting, outcome, now_us: self.deps.clock.now_us() };
        self.deps.store.locked(move |tx| attempt.note(tx)).await
    }

    async fn give_back(&self) -> Result<(), store::Error> {
        let (lease_id, now_us) = (self.lease_id, self.deps.clock.now_us());
        self.deps
            .store
            .locked(move |tx| tx.execute(endpoints::GIVE_BACK, params![lease_id, now_us]).map(drop))
            .await
    }
}

/// One attempt, and what follows from it.
#[derive(Clone)]
struct Attempt {
    endpoint_id: Uuid,
    target: Target,
    waiting: Waiting,
    outcome: Outcome,
    now_us: i64,
}

impl Attempt {
    /// Does nothing for an attempt that somebody else has counted.
    fn note(&self, tx: &mut Tx<'_>) -> Result<(), store::Error> {
        let Self { endpoint_id, outcome, now_us, .. } = self;
        let Waiting { delivery_id, attempt_count, .. } = self.waiting;
        if tx.query_opt(endpoints::TAKE, params![*endpoint_id])?.is_none() {
            // Its owner has removed it.
            return Ok(());
        }
        let status = outcome.status.map(i64::from);
        if outcome.is_success() {
            let delivered = params![delivery_id, *endpoint_id, attempt_count, *now_us, status];
            if tx.execute(deliveries::DELIVERED, delivered)? == 1 {
                tx.execute(endpoints::SUCCEEDED, params![*endpoint_id, endpoints::NEVER_US])?;
            }
            return Ok(());
        }
        let retry_us = if outcome.is_gone() {
            None
        } else {
            schedule::retry_us(attempt_count + 1, outcome.retry_after_s, rand::random())
        };
        let (count, fault) = (attempt_count, outcome.fault);
        let noted = if let Some(retry_us) = retry_us {
            let due_at_us = now_us.saturating_add(retry_us);
            let again = params![delivery_id, *endpoint_id, count, *now_us, due_at_us, status, fault];
            tx.execute(deliveries::AGAIN, again)?
        } else {
            let lost = params![delivery_id, *endpoint_id, count, *now_us, status, fault];
            tx.execute(deliveries::LOST, lost)?
        };
        if noted == 0 {
            return Ok(());
        }
        self.note_failure(tx, retry_us.is_none())
    }

    fn note_failure(&self, tx: &mut Tx<'_>, is_lost: bool) -> Result<(), store::Error> {
        let Self { endpoint_id, target, outcome, now_us, .. } = self;
        let pause_us =
            schedule::pause_us(target.failures_in_a_row + 1, outcome.retry_after_s, rand::random());
        tx.execute(endpoints::FAILED, params![*endpoint_id, *now_us, now_us.saturating_add(pause_us)])?;
        let failing_since_us = target.failing_since_us.unwrap_or(*now_us);
        if outcome.is_gone() {
            dispatch::disable(tx, *endpoint_id, "gone", *now_us)?;
        } else if now_us.saturating_sub(failing_since_us) >= schedule::FAILING_US_MAX {
            dispatch::disable(tx, *endpoint_id, "failing", *now_us)?;
        } else if is_lost {
            let told = NewEvent {
                kind: "webhook.delivery_failed",
                audience: events::Audience::Accounts(vec![target.account_id]),
                data: json!({
                    "webhook_id": endpoint_id,
                    "delivery_id": self.waiting.delivery_id,
                    "url": target.url,
                }),
            };
            events::record(tx, &[told], *now_us)?;
        }
        Ok(())
    }
}
