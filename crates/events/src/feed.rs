//! One reader's stream: what has happened since a position, then what happens.
//!
//! Nothing is queued for a slow reader. It is told when it takes; what went by in the meantime is read from the table.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use api::{Verifier, timestamp};
use bytes::Bytes;
use store::Store;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{Instant, Interval};
use tracing::warn;
use uuid::Uuid;

use crate::streams::Place;
use crate::{StoredEvent, outbox};

/// How often a silent stream says that it is still there.
pub(crate) const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(15);
/// How long a token is believed before it is looked at again; what is said after its end is nothing.
const TOKEN_BELIEVED: Duration = Duration::from_secs(1);
/// Events read from the table at once.
const BATCH_MAX: u32 = 200;

/// Who reads, and until when.
pub(crate) struct Reader {
    pub(crate) account_id: Uuid,
    pub(crate) token: String,
    pub(crate) verifier: Verifier,
}

pub(crate) struct Feed {
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) listener: broadcast::Receiver<Arc<StoredEvent>>,
    pub(crate) stop: watch::Receiver<bool>,
    /// The last position that was looked at.
    pub(crate) position: i64,
    /// Whether the table may hold more after it.
    pub(crate) is_behind: bool,
    pub(crate) heartbeat: Interval,
    pub(crate) token_seen_at: Instant,
    /// Given back when the stream ends.
    pub(crate) _place: Place,
}

impl Feed {
    /// The next bytes for the reader; none at the end.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        loop {
            let told = if self.is_behind { self.read_on().await? } else { self.wait().await? };
            if told.is_empty() {
                continue;
            }
            if self.token_seen_at.elapsed() > TOKEN_BELIEVED {
                self.reader.verifier.verify(&self.reader.token).await.ok()?;
                self.token_seen_at = Instant::now();
            }
            return Some(told.into());
        }
    }

    /// What the table has after the position.
    async fn read_on(&mut self) -> Option<String> {
        let position = self.position;
        let events = match self.store.read(move |tx| outbox::after(tx, position, BATCH_MAX)).await {
            Ok(events) => events,
            Err(error) => {
                // The reader comes again and goes on where it stopped.
                warn!(%error, "an event stream ends early");
                return None;
            }
        };
        self.is_behind = events.len() == BATCH_MAX as usize;
        self.position = events.last().map_or(self.position, |it| it.position);
        Some(events.iter().filter_map(|it| self.told(it)).collect())
    }

    /// What happens next, or that nothing did for a while.
    async fn wait(&mut self) -> Option<String> {
        if *self.stop.borrow() {
            return None;
        }
        let heard = tokio::select! {
            heard = self.listener.recv() => heard,
            _ = self.heartbeat.tick() => return Some(":\n\n".to_owned()),
            _ = self.stop.wait_for(|is_stopping| *is_stopping) => return None,
        };
        match heard {
            Ok(event) if event.position > self.position => {
                self.position = event.position;
                Some(self.told(&event).unwrap_or_default())
            }
            Ok(_) => Some(String::new()),
            Err(RecvError::Lagged(_)) => {
                self.is_behind = true;
                Some(String::new())
            }
            Err(RecvError::Closed) => None,
        }
    }

    /// The event as its reader sees it, if they may.
    fn told(&self, event: &StoredEvent) -> Option<String> {
        event.audience.admits(self.reader.account_id).then(|| frame(event))
    }
}

/// An event in the form of `text/event-stream`. JSON as we write it has no line ends.
fn frame(event: &StoredEvent) -> String {
    let StoredEvent { event_id, kind, at_us, data, .. } = event;
    let body = serde_json::json!({
        "event_id": event_id,
        "kind": kind,
        "at": timestamp(*at_us).to_string(),
        "data": data,
    });
    let mut text = String::new();
    write!(text, "id: {event_id}\nevent: {kind}\ndata: {body}\n\n").expect("a String takes all");
    text
}
