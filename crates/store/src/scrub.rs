//! Letting go of the bytes of what was deleted.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::Error;

/// How often the log is asked to become empty, which readers can delay.
const ATTEMPTS_MAX: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Who holds it is the only one that writes the embedded database.
pub(crate) type Gate = Arc<Mutex<()>>;

/// Rewrites an embedded database file.
#[derive(Clone)]
pub(crate) struct Scrubber {
    path: PathBuf,
    gate: Gate,
}

impl Scrubber {
    pub(crate) fn new(path: &Path, gate: Gate) -> Self {
        Self { path: path.to_owned(), gate }
    }

    /// Writes the file anew and empties the log. Deleted rows are overwritten when they are deleted, but copies of
    /// rows that moved between pages can stay in the gaps of a page, and every change stands in the log until it is
    /// emptied. Writers wait meanwhile; readers do not.
    pub(crate) fn run(&self) -> Result<(), Error> {
        let started = Instant::now();
        let connection = Connection::open_with_flags(
            &self.path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        {
            let _alone = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            connection.execute_batch("pragma synchronous = full; pragma secure_delete = on; vacuum")?;
        }
        let emptied = self.empty_log(&connection);
        metrics::histogram!("terrane_store_scrub_seconds").record(started.elapsed().as_secs_f64());
        emptied
    }

    fn empty_log(&self, connection: &Connection) -> Result<(), Error> {
        for _ in 0..ATTEMPTS_MAX {
            let is_busy: bool = {
                let _alone = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
                connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?
            };
            if !is_busy {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
        Err(Error::Unavailable { detail: "readers kept the log from being emptied".to_owned() })
    }
}
