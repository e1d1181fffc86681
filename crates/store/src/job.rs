//! From the caller's task to the threads that own the connections, and back.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvError, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::{Error, Isolation, Tx};

/// Transactions that may wait in one lane; more are refused with [`Error::Overloaded`].
const WAITING_MAX: usize = 1024;

/// What became of one run of a body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Keep,
    Undo,
}

/// A transaction body with somewhere to send its result, its types erased.
pub(crate) trait Job: Send {
    fn isolation(&self) -> Isolation;
    /// Whether anybody still waits for the answer.
    fn is_wanted(&self) -> bool;
    /// Runs the body once and keeps its result.
    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict;
    /// Sends the result of the last attempt, unless that is done.
    fn answer(&mut self);
    /// Sends an error instead.
    fn fail(&mut self, error: Error);
}

struct Transaction<F, T, E> {
    isolation: Isolation,
    body: F,
    result: Option<std::thread::Result<Result<T, E>>>,
    reply: Option<oneshot::Sender<std::thread::Result<Result<T, E>>>>,
}

/// A job for `body`, and where its answer will arrive. A panic of the body travels in the outer result.
#[expect(clippy::type_complexity, reason = "a panic's payload beside the body's own result, used once")]
pub(crate) fn transaction<F, T, E>(
    isolation: Isolation,
    body: F,
) -> (Box<dyn Job>, oneshot::Receiver<std::thread::Result<Result<T, E>>>)
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    (Box::new(Transaction { isolation, body, result: None, reply: Some(reply) }), answer)
}

impl<F, T, E> Job for Transaction<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn isolation(&self) -> Isolation {
        self.isolation
    }

    fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| !reply.is_closed())
    }

    fn attempt(&mut self, tx: &mut Tx<'_>) -> Verdict {
        let mut result = std::panic::catch_unwind(AssertUnwindSafe(|| (self.body)(tx)));
        if let (Ok(Ok(_)), Some(_)) = (&result, tx.failure()) {
            result = Ok(Err(Error::Abandoned.into()));
        }
        let verdict = if matches!(result, Ok(Ok(_))) { Verdict::Keep } else { Verdict::Undo };
        self.result = Some(result);
        verdict
    }

    fn answer(&mut self) {
        let Some(reply) = self.reply.take() else { return };
        let result = self.result.take().expect("a job is answered after an attempt");
        // Nobody listening is no fault: the caller went away while the body ran.
        let _ = reply.send(result);
    }

    fn fail(&mut self, error: Error) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(Ok(Err(error.into())));
        }
    }
}

/// A bounded queue of jobs and the threads that work on it.
pub(crate) struct Lane {
    sender: RwLock<Option<SyncSender<Box<dyn Job>>>>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Lane {
    /// Starts one thread per worker; each takes jobs until the lane is closed.
    pub(crate) fn start<W>(name: &str, workers: impl IntoIterator<Item = W>) -> Self
    where
        W: FnOnce(&Queue) + Send + 'static,
    {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        let queue = Queue { receiver: Arc::new(Mutex::new(receiver)) };
        let workers = workers
            .into_iter()
            .map(|work| {
                let queue = queue.clone();
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || work(&queue))
                    .expect("the system can start a thread")
            })
            .collect();
        Self { sender: RwLock::new(Some(sender)), workers: Mutex::new(workers) }
    }

    pub(crate) fn submit(&self, job: Box<dyn Job>) -> Result<(), Error> {
        let sender = self.sender.read().unwrap_or_else(PoisonError::into_inner);
        let sender = sender.as_ref().ok_or_else(Error::closed)?;
        sender.try_send(job).map_err(|error| match error {
            TrySendError::Full(_) => {
                metrics::counter!("terrane_store_overloads_total").increment(1);
                Error::Overloaded
            }
            TrySendError::Disconnected(_) => Error::closed(),
        })
    }

    /// Refuses further jobs, waits until those accepted are done and the threads have ended.
    pub(crate) fn close(&self) {
        self.sender.write().unwrap_or_else(PoisonError::into_inner).take();
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for worker in workers {
            // A worker that panicked has been reported by the panic hook.
            let _ = worker.join();
        }
    }
}

/// The workers' end of a lane.
#[derive(Clone)]
pub(crate) struct Queue {
    receiver: Arc<Mutex<Receiver<Box<dyn Job>>>>,
}

impl Queue {
    /// Waits for the next job whose caller still waits; `None` when the lane is closed and empty.
    pub(crate) fn take(&self) -> Option<Box<dyn Job>> {
        loop {
            let job = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Ok(job) if job.is_wanted() => return Some(job),
                Ok(_) => {}
                Err(RecvError) => return None,
            }
        }
    }

    /// The next job if one is waiting already.
    pub(crate) fn take_waiting(&self) -> Option<Box<dyn Job>> {
        loop {
            let job = self.receiver.lock().unwrap_or_else(PoisonError::into_inner).try_recv();
            match job {
                Ok(job) if job.is_wanted() => return Some(job),
                Ok(_) => {}
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return None,
            }
        }
    }
}
