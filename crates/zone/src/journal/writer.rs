//! A thread that writes the journal, so that no tick waits for a disk.
//!
//! What it cannot write is lost to the journal and not to the world: the host hears of it, goes on, and begins a new
//! stretch at its next snapshot. Only an older lease ends the host.

use super::{Error, Journal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tracing::{error, warn};

/// Records waiting for the disk: some seconds of them. More are lost to the journal.
pub(crate) const WAITING_MAX: usize = 256;
/// What was written survives a loss of power after at most so long.
const SYNC_AFTER: Duration = Duration::from_secs(1);

enum Job {
    Begin { tick: u64, snapshot: Vec<u8> },
    Append { tick: u64, record: Vec<u8> },
    End,
}

/// How the journal does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// Everything is written.
    Whole,
    /// Something was not: a new stretch must begin.
    Broken,
    /// Somebody else has a newer lease.
    Fenced,
}

#[derive(Debug)]
struct Shared(AtomicU8);

impl Shared {
    fn set(&self, health: Health) {
        self.0.fetch_max(health as u8, Ordering::Relaxed);
    }

    fn mend(&self) {
        let (broken, whole) = (Health::Broken as u8, Health::Whole as u8);
        // A fence stays.
        let _ = self.0.compare_exchange(broken, whole, Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// The host's end.
pub(crate) struct Writer {
    jobs: SyncSender<Job>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    /// Something found no room: nothing may follow it before the next snapshot.
    has_gap: AtomicBool,
    written: metrics::Counter,
}

impl Writer {
    /// Starts the thread.
    pub(crate) fn start(journal: Box<dyn Journal>) -> Self {
        let (jobs, work) = sync_channel(WAITING_MAX);
        let shared = Arc::new(Shared(AtomicU8::new(Health::Whole as u8)));
        let seen = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(move || run(journal, &work, &seen))
            .expect("the system can start a thread");
        let written = metrics::counter!("terrane_zone_journal_bytes_total");
        Self { jobs, shared, thread: Some(thread), has_gap: AtomicBool::new(false), written }
    }

    pub(crate) fn health(&self) -> Health {
        match self.shared.0.load(Ordering::Relaxed) {
            0 => Health::Whole,
            1 => Health::Broken,
            _ => Health::Fenced,
        }
    }

    pub(crate) fn begin(&self, tick: u64, snapshot: Vec<u8>) {
        // Whatever was lost before is in the snapshot.
        self.has_gap.store(false, Ordering::Relaxed);
        self.written.increment(snapshot.len() as u64);
        self.give(Job::Begin { tick, snapshot });
    }

    pub(crate) fn append(&self, tick: u64, record: Vec<u8>) {
        if !self.has_gap.load(Ordering::Relaxed) {
            self.written.increment(record.len() as u64);
            self.give(Job::Append { tick, record });
        }
    }

    fn give(&self, job: Job) {
        match self.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                warn!("the disk is too slow for the journal: it begins again with the next snapshot");
                self.has_gap.store(true, Ordering::Relaxed);
                self.shared.set(Health::Broken);
            }
            Err(TrySendError::Disconnected(_)) => self.shared.set(Health::Broken),
        }
    }
}

impl Drop for Writer {
    /// Waits until everything given before is written.
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(mut journal: Box<dyn Journal>, work: &Receiver<Job>, shared: &Shared) {
    let syncing = metrics::histogram!("terrane_zone_journal_sync_seconds");
    let failures = metrics::counter!("terrane_zone_journal_failures_total");
    let mut unsynced_since: Option<Instant> = None;
    let mut is_broken = false;
    loop {
        let patience = unsynced_since.map_or(SYNC_AFTER, |since| SYNC_AFTER.saturating_sub(since.elapsed()));
        let outcome = match work.recv_timeout(patience) {
            Ok(Job::Begin { tick, snapshot }) => {
                is_broken = false;
                unsynced_since.get_or_insert_with(Instant::now);
                journal.begin(tick, &snapshot).inspect(|()| shared.mend())
            }
            Ok(Job::Append { .. }) if is_broken => Ok(()),
            Ok(Job::Append { tick, record }) => {
                unsynced_since.get_or_insert_with(Instant::now);
                journal.append(tick, &record)
            }
            Ok(Job::End) | Err(RecvTimeoutError::Disconnected) => {
                if let Err(error) = journal.sync() {
                    warn!(%error, "the end of the journal may be lost");
                }
                return;
            }
            Err(RecvTimeoutError::Timeout) => Ok(()),
        };
        let outcome = outcome.and_then(|()| {
            if unsynced_since.is_none_or(|since| since.elapsed() < SYNC_AFTER) {
                return Ok(());
            }
            unsynced_since = None;
            let started = Instant::now();
            let outcome = journal.sync();
            syncing.record(started.elapsed().as_secs_f64());
            outcome
        });
        if let Err(error) = outcome {
            is_broken = true;
            failures.increment(1);
            match error {
                Error::Fenced { held, newest } => {
                    error!(held, newest, "another process has this world: this one ends");
                    shared.set(Health::Fenced);
                }
                error => {
                    error!(%error, "the journal cannot be written; it begins again with the next snapshot");
                    shared.set(Health::Broken);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Stretch;
    use std::sync::Mutex;

    /// Notes what it is given, and fails where it is told to.
    #[derive(Clone, Default)]
    struct Notes(Arc<Mutex<(Vec<String>, Option<u64>)>>);

    impl Journal for Notes {
        fn begin(&mut self, tick: u64, _: &[u8]) -> Result<(), Error> {
            self.0.lock().unwrap().0.push(format!("begin {tick}"));
            Ok(())
        }

        fn append(&mut self, tick: u64, _: &[u8]) -> Result<(), Error> {
            let mut notes = self.0.lock().unwrap();
            if notes.1 == Some(tick) {
                return Err(std::io::Error::other("full, as the test wants").into());
            }
            notes.0.push(format!("{tick}"));
            Ok(())
        }

        fn sync(&mut self) -> Result<(), Error> {
            self.0.lock().unwrap().0.push("sync".into());
            Ok(())
        }

        fn read_back(&self) -> Result<Option<Stretch>, Error> {
            Ok(None)
        }
    }

    #[test]
    fn after_a_failure_nothing_is_written_before_the_next_snapshot() {
        let notes = Notes::default();
        notes.0.lock().unwrap().1 = Some(3);
        let writer = Writer::start(Box::new(notes.clone()));
        writer.begin(0, vec![]);
        for tick in 1..6 {
            writer.append(tick, vec![]);
        }
        while writer.health() == Health::Whole {
            std::thread::yield_now();
        }
        writer.append(6, vec![]);
        // What was on its way when it broke does not stain what begins anew.
        writer.begin(6, vec![]);
        writer.append(7, vec![]);
        while writer.health() == Health::Broken {
            std::thread::yield_now();
        }
        drop(writer);
        assert_eq!(notes.0.lock().unwrap().0, ["begin 0", "1", "2", "begin 6", "7", "sync"]);
    }
}
