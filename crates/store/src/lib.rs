//! SQL written once, run on `SQLite` (embedded) or `PostgreSQL` (shared).
//!
//! A transaction is a synchronous body that runs on a thread of its own, may be run again from the start when the
//! database asks for it, and cannot be cancelled in the middle:
//!
//! ```no_run
//! # async fn example(store: store::Store) -> Result<(), store::Error> {
//! let name: String = store
//!     .read(|tx| tx.query_one("select name from planets where planet_id = $1", store::params![1])?.get(0))
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! - [`Store::serializable`] is for code that reads and then decides.
//! - [`Store::locked`] is for hot rows: every row touched is first taken by a guarded `update … returning` in
//!   ascending id order, so that nobody ever waits in a circle or runs twice.
//! - [`Store::read`] sees one snapshot and may not write; [`Store::open_read_only`] allows nothing else.
//!
//! What the body gives back reaches the caller only after the commit is on disk. Concurrent writers on `SQLite` share
//! a commit (one `fsync` for many), never a fate: each has its own savepoint, and if the shared commit fails each is
//! run again alone.
//!
//! Two ways to do much at once: [`Tx::execute_rows`] runs one statement over many rows, and a [`Group`] lets decisions
//! that arrive together share one transaction without sharing their fate.
//!
//! A query that ends in ` for update` takes the rows it gives, in the order of its `order by`. (`SQLite` has one writer
//! and does not know the words: they are left out there.)
//!
//! The crate refuses: SQL that is not `&'static str` (no value can be pasted into a statement), a missing or surplus
//! parameter, going on after a failed statement, and a database newer than the migrations it was given.
//!
//! Read first: [`Store`], [`Tx`], [`Group`], [`Error`].

mod ddl;
mod error;
mod group;
mod job;
mod migrate;
mod pg;
mod rows;
mod scrub;
mod sqlite;
mod statements;
#[cfg(feature = "testing")]
pub mod testing;
mod tx;
mod value;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use error::{Error, OpenError};
pub use group::Group;
pub use migrate::{MigrateError, Migration};
pub use tx::Tx;
pub use value::{FromValue, Row, Value};

use job::Lane;

/// Which database, and where.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreConfig {
    /// One file, made if it does not exist. Only one process at a time may hold it.
    Sqlite {
        /// The database file. Its folder is made if missing; `<file>.lock` beside it is held while open.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// `postgres://user:password@host:port/database`.
        url: String,
        /// Connections kept open, each with a thread; at least 1.
        max_connections: u32,
    },
}

impl std::fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path } => f.debug_struct("Sqlite").field("path", path).finish(),
            // The address may hold a password.
            Self::Postgres { max_connections, .. } => {
                f.debug_struct("Postgres").field("max_connections", max_connections).finish_non_exhaustive()
            }
        }
    }
}

/// The engine behind a [`Store`], for logs and health reports; no code outside this crate branches on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

impl Engine {
    /// `sqlite` or `postgres`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// What a transaction may rely on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Isolation {
    /// As if all transactions ran one after the other. For code that reads and then decides.
    Serializable,
    /// Rows are protected by taking them first with a guarded `update`, in ascending id order.
    Locked,
    /// One snapshot, no writes.
    Read,
}

impl Isolation {
    const fn name(self) -> &'static str {
        match self {
            Self::Serializable => "serializable",
            Self::Locked => "locked",
            Self::Read => "read",
        }
    }
}

/// An open database. Cheap to clone; all clones share connections.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    /// `SQLite` reads beside its one writer; on `PostgreSQL` both are the same lane.
    reads: Arc<Lane>,
    /// None if it was opened for reading only.
    writes: Option<Arc<Lane>>,
    /// Of an embedded database that can be written.
    scrubber: Option<scrub::Scrubber>,
    last_probe: Mutex<Option<(Instant, Result<(), Error>)>>,
}

/// A health probe writes; asked more often than this, it repeats its last answer.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

impl Store {
    /// Opens the database and checks that it can be read and written. Does not migrate.
    pub async fn open(config: StoreConfig) -> Result<Self, OpenError> {
        on_own_thread(move || match config {
            StoreConfig::Sqlite { path } => {
                let gate = scrub::Gate::default();
                let (writes, reads) = sqlite::open(&path, Arc::clone(&gate))?;
                let scrubber = Some(scrub::Scrubber::new(&path, gate));
                Ok(Self::new(Engine::Sqlite, Arc::new(reads), Some(Arc::new(writes)), scrubber))
            }
            StoreConfig::Postgres { url, max_connections } => {
                let both = Arc::new(pg::open(&url, max_connections)?);
                Ok(Self::new(Engine::Postgres, Arc::clone(&both), Some(both), None))
            }
        })
        .await
    }

    /// Opens a database that exists, for [`Store::read`] alone: whatever would write is refused. Takes no lock, so
    /// that an operator can look at the file of a running server.
    pub async fn open_read_only(config: StoreConfig) -> Result<Self, OpenError> {
        on_own_thread(move || match config {
            StoreConfig::Sqlite { path } => {
                Ok(Self::new(Engine::Sqlite, Arc::new(sqlite::open_read_only(&path)?), None, None))
            }
            StoreConfig::Postgres { url, .. } => {
                Ok(Self::new(Engine::Postgres, Arc::new(pg::open(&url, 1)?), None, None))
            }
        })
        .await
    }

    fn new(
        engine: Engine,
        reads: Arc<Lane>,
        writes: Option<Arc<Lane>>,
        scrubber: Option<scrub::Scrubber>,
    ) -> Self {
        let last_probe = Mutex::new(None);
        Self { inner: Arc::new(Inner { engine, reads, writes, scrubber, last_probe }) }
    }

    /// Which engine this is.
    pub fn engine(&self) -> Engine {
        self.inner.engine
    }

    /// Runs `body` as if no other transaction ran at the same time; see [`Store::transaction`].
    pub async fn serializable<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transaction(Isolation::Serializable, body).await
    }

    /// Runs `body`, which takes every row it touches by a guarded `update` in ascending id order before it relies on
    /// it; see [`Store::transaction`].
    pub async fn locked<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transaction(Isolation::Locked, body).await
    }

    /// Runs `body` on one snapshot; writing in it fails.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.transaction(Isolation::Read, body).await
    }

    /// Runs `body` in one transaction: committed if it gives `Ok`, undone if it gives `Err` or panics.
    ///
    /// The body may run several times; only the last run counts, so it must not change anything outside the database.
    /// Dropping the returned future does not stop a body that has begun. A panic in the body is undone and raised
    /// again in the caller. [`Error::Unavailable`] from a server that vanished or a disk that failed during the
    /// commit is the one case in which the caller cannot know whether it happened: decisions carry an idempotency key
    /// for that.
    pub async fn transaction<T, E, F>(&self, isolation: Isolation, body: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let lane = match (isolation, &self.inner.writes) {
            (Isolation::Read, _) => &self.inner.reads,
            (_, Some(writes)) => writes,
            (_, None) => return Err(Error::read_only().into()),
        };
        let (job, answer) = job::transaction(isolation, body);
        let started = Instant::now();
        lane.submit(job)?;
        let outcome = answer.await;
        metrics::histogram!("terrane_store_transaction_seconds", "isolation" => isolation.name())
            .record(started.elapsed().as_secs_f64());
        match outcome {
            Ok(Ok(result)) => result,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            // The worker is gone without an answer: the store was closed under the caller.
            Err(_) => Err(Error::closed().into()),
        }
    }

    /// Brings the schema to the newest of `migrations`, all in one transaction: it is done whole or not at all.
    ///
    /// Order in the slice does not matter; numbers do. Gives the numbers that were applied now. Several processes may
    /// call this at once on a shared server: one does the work, the others wait and find it done.
    pub async fn migrate(&self, migrations: &[Migration]) -> Result<Vec<u32>, MigrateError> {
        migrate::run(self, migrations).await
    }

    /// The numbers of the migrations already applied, ascending; empty for a new database.
    pub async fn applied_migrations(&self) -> Result<Vec<u32>, Error> {
        migrate::applied(self).await
    }

    /// Writes and commits one row: `Ok` means that a decision could be stored now. Needs a migrated database.
    pub async fn ready(&self) -> Result<(), Error> {
        let recent = self.inner.last_probe.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, answer)) = recent
            && at.elapsed() < PROBE_INTERVAL
        {
            return answer;
        }
        let probe = self.locked(|tx| tx.execute(migrate::TOUCH_PROBE, params![]).map(drop));
        let answer = tokio::time::timeout(PROBE_TIMEOUT, probe).await.unwrap_or_else(|_| {
            Err(Error::Unavailable { detail: "the database did not answer in time".to_owned() })
        });
        *self.inner.last_probe.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((Instant::now(), answer.clone()));
        answer
    }

    /// Has the embedded database let go of the bytes of what was deleted: its file is written anew and its log is
    /// emptied. Writers wait meanwhile, some seconds for each gigabyte. A server does this by itself in its own time
    /// (`vacuum`), which this does not hurry.
    pub async fn scrub(&self) -> Result<(), Error> {
        match self.inner.scrubber.clone() {
            Some(scrubber) => on_own_thread(move || scrubber.run()).await,
            None => Ok(()),
        }
    }

    /// How much space the database takes.
    pub async fn size_bytes(&self) -> Result<u64, Error> {
        let sql = match self.inner.engine {
            Engine::Sqlite => "select page_count * page_size from pragma_page_count(), pragma_page_size()",
            Engine::Postgres => "select pg_database_size(current_database())",
        };
        let bytes: i64 = self.read(move |tx| tx.query_one(sql, params![])?.get(0)).await?;
        Ok(bytes.unsigned_abs())
    }

    /// Stops taking transactions, finishes those that were accepted, and closes the database. Every clone of this
    /// store answers [`Error::Unavailable`] afterwards.
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        on_own_thread(move || {
            inner.reads.close();
            if let Some(writes) = &inner.writes {
                writes.close();
            }
        })
        .await;
    }
}

/// For what waits on files, servers and threads.
async fn on_own_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("engine", &self.inner.engine).finish_non_exhaustive()
    }
}
