//! The threads that send.
//!
//! A tick makes frames for thousands of clients, and telling the system to send one costs as much as making it, so
//! neither the tick nor a task for each client does it: the tick hands over whole batches, and a few threads go
//! through them, one write for each client. A client is in the queue at most once, with whatever waits for it when its
//! turn comes: the queue cannot grow longer than there are clients, and who is late sends more at a time, not more
//! often.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::error;

use crate::outbox::Waiting;
use crate::outgoing::Hands;

/// Clients that a thread takes at once: enough that taking them costs nothing, few enough that threads end together.
const SHARE: usize = 64;

/// A buffer grown larger than this is not kept.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// Clients for whom a frame has been queued since the last posting.
#[derive(Default)]
pub(crate) struct Batch(Vec<Arc<Waiting>>);

impl Batch {
    pub(crate) fn push(&mut self, waiting: Arc<Waiting>) {
        self.0.push(waiting);
    }

    /// Does what the threads would do, here.
    #[cfg(test)]
    pub(crate) fn take_over(self) {
        self.0.iter().for_each(|client| client.carry(&mut Hands::default()));
    }

    /// Lets the threads send. Gives what they are behind: how long the clients whose turn is next have waited.
    pub(crate) fn post(self, post: &Post) -> Duration {
        post.take(self.0)
    }
}

/// The sending threads; they end with it.
pub(crate) struct Post(Arc<Queue>);

#[derive(Default)]
struct Queue {
    shares: Mutex<Shares>,
    filled: Condvar,
}

#[derive(Default)]
struct Shares {
    waiting: VecDeque<(Instant, Vec<Arc<Waiting>>)>,
    is_closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Shares> {
        // Whole after every statement.
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    /// Starts `threads` of them, one at least.
    pub(crate) fn start(threads: usize) -> Self {
        let queue = Arc::<Queue>::default();
        for number in 0..threads.max(1) {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new().name(format!("send-{number}"));
            thread.spawn(move || run(&queue)).expect("the system can start a thread");
        }
        Self(queue)
    }

    fn take(&self, clients: Vec<Arc<Waiting>>) -> Duration {
        let now = Instant::now();
        let count = clients.len();
        let mut clients = clients.into_iter();
        let added = (0..count.div_ceil(SHARE)).map(|_| (now, clients.by_ref().take(SHARE).collect()));
        let added: Vec<(Instant, Vec<_>)> = added.collect();
        let mut shares = self.0.lock();
        let behind = shares.waiting.front().map_or(Duration::ZERO, |(since, _)| now.duration_since(*since));
        shares.waiting.extend(added);
        drop(shares);
        match count.div_ceil(SHARE) {
            0 => {}
            1 => self.0.filled.notify_one(),
            _ => self.0.filled.notify_all(),
        }
        behind
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.0.lock().is_closed = true;
        self.0.filled.notify_all();
    }
}

fn run(queue: &Queue) {
    let mut hands = Hands::default();
    let waited = metrics::histogram!("terrane_send_waited_seconds");
    loop {
        let mut shares = queue.lock();
        let (since, share) = loop {
            if let Some(share) = shares.waiting.pop_front() {
                break share;
            }
            if shares.is_closed {
                return;
            }
            shares = queue.filled.wait(shares).unwrap_or_else(PoisonError::into_inner);
        };
        drop(shares);
        waited.record(since.elapsed().as_secs_f64());
        for client in share {
            if catch_unwind(AssertUnwindSafe(|| client.carry(&mut hands))).is_err() {
                error!("sending to a client has panicked: its connection ends");
                client.break_off();
            }
            hands.messages.clear();
            hands.bytes.clear();
            if hands.bytes.capacity() > KEPT_BYTES_MAX {
                hands.bytes = Vec::new();
            }
        }
    }
}
