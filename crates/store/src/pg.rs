//! The server engine: a few connections, each owned by a thread.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use postgres::config::SslMode;
use postgres::error::SqlState;
use postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use postgres::{Client, Config, IsolationLevel, NoTls, Statement};

use crate::job::{Job, Lane, Queue, Verdict};
use crate::rows::RowsSql;
use crate::tx::EngineTx;
use crate::{Error, Isolation, OpenError, Row, Tx, Value, ddl};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Runs of one body before it is given up.
const ATTEMPTS_MAX: u32 = 30;
const BACKOFF_MAX: Duration = Duration::from_millis(50);
/// Anything that holds a connection longer than this is a fault.
const SESSION: &str = "set statement_timeout = '30s'; set lock_timeout = '10s'; \
     set idle_in_transaction_session_timeout = '30s'; set client_min_messages = warning";
/// `PostgreSQL` counts microseconds from 2000-01-01, the rest of the world from 1970.
const EPOCH_2000_US: i64 = 946_684_800_000_000;
/// Arbitrary, ours: serialises migrations of several processes on one server.
const SCHEMA_LOCK: &str = "set local statement_timeout = 0; set local lock_timeout = 0; \
     select pg_advisory_xact_lock(7232113058)";

/// Connects once to show that it works, then starts the threads; each opens its own connection when first needed.
pub(crate) fn open(url: &str, max_connections: u32) -> Result<Lane, OpenError> {
    let mut config: Config = match url.parse() {
        Ok(config) => config,
        // Of the modes that demand TLS the driver knows only the weakest.
        Err(_) if url.contains("sslmode=verify-") => return Err(OpenError::TlsRequired),
        Err(error) => return Err(OpenError::Url { detail: explain(&error) }),
    };
    if config.get_ssl_mode() == SslMode::Require {
        return Err(OpenError::TlsRequired);
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    if config.get_application_name().is_none() {
        config.application_name("terrane");
    }
    connect(&config).map_err(|error| OpenError::Connect { detail: explain(&error) })?;
    let workers = (0..max_connections.max(1)).map(|_| {
        let mut worker = Worker { config: config.clone(), session: None };
        move |queue: &Queue| {
            while let Some(job) = queue.take() {
                worker.work(job);
            }
        }
    });
    Ok(Lane::start("store", workers))
}

fn connect(config: &Config) -> Result<Client, postgres::Error> {
    let mut client = config.connect(NoTls)?;
    client.batch_execute(SESSION)?;
    Ok(client)
}

/// The driver's errors keep their cause apart: both in one line.
fn explain(error: &postgres::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

type StatementCache = HashMap<&'static str, Statement>;

struct Session {
    client: Client,
    statements: StatementCache,
}

struct Worker {
    config: Config,
    session: Option<Session>,
}

/// What to do with a job after one attempt.
enum Outcome {
    Finish,
    Again(Error),
    Fail(Error),
}

impl Worker {
    fn work(&mut self, mut job: Box<dyn Job>) {
        for attempt in 1.. {
            match self.attempt(&mut *job) {
                Outcome::Finish => return job.answer(),
                Outcome::Fail(error) => return job.fail(error),
                Outcome::Again(error) if attempt == ATTEMPTS_MAX => return job.fail(error),
                Outcome::Again(_) => {
                    metrics::counter!("terrane_store_retries_total").increment(1);
                    std::thread::sleep(backoff(attempt));
                }
            }
        }
    }

    fn attempt(&mut self, job: &mut dyn Job) -> Outcome {
        // Taken out while in use, and put back only if it is still good.
        let mut session = match self.session.take().filter(|it| !it.client.is_closed()) {
            Some(session) => session,
            None => match connect(&self.config) {
                Ok(client) => Session { client, statements: HashMap::new() },
                Err(error) => return Outcome::Fail(Error::Unavailable { detail: explain(&error) }),
            },
        };
        let outcome = session.attempt(job);
        if !session.client.is_closed() {
            self.session = Some(session);
        }
        outcome
    }
}

impl Session {
    fn attempt(&mut self, job: &mut dyn Job) -> Outcome {
        let begin = self.client.build_transaction();
        let begin = match job.isolation() {
            Isolation::Serializable => begin.isolation_level(IsolationLevel::Serializable),
            Isolation::Locked => begin.isolation_level(IsolationLevel::ReadCommitted),
            Isolation::Read => begin.isolation_level(IsolationLevel::RepeatableRead).read_only(true),
        };
        let transaction = match begin.start() {
            Ok(transaction) => transaction,
            // Nothing was done yet: with a new connection it may work.
            Err(error) => return Outcome::Again(error.into()),
        };
        let mut tx = Tx::new(EngineTx::Postgres(PgTx { transaction, statements: &mut self.statements }));
        let verdict = job.attempt(&mut tx);
        let (EngineTx::Postgres(PgTx { transaction, .. }), failure) = tx.into_parts() else {
            unreachable!("the transaction was made for this engine two lines above")
        };
        let outcome = match verdict {
            Verdict::Keep if job.isolation() == Isolation::Read => {
                // Nothing was written, so nothing that the end says could change the answer.
                job.answer();
                let _ = transaction.rollback();
                Outcome::Finish
            }
            Verdict::Keep => match transaction.commit() {
                Ok(()) => Outcome::Finish,
                Err(error) => match Error::from(error) {
                    Error::Retry => Outcome::Again(Error::Retry),
                    // Lost during the commit: whether it happened is not known, so it must not run again.
                    error => Outcome::Fail(error),
                },
            },
            Verdict::Undo => {
                // If it cannot be undone here, the server does so when it notices that we are gone.
                let _ = transaction.rollback();
                match failure {
                    Some(Error::Retry) => Outcome::Again(Error::Retry),
                    Some(error) if self.client.is_closed() => Outcome::Again(error),
                    _ => Outcome::Finish,
                }
            }
        };
        if matches!(outcome, Outcome::Again(_)) {
            // After a schema change prepared statements may be what stands in the way.
            self.statements.clear();
        }
        outcome
    }
}

/// Between nothing and an upper end that doubles with each attempt.
fn backoff(attempt: u32) -> Duration {
    let most = Duration::from_micros(200 << attempt.min(10)).min(BACKOFF_MAX);
    most.mul_f64(rand::random())
}

pub(crate) struct PgTx<'a> {
    transaction: postgres::Transaction<'a>,
    statements: &'a mut StatementCache,
}

impl PgTx<'_> {
    fn statement(&mut self, sql: &'static str, forms: Option<&RowsSql>) -> Result<Statement, Error> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.transaction.prepare(forms.map_or(sql, |it| &it.postgres))?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    fn bound(&mut self, sql: &'static str, params: &[Value]) -> Result<Statement, Error> {
        let statement = self.statement(sql, None)?;
        let expected = statement.params().len();
        if expected != params.len() {
            return Err(Error::Parameters { expected, given: params.len() });
        }
        Ok(statement)
    }

    pub(crate) fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, Error> {
        let statement = self.bound(sql, params)?;
        read_rows(&self.transaction.query(&statement, &dynamic(params))?)
    }

    pub(crate) fn query_rows(
        &mut self,
        sql: &'static str,
        forms: &RowsSql,
        rows: &[Vec<Value>],
    ) -> Result<Vec<Row>, Error> {
        let statement = self.statement(sql, Some(forms))?;
        let columns = columns(rows, forms.width);
        read_rows(&self.transaction.query(&statement, &dynamic(&columns))?)
    }

    pub(crate) fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        let statement = self.bound(sql, params)?;
        Ok(self.transaction.execute(&statement, &dynamic(params))?)
    }

    pub(crate) fn execute_rows(
        &mut self,
        sql: &'static str,
        forms: &RowsSql,
        rows: &[Vec<Value>],
    ) -> Result<u64, Error> {
        let statement = self.statement(sql, Some(forms))?;
        let columns = columns(rows, forms.width);
        Ok(self.transaction.execute(&statement, &dynamic(&columns))?)
    }

    pub(crate) fn prepare(&mut self, sql: &'static str, forms: Option<&RowsSql>) -> Result<usize, Error> {
        Ok(self.statement(sql, forms)?.params().len())
    }

    pub(crate) fn define(&mut self, ddl: &str) -> Result<(), Error> {
        Ok(self.transaction.batch_execute(&ddl::for_postgres(ddl))?)
    }

    pub(crate) fn lock_schema(&mut self) -> Result<(), Error> {
        Ok(self.transaction.batch_execute(SCHEMA_LOCK)?)
    }
}

fn dynamic<T: ToSql + Sync>(params: &[T]) -> Vec<&(dyn ToSql + Sync)> {
    params.iter().map(|it| it as _).collect()
}

fn read_rows(rows: &[postgres::Row]) -> Result<Vec<Row>, Error> {
    let read = |row: &postgres::Row| {
        let values = (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>()?;
        Ok(Row::new(values))
    };
    rows.iter().map(read).collect()
}

fn columns(rows: &[Vec<Value>], width: usize) -> Vec<Column<'_>> {
    (0..width).map(|index| Column { rows, index }).collect()
}

/// One column of many rows, sent as an array.
#[derive(Debug)]
struct Column<'a> {
    rows: &'a [Vec<Value>],
    index: usize,
}

impl ToSql for Column<'_> {
    /// Dimensions, whether there may be nulls, element type; length and lower bound of the dimension; then each
    /// element behind its length, −1 for null.
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Conversion<IsNull> {
        let Kind::Array(element) = base(ty).kind() else {
            return Err(format!("{ty} is no array").into());
        };
        out.put_i32(1);
        out.put_i32(1);
        out.put_u32(element.oid());
        out.put_i32(i32::try_from(self.rows.len())?);
        out.put_i32(1);
        for row in self.rows {
            let at = out.len();
            out.put_i32(-1);
            if let IsNull::No = row[self.index].to_sql(element, out)? {
                let length = i32::try_from(out.len() - at - 4)?;
                out[at..at + 4].copy_from_slice(&length.to_be_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn base(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => base(inner),
        _ => ty,
    }
}

type Conversion<T> = Result<T, Box<dyn std::error::Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Conversion<IsNull> {
        let ty = base(ty);
        // The server says which type it inferred for the parameter: that lets one text serve native columns.
        match (self, ty) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Int(it), &Type::INT8) => out.put_i64(*it),
            (Self::Int(it), &Type::INT4) => out.put_i32(i32::try_from(*it)?),
            (Self::Int(it), &Type::TIMESTAMPTZ) => {
                out.put_i64(it.checked_sub(EPOCH_2000_US).ok_or("instant out of range")?);
            }
            (Self::Real(it), &Type::FLOAT8) => out.put_f64(*it),
            (Self::Bool(it), &Type::BOOL) => out.put_u8(u8::from(*it)),
            (Self::Text(it), &Type::JSONB) => {
                // Format version, then the text.
                out.put_u8(1);
                out.put_slice(it.as_bytes());
            }
            (Self::Text(it), &Type::TEXT | &Type::VARCHAR | &Type::JSON) => out.put_slice(it.as_bytes()),
            (Self::Bytes(it), &Type::UUID) if it.len() == 16 => out.put_slice(it),
            (Self::Bytes(it), &Type::BYTEA) => out.put_slice(it),
            (value, ty) => return Err(format!("cannot bind {value:?} to {ty}").into()),
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Conversion<Self> {
        let ty = base(ty);
        Ok(match *ty {
            Type::INT8 => Self::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Int(i64::from(i32::from_sql(ty, raw)?)),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::BOOL => Self::Bool(bool::from_sql(ty, raw)?),
            Type::BYTEA | Type::UUID => Self::Bytes(raw.to_vec()),
            Type::TIMESTAMPTZ => Self::Int(i64::from_be_bytes(raw.try_into()?).saturating_add(EPOCH_2000_US)),
            Type::JSONB => Self::Text(std::str::from_utf8(raw.get(1..).unwrap_or_default())?.to_owned()),
            Type::TEXT | Type::VARCHAR | Type::JSON | Type::UNKNOWN => {
                Self::Text(std::str::from_utf8(raw)?.to_owned())
            }
            _ => return Err(format!("the store does not read type {ty}").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Conversion<Self> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl From<postgres::Error> for Error {
    fn from(error: postgres::Error) -> Self {
        let detail = explain(&error);
        let Some(db) = error.as_db_error() else {
            let is_network = error.is_closed()
                || error.source().is_some_and(<dyn std::error::Error>::is::<std::io::Error>);
            return if is_network { Self::Unavailable { detail } } else { Self::Statement { detail } };
        };
        let constraint = || db.constraint().unwrap_or_default().to_owned();
        match db.code() {
            &SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED => Self::Retry,
            // "cached plan must not change result type": the schema changed under a prepared statement.
            &SqlState::FEATURE_NOT_SUPPORTED if db.message().contains("cached plan") => Self::Retry,
            &SqlState::UNIQUE_VIOLATION => {
                Self::Unique { table: db.table().unwrap_or_default().to_owned(), detail: constraint() }
            }
            &SqlState::FOREIGN_KEY_VIOLATION => Self::ForeignKey { detail: constraint() },
            &SqlState::CHECK_VIOLATION => Self::Check { constraint: constraint() },
            &SqlState::NOT_NULL_VIOLATION => {
                Self::NotNull { column: db.column().unwrap_or_default().to_owned() }
            }
            &SqlState::DATA_CORRUPTED | &SqlState::INDEX_CORRUPTED => Self::Damaged { detail },
            &SqlState::LOCK_NOT_AVAILABLE
            | &SqlState::QUERY_CANCELED
            | &SqlState::READ_ONLY_SQL_TRANSACTION => Self::Unavailable { detail },
            // Connection faults, a full disk or too many connections, an administrator's shutdown, system errors.
            code if ["08", "53", "57", "58"].iter().any(|class| code.code().starts_with(class)) => {
                Self::Unavailable { detail }
            }
            _ => Self::Statement { detail },
        }
    }
}
