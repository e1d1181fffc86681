//! Decisions that arrive together share one transaction, never a fate.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::{Error, Isolation, Store, Tx};

/// Decisions that may wait, for each one that a transaction takes; more are refused with [`Error::Overloaded`].
const WAITING_PER_PLACE: usize = 16;

/// Takes decisions one by one and runs those that wait in one transaction, while the next ones gather.
///
/// The body is given the decisions of one transaction, in the order of their arrival, and answers each: a refusal is
/// an answer like any other and leaves its neighbours alone. An `Err` or a panic of the body undoes the whole
/// transaction; then each decision is run in a transaction of its own, so that it fails those alone that are its
/// cause. Only if the database itself is away does everybody hear so at once. Like every body of a transaction it may
/// be run again; and as nobody can know whether a commit happened during which the connection was lost, decisions
/// carry an idempotency key.
pub struct Group<D, R> {
    name: &'static str,
    sender: Mutex<Option<mpsc::Sender<Waiting<D, R>>>>,
    worker: Mutex<Option<JoinHandle<()>>>,
}

type Body<D, R> = dyn Fn(&mut Tx<'_>, &[D]) -> Result<Vec<R>, Error> + Send + Sync;
/// A panic's payload stands outside, the database's failure inside.
type Answer<R> = Result<Result<R, Error>, Box<dyn Any + Send>>;

struct Waiting<D, R> {
    decision: D,
    reply: oneshot::Sender<Answer<R>>,
}

impl<D, R> Group<D, R>
where
    D: Send + Sync + 'static,
    R: Send + 'static,
{
    /// Starts the worker, inside a runtime. `name` is that of the group in metrics; a transaction takes at most
    /// `decisions_max` decisions. `body` gives exactly as many answers as it is given decisions.
    pub fn start(
        store: Store,
        name: &'static str,
        isolation: Isolation,
        decisions_max: usize,
        body: impl Fn(&mut Tx<'_>, &[D]) -> Result<Vec<R>, Error> + Send + Sync + 'static,
    ) -> Self {
        let decisions_max = decisions_max.max(1);
        let (sender, receiver) = mpsc::channel(decisions_max * WAITING_PER_PLACE);
        let worker = Worker { store, name, isolation, decisions_max, body: Arc::new(body) };
        let worker = tokio::spawn(worker.work(receiver));
        Self { name, sender: Mutex::new(Some(sender)), worker: Mutex::new(Some(worker)) }
    }

    /// Has the decision made; what the body answered, once that is on disk. A panic of the body is raised again here.
    pub async fn submit(&self, decision: D) -> Result<R, Error> {
        let (reply, answer) = oneshot::channel();
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or_else(Error::closed)?;
        sender.try_send(Waiting { decision, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                metrics::counter!("terrane_group_overloads_total", "group" => self.name).increment(1);
                Error::Overloaded
            }
            mpsc::error::TrySendError::Closed(_) => Error::closed(),
        })?;
        drop(sender);
        match answer.await {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(Error::closed()),
        }
    }

    /// Refuses further decisions and waits until those accepted are made.
    pub async fn close(&self) {
        drop(self.sender.lock().unwrap_or_else(PoisonError::into_inner).take());
        let worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(worker) = worker {
            // Bodies that panic do so in tasks of their own; the worker itself does not.
            let _ = worker.await;
        }
    }
}

impl<D, R> fmt::Debug for Group<D, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("name", &self.name).finish_non_exhaustive()
    }
}

struct Worker<D, R> {
    store: Store,
    name: &'static str,
    isolation: Isolation,
    decisions_max: usize,
    body: Arc<Body<D, R>>,
}

impl<D, R> Worker<D, R>
where
    D: Send + Sync + 'static,
    R: Send + 'static,
{
    async fn work(self, mut receiver: mpsc::Receiver<Waiting<D, R>>) {
        let mut waiting = Vec::with_capacity(self.decisions_max);
        while receiver.recv_many(&mut waiting, self.decisions_max).await > 0 {
            // Whoever went away before it began is not served.
            waiting.retain(|it| !it.reply.is_closed());
            let (decisions, replies): (Vec<_>, Vec<_>) =
                waiting.drain(..).map(|it| (it.decision, it.reply)).unzip();
            if !decisions.is_empty() {
                metrics::histogram!("terrane_group_decisions", "group" => self.name)
                    .record(decisions.len() as f64);
                self.decide(decisions, replies).await;
            }
        }
    }

    async fn decide(&self, decisions: Vec<D>, replies: Vec<oneshot::Sender<Answer<R>>>) {
        let started = Instant::now();
        let decisions = Arc::new(decisions);
        let count = decisions.len();
        match self.run(&decisions, 0, count).await {
            Ok(Ok(answers)) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Nobody listening is no fault: the caller went away in the meantime.
                    let _ = reply.send(Ok(Ok(answer)));
                }
            }
            // Each would hear the same, only later.
            Ok(Err(error @ (Error::Unavailable { .. } | Error::Overloaded))) => {
                for reply in replies {
                    let _ = reply.send(Ok(Err(error.clone())));
                }
            }
            failed if count == 1 => {
                let _ = replies.into_iter().next().expect("there is one").send(only(failed));
            }
            _ => {
                metrics::counter!("terrane_group_undone_total", "group" => self.name).increment(1);
                for (at, reply) in replies.into_iter().enumerate() {
                    let _ = reply.send(only(self.run(&decisions, at, at + 1).await));
                }
            }
        }
        metrics::histogram!("terrane_group_seconds", "group" => self.name)
            .record(started.elapsed().as_secs_f64());
    }

    /// Some of the decisions in one transaction.
    async fn run(&self, decisions: &Arc<Vec<D>>, from: usize, to: usize) -> Answer<Vec<R>> {
        let (store, isolation) = (self.store.clone(), self.isolation);
        let (body, decisions) = (Arc::clone(&self.body), Arc::clone(decisions));
        // A task of its own: a panic of the body ends that, not the worker.
        let outcome = tokio::spawn(async move {
            store
                .transaction(isolation, move |tx| {
                    let answers = body(tx, &decisions[from..to])?;
                    assert_eq!(answers.len(), to - from, "the body answers each decision");
                    Ok::<_, Error>(answers)
                })
                .await
        });
        match outcome.await {
            Ok(answers) => Ok(answers),
            Err(error) if error.is_panic() => Err(error.into_panic()),
            // The runtime ends.
            Err(_) => Ok(Err(Error::closed())),
        }
    }
}

/// The answer to the one decision that was made.
fn only<R>(answers: Answer<Vec<R>>) -> Answer<R> {
    answers.map(|it| it.map(|mut it| it.pop().expect("one decision has one answer")))
}
