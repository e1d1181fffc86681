//! What a process does without being asked: it tells what happened, sends webhooks, does what is due, tidies up.

use std::sync::Arc;
use std::time::Duration;

use api::{Clock as _, SystemClock};
use events::{Audience, Relay, StoredEvent, Streams, Wake};
use notify::{Courier, CourierDeps, Sender};
use store::Store;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::warn;
use zone::EventFor;

use crate::fences;

/// How often what was kept long enough is removed.
const TIDY_INTERVAL: Duration = Duration::from_mins(1);

/// All work in the background of a process.
pub(crate) struct Background {
    relay: Relay,
    streams: Arc<Streams>,
    courier: Courier,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// The world that is told of events, if this process runs it.
pub(crate) struct Listening {
    pub(crate) zone: zone::Handle,
    pub(crate) radius_m: f64,
}

impl Background {
    /// Starts what every process does; services add theirs with [`Background::run`].
    pub(crate) async fn start(
        store: &Store,
        sender: Sender,
        listening: Option<Listening>,
    ) -> Result<Self, store::Error> {
        let relay = Relay::new(store.clone(), Arc::new(SystemClock));
        let streams = Streams::new(store.clone(), &relay);
        let courier = CourierDeps { store: store.clone(), clock: Arc::new(SystemClock), sender };
        let courier = Courier::start(courier, relay.subscribe());
        let (heard, heard_of_fences) = (relay.subscribe(), relay.subscribe());
        // From here on nothing is missed by those who listen already.
        relay.start().await?;
        let stop = watch::Sender::new(false);
        let mut background = Self { relay, streams, courier, stop, tasks: Vec::new() };
        if let Some(listening) = listening {
            let (store, zone) = (store.clone(), listening.zone.clone());
            background.run(|stop| fences::follow(heard_of_fences, store, zone, stop));
            background.run(|stop| tell_zone(heard, listening, stop));
        }
        let books = store.clone();
        background.run(|stop| wallet::keep(books, Arc::new(SystemClock), stop));
        let store = store.clone();
        background.run(|stop| tidy(store, stop));
        Ok(background)
    }

    /// Runs `work` until the process ends. It ends itself when the receiver says true; what it leaves undone must be in
    /// the database.
    pub(crate) fn run<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        work: impl FnOnce(watch::Receiver<bool>) -> F,
    ) {
        self.tasks.push(tokio::spawn(work(self.stop.subscribe())));
    }

    /// For services that record events.
    pub(crate) fn wake(&self) -> Wake {
        self.relay.waker()
    }

    /// The streams that clients read events from.
    pub(crate) fn streams(&self) -> Arc<Streams> {
        Arc::clone(&self.streams)
    }

    /// Sends the readers of streams away, so that nobody waits for them.
    pub(crate) fn end_streams(&self) {
        self.streams.stop();
    }

    /// Lets everything come to its next place to stop.
    pub(crate) async fn stop(self) {
        self.stop.send_replace(true);
        self.courier.stop().await;
        for task in self.tasks {
            // One that panicked has said so.
            let _ = task.await;
        }
        self.relay.stop().await;
    }
}

/// Carries events to the world: to those near, and to those they are for.
async fn tell_zone(
    mut events: broadcast::Receiver<Arc<StoredEvent>>,
    Listening { zone, radius_m }: Listening,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let heard = tokio::select! {
            heard = events.recv() => heard,
            _ = stop.wait_for(|is_stopping| *is_stopping) => return,
        };
        match heard {
            Ok(event) => {
                let to = match &event.audience {
                    // What concerns no place is read from the stream over HTTP.
                    Audience::Public => continue,
                    Audience::Near(cell) => EventFor::Near(cell.center() * radius_m),
                    Audience::Accounts(accounts) => EventFor::Accounts(accounts.clone()),
                };
                zone.tell_event(message(&event), to);
            }
            // They can be read again; who looks at something asks for it now and then.
            Err(RecvError::Lagged(count)) => warn!(count, "events were not told in the world"),
            Err(RecvError::Closed) => return,
        }
    }
}

fn message(event: &StoredEvent) -> wire::Event {
    wire::Event {
        kind: event.kind.clone(),
        event_id: event.event_id.to_string(),
        at_us: event.at_us,
        data_json: event.data.to_string(),
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
        let swept = [
            api::idempotency::sweep(&store, now_us).await,
            events::sweep(&store, now_us).await,
            notify::sweep(&store, now_us).await,
        ];
        for error in swept.into_iter().filter_map(Result::err) {
            warn!(%error, "what is old was not removed");
        }
    }
}
