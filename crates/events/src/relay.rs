//! From the table to listeners.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api::SharedClock;
use store::{Store, Tx, params};
use tokio::sync::{Notify, broadcast, watch};
use tokio::task::JoinHandle;
use tracing::{error, warn};

use crate::{StoredEvent, outbox};

store::statements! {
    /// Whether any event waits for its position: what is asked ten times a second.
    IS_ANY_WAITING = "select at from events where event_position is null order by event_id limit 1";
    /// Takes the right to give positions until the end of the transaction.
    TAKE_HEAD = "update event_head set event_position = event_position where event_head_id = 1 \
                 returning event_position";
    /// Gives those that wait their positions.
    POSITION = "update events set event_position = numbered.event_position from \
                (select event_id, $1 + row_number() over (order by event_id) as event_position from \
                 (select event_id from events where event_position is null order by event_id limit $2) as waiting) \
                as numbered where events.event_id = numbered.event_id";
    /// Writes down how far positions are given.
    MOVE_HEAD = "update event_head set event_position = $1 where event_head_id = 1";
}

/// How often the table is looked at when nobody wakes the relay.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Events that get their position, or are read, at once.
const BATCH_MAX: u32 = 500;
/// Events that may wait for a slow listener in this process; one that falls further behind is told so.
const LISTENER_WAITING_MAX: usize = 4096;
/// After a failure of the database.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Lets the relay look at once. One that was not given by a relay does nothing: the relay looks by itself, a little
/// later.
#[derive(Clone, Default, Debug)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// To be called after the commit.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Gives events their positions and tells them to this process.
pub struct Relay {
    store: Store,
    clock: SharedClock,
    listeners: broadcast::Sender<Arc<StoredEvent>>,
    wake: Wake,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Relay {
    /// Nothing runs yet, so that whoever must not miss the first event can listen before.
    pub fn new(store: Store, clock: SharedClock) -> Self {
        Self {
            store,
            clock,
            listeners: broadcast::Sender::new(LISTENER_WAITING_MAX),
            wake: Wake::default(),
            stop: watch::Sender::new(false),
            task: Mutex::default(),
        }
    }

    /// Begins with the first event that has no position yet, one that was stored before the process was started and
    /// told to nobody included.
    pub async fn start(&self) -> Result<(), store::Error> {
        let worker = Worker {
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            listeners: self.listeners.clone(),
            told: self.store.read(outbox::last_position).await?,
        };
        let task = tokio::spawn(worker.run(self.wake.clone(), self.stop.subscribe()));
        *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Ok(())
    }

    /// Events from now on. A listener that is told [`broadcast::error::RecvError::Lagged`] has missed some and reads
    /// them with [`crate::after`] by the last position it saw.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<StoredEvent>> {
        self.listeners.subscribe()
    }

    /// For [`Relay::subscribe`] where no relay can be held.
    pub(crate) fn listeners(&self) -> broadcast::Sender<Arc<StoredEvent>> {
        self.listeners.clone()
    }

    /// Looks at once.
    pub fn wake(&self) {
        self.wake.wake();
    }

    /// For services that record.
    pub fn waker(&self) -> Wake {
        self.wake.clone()
    }

    /// Tells what is stored already, then ends.
    pub async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.stop.send_replace(true);
        if let Some(task) = task {
            // One that panicked has said so.
            let _ = task.await;
        }
    }
}

struct Worker {
    store: Store,
    clock: SharedClock,
    listeners: broadcast::Sender<Arc<StoredEvent>>,
    /// The last position told here.
    told: i64,
}

impl Worker {
    async fn run(mut self, wake: Wake, mut stop: watch::Receiver<bool>) {
        loop {
            let is_last = *stop.borrow_and_update();
            let pause = match self.round().await {
                Ok(()) => POLL_INTERVAL,
                Err(error) if error.is_temporary() => {
                    warn!(%error, "events wait for the database");
                    RETRY_INTERVAL
                }
                Err(error) => {
                    error!(%error, "events could not be read");
                    RETRY_INTERVAL
                }
            };
            if is_last {
                return;
            }
            tokio::select! {
                () = wake.0.notified() => {}
                () = tokio::time::sleep(pause) => {}
                // Without a sender the relay was dropped.
                changed = stop.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Positions for all that wait, then everything new to the listeners.
    async fn round(&mut self) -> Result<(), store::Error> {
        while let Some(oldest_at_us) = self.store.read(oldest_waiting).await? {
            let lag_us = self.clock.now_us().saturating_sub(oldest_at_us).max(0);
            metrics::histogram!("terrane_events_lag_seconds").record(lag_us as f64 / 1e6);
            if self.store.locked(give_positions).await? == 0 {
                // Another process was quicker.
                break;
            }
        }
        loop {
            let told = self.told;
            let events = self.store.read(move |tx| outbox::after(tx, told, BATCH_MAX)).await?;
            let is_end = events.len() < BATCH_MAX as usize;
            for event in events {
                self.told = event.position;
                // Nobody listening is fine.
                let _ = self.listeners.send(Arc::new(event));
                metrics::counter!("terrane_events_relayed_total").increment(1);
            }
            if is_end {
                return Ok(());
            }
        }
    }
}

fn oldest_waiting(tx: &mut Tx<'_>) -> Result<Option<i64>, store::Error> {
    tx.query_opt(IS_ANY_WAITING, params![])?.map(|row| row.get(0)).transpose()
}

/// How many got one. Whoever holds the head's row commits before the next may take it: so positions become visible in
/// their order.
fn give_positions(tx: &mut Tx<'_>) -> Result<u64, store::Error> {
    let head: i64 = tx.query_one(TAKE_HEAD, params![])?.get(0)?;
    let count = tx.execute(POSITION, params![head, BATCH_MAX])?;
    if count > 0 {
        tx.execute(MOVE_HEAD, params![head.saturating_add(count as i64)])?;
    }
    Ok(count)
}
