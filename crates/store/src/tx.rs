//! A running transaction.

use std::sync::Arc;

use crate::pg::PgTx;
use crate::rows::{self, RowsSql};
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

    /// Runs a statement over many rows, `rows(name type, …)` being its table (see the crate's `rows` module); how many
    /// it changed. The rows must not depend on each other. Of no rows nothing is asked.
    pub fn execute_rows(&mut self, sql: &'static str, rows: &[Vec<Value>]) -> Result<u64, Error> {
        self.run(|engine| match (check_rows(sql, rows)?, engine) {
            (None, _) => Ok(0),
            (Some(forms), EngineTx::Sqlite(connection)) => {
                sqlite::execute_rows(connection, &forms.sqlite, rows)
            }
            (Some(forms), EngineTx::Postgres(tx)) => tx.execute_rows(sql, &forms, rows),
        })
    }

    /// Runs a query over many rows, like [`Tx::execute_rows`]. The answers come in no particular order.
    pub fn query_rows(&mut self, sql: &'static str, rows: &[Vec<Value>]) -> Result<Vec<Row>, Error> {
        self.run(|engine| match (check_rows(sql, rows)?, engine) {
            (None, _) => Ok(Vec::new()),
            (Some(forms), EngineTx::Sqlite(connection)) => {
                sqlite::query_rows(connection, &forms.sqlite, rows)
            }
            (Some(forms), EngineTx::Postgres(tx)) => tx.query_rows(sql, &forms, rows),
        })
    }

    /// Asks the engine whether it understands `sql`, without running it; how many parameters it takes, or values in
    /// each of its rows.
    pub fn prepare(&mut self, sql: &'static str) -> Result<usize, Error> {
        self.run(|engine| {
            let forms = rows::parsed(sql)?;
            match engine {
                EngineTx::Sqlite(connection) => {
                    sqlite::prepare(connection, forms.as_ref().map_or(sql, |it| &it.sqlite))
                }
                EngineTx::Postgres(tx) => tx.prepare(sql, forms.as_deref()),
            }
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

/// The statement's forms, if there is anything to run it for.
fn check_rows(sql: &'static str, rows: &[Vec<Value>]) -> Result<Option<Arc<RowsSql>>, Error> {
    if rows.is_empty() {
        return Ok(None);
    }
    let forms =
        rows::parsed(sql)?.ok_or_else(|| Error::Statement { detail: format!("no rows(…) in `{sql}`") })?;
    if let Some(wrong) = rows.iter().find(|it| it.len() != forms.width) {
        return Err(Error::Parameters { expected: forms.width, given: wrong.len() });
    }
    if rows.iter().all(|it| are_portable(it)) { Ok(Some(forms)) } else { Err(Error::NotPortable) }
}

/// `PostgreSQL` refuses NUL in text, `SQLite` turns NaN into null: neither is let through on either.
fn are_portable(params: &[Value]) -> bool {
    params.iter().all(|it| match it {
        Value::Text(it) => !it.contains('\0'),
        Value::Real(it) => it.is_finite(),
        Value::Null | Value::Int(_) | Value::Bool(_) | Value::Bytes(_) => true,
    })
}
