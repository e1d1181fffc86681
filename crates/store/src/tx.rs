//! A running transaction.

use crate::pg::PgTx;
use crate::{Error, Row, Value, sqlite};

/// A running transaction, handed to the body.
///
/// After a statement fails nothing more can be done in the transaction, on either engine: later statements give
/// [`Error::Abandoned`] and a body that returns `Ok` all the same is undone. (`PostgreSQL` works like this; `SQLite`
/// would go on, and a test on it alone would prove nothing.)
pub struct Tx<'a> {
    engine: EngineTx<'a>,
    failure: Option<Error>,
}

pub(crate) enum EngineTx<'a> {
    Sqlite(&'a rusqlite::Connection),
    Postgres(PgTx<'a>),
}

impl<'a> Tx<'a> {
    pub(crate) fn new(engine: EngineTx<'a>) -> Self {
        Self { engine, failure: None }
    }

    pub(crate) fn into_parts(self) -> (EngineTx<'a>, Option<Error>) {
        (self.engine, self.failure)
    }

    pub(crate) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// All rows of the answer. Statements bound their answers by `limit`.
    pub fn query(&mut self, sql: &'static str, params: &[Value]) -> Result<Vec<Row>, Error> {
        self.run(|engine| match engine {
            _ if !are_portable(params) => Err(Error::NotPortable),
            EngineTx::Sqlite(connection) => sqlite::query(connection, sql, params),
            EngineTx::Postgres(tx) => tx.query(sql, params),
        })
    }

    /// The one row of the answer, or `None`; [`Error::ManyRows`] if there are more.
    pub fn query_opt(&mut self, sql: &'static str, params: &[Value]) -> Result<Option<Row>, Error> {
        let mut rows = self.query(sql, params)?;
        if rows.len() > 1 {
            return Err(Error::ManyRows);
        }
        Ok(rows.pop())
    }

    /// The one row of the answer; [`Error::NoRow`] if there is none.
    pub fn query_one(&mut self, sql: &'static str, params: &[Value]) -> Result<Row, Error> {
        self.query_opt(sql, params)?.ok_or(Error::NoRow)
    }

    /// Runs a statement that gives no rows; how many it changed.
    pub fn execute(&mut self, sql: &'static str, params: &[Value]) -> Result<u64, Error> {
        self.run(|engine| match engine {
            _ if !are_portable(params) => Err(Error::NotPortable),
            EngineTx::Sqlite(connection) => sqlite::execute(connection, sql, params),
            EngineTx::Postgres(tx) => tx.execute(sql, params),
        })
    }

    /// Asks the engine whether it understands `sql`, without running it; how many parameters it takes.
    pub fn prepare(&mut self, sql: &'static str) -> Result<usize, Error> {
        self.run(|engine| match engine {
            EngineTx::Sqlite(connection) => sqlite::prepare(connection, sql),
            EngineTx::Postgres(tx) => tx.prepare(sql),
        })
    }

    /// Runs the statements of a migration, written in `PostgreSQL`'s words.
    pub(crate) fn define(&mut self, ddl: &str) -> Result<(), Error> {
        self.run(|engine| match engine {
            EngineTx::Sqlite(connection) => sqlite::define(connection, ddl),
            EngineTx::Postgres(tx) => tx.define(ddl),
        })
    }

    /// Makes this process the only one that migrates until the transaction ends.
    pub(crate) fn lock_schema(&mut self) -> Result<(), Error> {
        self.run(|engine| match engine {
            // The data folder is locked by the process, and there is one writer in it.
            EngineTx::Sqlite(_) => Ok(()),
            EngineTx::Postgres(tx) => tx.lock_schema(),
        })
    }

    fn run<T>(&mut self, statement: impl FnOnce(&mut EngineTx<'a>) -> Result<T, Error>) -> Result<T, Error> {
        if self.failure.is_some() {
            return Err(Error::Abandoned);
        }
        statement(&mut self.engine).inspect_err(|error| self.failure = Some(error.clone()))
    }
}

/// `PostgreSQL` refuses NUL in text, `SQLite` turns NaN into null: neither is let through on either.
fn are_portable(params: &[Value]) -> bool {
    params.iter().all(|it| match it {
        Value::Text(it) => !it.contains('\0'),
        Value::Real(it) => it.is_finite(),
        Value::Null | Value::Int(_) | Value::Bool(_) | Value::Bytes(_) => true,
    })
}
