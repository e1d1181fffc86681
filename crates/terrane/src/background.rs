//! What a process does without being asked: it tells what happened, and tidies up.

use std::sync::Arc;
use std::time::Duration;

use api::{Clock as _, SystemClock};
use events::{Relay, Streams};
use store::Store;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;

/// How often what was kept long enough is removed.
const TIDY_INTERVAL: Duration = Duration::from_mins(1);

/// All work in the background of a process.
pub(crate) struct Background {
    relay: Arc<Relay>,
    streams: Arc<Streams>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts all of it.
    pub(crate) async fn start(store: &Store) -> Result<Self, store::Error> {
        let relay = Arc::new(Relay::new(store.clone(), Arc::new(SystemClock)));
        let streams = Streams::new(store.clone(), &relay);
        let stop = watch::Sender::new(false);
        let tasks = vec![tokio::spawn(tidy(store.clone(), stop.subscribe()))];
        relay.start().await?;
        Ok(Self { relay, streams, stop, tasks })
    }

    /// The streams that clients read events from.
    pub(crate) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.streams)
    }

    /// Sends the readers of streams away, so that nobody waits for them.
    pub(crate) fn end_streams(&self) {
        self.streams.stop();
    }

    /// Lets everything come to its next place to stop. What is left undone is in the database.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            // One that panicked has said so.
            let _ = task.await;
        }
        self.relay.stop().await;
    }
}

/// Answers of decisions are promised for a day, events for a week; without this they would stay for ever.
async fn tidy(store: Store, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(TIDY_INTERVAL);
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            _ = stop.wait_for(|is_stopping| *is_stopping) => return,
        }
        let now_us = SystemClock.now_us();
        if let Err(error) = api::idempotency::sweep(&store, now_us).await {
            warn!(%error, "old answers were not removed");
        }
        if let Err(error) = events::sweep(&store, now_us).await {
            warn!(%error, "old events were not removed");
        }
    }
}
