//! The embedded engine: one writer whose commits are shared, several readers.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::time::Duration;

use rusqlite::ffi;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags};

use crate::job::{Job, Lane, Queue, Verdict};
use crate::scrub::Gate;
use crate::tx::EngineTx;
use crate::{Error, OpenError, Row, Tx, Value, ddl};

const READERS: usize = 3;
/// Transactions that share one commit at most.
const GROUP_MAX: usize = 64;
const STATEMENTS_CACHED: usize = 256;
/// Only a program outside can hold our lock; this is how long we wait for it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Files up to this size are read whole when opened, so that damage shows at the start and not in the middle.
const CHECKED_AT_OPEN_BYTES_MAX: u64 = 64 << 20;

/// Opens the file, its folder and its lock: the lane that writes and the lane that reads.
pub(crate) fn open(path: &Path, gate: Gate) -> Result<(Lane, Lane), OpenError> {
    let lock = lock(path)?;
    check_length(path)?;
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    prepare_file(&connection, path)?;
    let reads = start_readers(path)?;
    let mut writer = Writer { connection, halted: None, gate, _lock: lock };
    let writes = Lane::start("store-write", [move |queue: &Queue| writer.work(queue)]);
    Ok((writes, reads))
}

/// Opens a file that exists, for reading beside whoever else has it open.
pub(crate) fn open_read_only(path: &Path) -> Result<Lane, OpenError> {
    if !path.exists() {
        return Err(OpenError::Missing { path: path.to_owned() });
    }
    start_readers(path)
}

fn start_readers(path: &Path) -> Result<Lane, OpenError> {
    let mut readers = Vec::with_capacity(READERS);
    for _ in 0..READERS {
        let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        readers.push(move |queue: &Queue| {
            while let Some(job) = queue.take() {
                read(&connection, job);
            }
        });
    }
    Ok(Lane::start("store-read", readers))
}

/// Takes the lock file beside the database; the system lets go of it when the process ends, however it ends.
fn lock(path: &Path) -> Result<File, OpenError> {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = |source| OpenError::Folder { folder: folder.to_owned(), source };
    std::fs::create_dir_all(folder).map_err(refused)?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(PathBuf::from(name))
        .map_err(refused)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(refused(source)),
    }
}

/// A file that was cut inside a page: the engine reads the missing end as zeros and may not notice. With a log beside
/// it, the log has those pages whole.
fn check_length(path: &Path) -> Result<(), OpenError> {
    const PAGE_BYTES_MIN: u64 = 512;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let bytes_of = |path: &Path| std::fs::metadata(path).map_or(0, |it| it.len());
    let bytes = bytes_of(path);
    if bytes.is_multiple_of(PAGE_BYTES_MIN) || bytes_of(Path::new(&log)) > 0 {
        return Ok(());
    }
    Err(OpenError::Damaged {
        path: path.to_owned(),
        detail: format!("its length, {bytes} bytes, is no whole page"),
    })
}

fn connect(path: &Path, flags: OpenFlags) -> Result<Connection, OpenError> {
    let open = || {
        let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        connection.busy_timeout(BUSY_TIMEOUT)?;
        Ok(connection)
    };
    open().map_err(|error| cannot_open(path, &error))
}

/// Sets what holds for the whole file and looks whether it is sound.
fn prepare_file(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let prepare = || {
        let bytes = std::fs::metadata(path).map_or(0, |it| it.len());
        let verdict: String = if bytes <= CHECKED_AT_OPEN_BYTES_MAX {
            connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?
        } else {
            connection.query_row("select count(*) from sqlite_schema", [], |_| Ok("ok".to_owned()))?
        };
        if verdict != "ok" {
            return Ok((String::new(), verdict));
        }
        let journal: String = connection.query_row("pragma journal_mode = wal", [], |row| row.get(0))?;
        // What is deleted is overwritten, so that it cannot be read from the file.
        // FULL: an acknowledged commit is on disk. NORMAL would lose the last ones at a power cut.
        connection.execute_batch(
            "pragma synchronous = full; pragma foreign_keys = on; pragma journal_size_limit = 67108864; \
             pragma secure_delete = on;",
        )?;
        Ok((journal, verdict))
    };
    match prepare().map_err(|error: rusqlite::Error| cannot_open(path, &error))? {
        (_, verdict) if verdict != "ok" => Err(OpenError::Damaged { path: path.to_owned(), detail: verdict }),
        (journal, _) if journal != "wal" => Err(OpenError::File {
            path: path.to_owned(),
            detail: format!("the file system allows no write-ahead log (journal is {journal})"),
        }),
        _ => Ok(()),
    }
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            OpenError::Damaged { path, detail: error.to_string() }
        }
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
            OpenError::InUse { path }
        }
        _ => OpenError::File { path, detail: error.to_string() },
    }
}

fn read(connection: &Connection, mut job: Box<dyn Job>) {
    match connection.execute_batch("begin deferred") {
        Ok(()) => {
            job.attempt(&mut Tx::new(EngineTx::Sqlite(connection)));
            // Nothing was written: both ways of ending it are the same, and neither changes the answer.
            job.answer();
            let _ = connection.execute_batch("rollback");
        }
        Err(error) => job.fail(error.into()),
    }
}

struct Writer {
    connection: Connection,
    /// After the disk failed a commit nothing more is acknowledged: what the file holds is known again only when it
    /// is opened anew.
    halted: Option<Error>,
    /// Held while writing, so that the file is not rewritten in the middle.
    gate: Gate,
    _lock: File,
}

impl Writer {
    fn work(&mut self, queue: &Queue) {
        while let Some(first) = queue.take() {
            let mut group = vec![first];
            while group.len() < GROUP_MAX
                && let Some(job) = queue.take_waiting()
            {
                group.push(job);
            }
            metrics::histogram!("terrane_store_group_jobs").record(group.len() as f64);
            let gate = Gate::clone(&self.gate);
            let _writing = gate.lock().unwrap_or_else(PoisonError::into_inner);
            self.run(group);
        }
    }

    /// Runs all in one commit; if that fails, each in its own.
    fn run(&mut self, mut group: Vec<Box<dyn Job>>) {
        if let Err(error) = self.begin() {
            return group.iter_mut().for_each(|job| job.fail(error.clone()));
        }
        let outcome = self.attempt(&mut group);
        if !self.connection.is_autocommit() {
            // Nothing to keep, or not able to.
            let _ = self.connection.execute_batch("rollback");
        }
        match outcome {
            Ok(()) => group.iter_mut().for_each(|job| job.answer()),
            Err(_) if group.len() > 1 => group.into_iter().for_each(|job| self.run(vec![job])),
            Err(error) => group.iter_mut().for_each(|job| job.fail(error.clone())),
        }
    }

    fn begin(&self) -> Result<(), Error> {
        match &self.halted {
            Some(error) => Err(error.clone()),
            None => Ok(self.connection.execute_batch("begin immediate")?),
        }
    }

    fn attempt(&mut self, group: &mut [Box<dyn Job>]) -> Result<(), Error> {
        let mut is_changed = false;
        for job in group {
            self.connection.execute_batch("savepoint job")?;
            let mut tx = Tx::new(EngineTx::Sqlite(&self.connection));
            let verdict = job.attempt(&mut tx);
            if self.connection.is_autocommit() {
                // A full disk or a failed read undoes the whole transaction, the jobs before this one included.
                let (_, failure) = tx.into_parts();
                return Err(failure.unwrap_or(Error::Abandoned));
            }
            match verdict {
                Verdict::Keep => {
                    self.connection.execute_batch("release job")?;
                    is_changed = true;
                }
                Verdict::Undo => self.connection.execute_batch("rollback to job; release job")?,
            }
        }
        if is_changed { self.commit() } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), Error> {
        self.connection.execute_batch("commit").map_err(|error| {
            let is_disk_failure = error.sqlite_error_code() == Some(rusqlite::ErrorCode::SystemIoFailure);
            let error = Error::from(error);
            if is_disk_failure {
                tracing::error!(%error, "the disk failed a commit: no more writes until the server is started again");
                self.halted = Some(error.clone());
            }
            error
        })
    }
}

/// A prepared statement with its parameters bound.
fn bind<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Value],
) -> Result<rusqlite::CachedStatement<'c>, Error> {
    let mut statement = prepared(connection, sql)?;
    let order = order_of_parameters(&statement, params.len())?;
    bind_values(&mut statement, &order, params)?;
    Ok(statement)
}

/// There is one writer: whatever it reads is its own until it commits.
const TAKES_ROWS: &str = " for update";

fn prepared<'c>(connection: &'c Connection, sql: &str) -> Result<rusqlite::CachedStatement<'c>, Error> {
    Ok(connection.prepare_cached(sql.strip_suffix(TAKES_ROWS).unwrap_or(sql))?)
}

/// Which parameter belongs at each position. `$2` is a *name* to `SQLite`, and positions go by first appearance: bind
/// by the number in the name. As many distinct names as parameters, all in range, means that each is used.
fn order_of_parameters(statement: &rusqlite::Statement<'_>, given: usize) -> Result<Vec<usize>, Error> {
    let expected = statement.parameter_count();
    let wrong = Error::Parameters { expected, given };
    if expected != given {
        return Err(wrong);
    }
    (1..=expected)
        .map(|position| {
            let name = statement.parameter_name(position)?.strip_prefix('$')?;
            name.parse::<usize>().ok()?.checked_sub(1).filter(|it| *it < given)
        })
        .collect::<Option<_>>()
        .ok_or(wrong)
}

fn bind_values(
    statement: &mut rusqlite::Statement<'_>,
    order: &[usize],
    params: &[Value],
) -> Result<(), Error> {
    for (position, index) in order.iter().enumerate() {
        statement.raw_bind_parameter(position + 1, &params[*index])?;
    }
    Ok(())
}

pub(crate) fn query(connection: &Connection, sql: &str, params: &[Value]) -> Result<Vec<Row>, Error> {
    let mut out = Vec::new();
    let mut statement = bind(connection, sql, params)?;
    collect(&mut statement, &mut out)?;
    Ok(out)
}

fn collect(statement: &mut rusqlite::Statement<'_>, out: &mut Vec<Row>) -> Result<(), Error> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|column| value(row.get_ref(column)?)).collect::<Result<_, _>>()?;
        out.push(Row::new(values));
    }
    Ok(())
}

pub(crate) fn execute(connection: &Connection, sql: &str, params: &[Value]) -> Result<u64, Error> {
    let changed = bind(connection, sql, params)?.raw_execute()?;
    Ok(changed as u64)
}

/// `rows` are as wide as the statement says.
pub(crate) fn execute_rows(connection: &Connection, sql: &str, rows: &[Vec<Value>]) -> Result<u64, Error> {
    let mut statement = prepared(connection, sql)?;
    let order = order_of_parameters(&statement, rows.first().map_or(0, Vec::len))?;
    let mut changed = 0;
    for row in rows {
        bind_values(&mut statement, &order, row)?;
        changed += statement.raw_execute()? as u64;
    }
    Ok(changed)
}

/// `rows` are as wide as the statement says.
pub(crate) fn query_rows(connection: &Connection, sql: &str, rows: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
    let mut statement = prepared(connection, sql)?;
    let order = order_of_parameters(&statement, rows.first().map_or(0, Vec::len))?;
    let mut out = Vec::new();
    for row in rows {
        bind_values(&mut statement, &order, row)?;
        collect(&mut statement, &mut out)?;
    }
    Ok(out)
}

pub(crate) fn prepare(connection: &Connection, sql: &str) -> Result<usize, Error> {
    Ok(prepared(connection, sql)?.parameter_count())
}

pub(crate) fn define(connection: &Connection, ddl: &str) -> Result<(), Error> {
    Ok(connection.execute_batch(&ddl::for_sqlite(ddl))?)
}

fn value(it: ValueRef<'_>) -> Result<Value, Error> {
    Ok(match it {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(it) => Value::Int(it),
        ValueRef::Real(it) => Value::Real(it),
        ValueRef::Text(it) => {
            let text = std::str::from_utf8(it);
            let text = text.map_err(|_| Error::Damaged { detail: "a text is not UTF-8".to_owned() })?;
            Value::Text(text.to_owned())
        }
        ValueRef::Blob(it) => Value::Bytes(it.to_vec()),
    })
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(it) => ValueRef::Integer(*it),
            Self::Bool(it) => ValueRef::Integer(i64::from(*it)),
            Self::Real(it) => ValueRef::Real(*it),
            Self::Text(it) => ValueRef::Text(it.as_bytes()),
            Self::Bytes(it) => ValueRef::Blob(it),
        }))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let detail = error.to_string();
        let rusqlite::Error::SqliteFailure(failure, message) = &error else {
            return Self::Statement { detail };
        };
        let message = message.as_deref().unwrap_or_default();
        // `UNIQUE constraint failed: parcels.parcel_id` and its like.
        let subject = || message.rsplit_once("failed: ").map_or("", |(_, subject)| subject);
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE
            | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            | ffi::SQLITE_CONSTRAINT_ROWID => {
                let table = subject().split_once('.').map_or("", |(table, _)| table);
                Self::Unique { table: table.to_owned(), detail: subject().to_owned() }
            }
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Self::ForeignKey { detail },
            ffi::SQLITE_CONSTRAINT_CHECK => Self::Check { constraint: subject().to_owned() },
            ffi::SQLITE_CONSTRAINT_NOTNULL => {
                let column = subject().rsplit_once('.').map_or("", |(_, column)| column);
                Self::NotNull { column: column.to_owned() }
            }
            _ => match failure.code {
                rusqlite::ErrorCode::DatabaseBusy
                | rusqlite::ErrorCode::DatabaseLocked
                | rusqlite::ErrorCode::DiskFull
                | rusqlite::ErrorCode::SystemIoFailure
                | rusqlite::ErrorCode::CannotOpen
                | rusqlite::ErrorCode::ReadOnly
                | rusqlite::ErrorCode::OutOfMemory => Self::Unavailable { detail },
                rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase => {
                    Self::Damaged { detail }
                }
                _ => Self::Statement { detail },
            },
        }
    }
}
