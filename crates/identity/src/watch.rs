//! Sockets that stay open long after their token was looked at: they learn here that their session has ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use store::Store;
use tokio::sync::{Notify, watch};
use uuid::Uuid;

use crate::sessions;

/// How often the sessions of all open sockets are looked at, in one question.
const LOOK_INTERVAL: Duration = Duration::from_secs(3);

/// Sessions that are being watched in this process.
#[derive(Clone, Default)]
pub(crate) struct Watched {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    sessions: Mutex<HashMap<Uuid, Entry>>,
    look: Notify,
}

struct Entry {
    sockets: usize,
    ended: watch::Sender<bool>,
}

/// Held by a socket as long as it is open.
pub struct SessionWatch {
    session_id: Uuid,
    ended: watch::Receiver<bool>,
    watched: Watched,
}

impl SessionWatch {
    /// Comes back when the session has ended or its account may not be used any more.
    pub async fn ended(&mut self) {
        if self.ended.wait_for(|ended| *ended).await.is_err() {
            // Nobody is left who could say so.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        let mut sessions = self.watched.lock();
        if let Some(entry) = sessions.get_mut(&self.session_id) {
            entry.sockets -= 1;
            if entry.sockets == 0 {
                sessions.remove(&self.session_id);
            }
        }
    }
}

impl Watched {
    /// Begins to watch a session.
    pub(crate) fn watch(&self, session_id: Uuid) -> SessionWatch {
        let mut sessions = self.lock();
        let entry = sessions
            .entry(session_id)
            .or_insert_with(|| Entry { sockets: 0, ended: watch::Sender::new(false) });
        entry.sockets += 1;
        let ended = entry.ended.subscribe();
        drop(sessions);
        SessionWatch { session_id, ended, watched: self.clone() }
    }

    /// Looks at all of them soon.
    pub(crate) fn look_again(&self) {
        self.inner.look.notify_one();
    }

    /// Tells those that have ended, until it is to stop. `now_us` is asked for the time.
    pub(crate) async fn work(
        &self,
        store: &Store,
        now_us: impl Fn() -> i64,
        mut stop: watch::Receiver<bool>,
    ) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.inner.look.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            let ids: Vec<Uuid> = self.lock().keys().copied().collect();
            if ids.is_empty() {
                continue;
            }
            let now_us = now_us();
            match store.read(move |tx| sessions::not_open(tx, &ids, now_us)).await {
                Ok(ended) => {
                    let sessions = self.lock();
                    for entry in ended.iter().filter_map(|id| sessions.get(id)) {
                        entry.ended.send_replace(true);
                    }
                }
                // The next look comes in a moment.
                Err::<_, store::Error>(error) => tracing::warn!(%error, "open sockets were not looked at"),
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Entry>> {
        self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
