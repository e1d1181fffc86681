//! What is given to a person about themselves: rows by file, one JSON object in each line.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use store::{Row, Tx, params};
use uuid::Uuid;

/// Bytes of all rows before they are packed. Who has more is told that the archive is too large.
const BYTES_MAX: usize = 256 << 20;
/// Rows that are read at once.
const PAGE: i64 = 1000;

/// The rows of an archive while it is gathered.
#[derive(Default)]
pub struct Archive {
    files: BTreeMap<&'static str, File>,
    omissions: Vec<Omission>,
    bytes: usize,
    is_full: bool,
}

#[derive(Default)]
pub(crate) struct File {
    pub(crate) text: Vec<u8>,
    pub(crate) rows: u64,
    /// The first and last instant in its rows, by the first time of each.
    pub(crate) times_us: Option<(i64, i64)>,
}

/// What is not in the archive, and why.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Omission {
    /// What was left out.
    pub what: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// A query whose rows go into a file as they are. Its parameters are the account, the limit and the offset.
pub struct Listing {
    /// The file's name without its ending: `land`.
    pub file: &'static str,
    /// What kind of thing a row is: `parcel`. Stands in each row, since a file may hold several kinds.
    pub kind: &'static str,
    /// `select … where account_id = $1 order by … limit $2 offset $3`.
    pub sql: &'static str,
    /// Its columns in order.
    pub columns: &'static [(&'static str, Form)],
}

/// How a column is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// A UUID.
    Id,
    /// Text.
    Text,
    /// A whole number.
    Number,
    /// A number of a cell, as its token.
    Cell,
    /// A number with a fraction.
    Real,
    /// Yes or no.
    Flag,
    /// An instant, as RFC 3339.
    Time,
    /// A text that is JSON.
    Json,
}

impl Archive {
    /// Adds a row, a JSON object, to a file.
    pub fn row(&mut self, file: &'static str, row: &Value) {
        let text = row.to_string();
        self.bytes += text.len() + 1;
        self.is_full |= self.bytes > BYTES_MAX;
        if self.is_full {
            return;
        }
        let file = self.files.entry(file).or_default();
        file.text.extend_from_slice(text.as_bytes());
        file.text.push(b'\n');
        file.rows += 1;
    }

    /// Says that something is not in the archive.
    pub fn leave_out(&mut self, what: &'static str, reason: &'static str) {
        self.omissions.push(Omission { what, reason });
    }

    /// Adds the rows of a query.
    pub fn list(&mut self, tx: &mut Tx<'_>, account_id: Uuid, listing: &Listing) -> Result<(), store::Error> {
        let mut offset = 0;
        while !self.is_full {
            let rows = tx.query(listing.sql, params![account_id, PAGE, offset])?;
            for row in &rows {
                self.row(listing.file, &object(listing, row)?);
                if let Some(at_us) = time_of(listing, row)? {
                    self.note_time(listing.file, at_us);
                }
            }
            if (rows.len() as i64) < PAGE {
                return Ok(());
            }
            offset += PAGE;
        }
        Ok(())
    }

    /// Notes when a row of a file happened.
    pub fn note_time(&mut self, file: &'static str, at_us: i64) {
        if let Some(file) = self.files.get_mut(file) {
            let (first_us, last_us) = file.times_us.unwrap_or((at_us, at_us));
            file.times_us = Some((first_us.min(at_us), last_us.max(at_us)));
        }
    }

    /// Whether it was too much.
    pub(crate) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn into_parts(self) -> (BTreeMap<&'static str, File>, Vec<Omission>) {
        (self.files, self.omissions)
    }

    /// The rows of a file, for tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn rows_of(&self, file: &str) -> Vec<Value> {
        let text = self.files.get(file).map_or(&[][..], |it| &it.text);
        let lines = text.split(|it| *it == b'\n').filter(|it| !it.is_empty());
        lines.map(|it| serde_json::from_slice(it).expect("a row is JSON")).collect()
    }
}

/// The first time in a row.
fn time_of(listing: &Listing, row: &Row) -> Result<Option<i64>, store::Error> {
    match listing.columns.iter().position(|(_, form)| *form == Form::Time) {
        Some(column) => row.get(column),
        None => Ok(None),
    }
}

fn object(listing: &Listing, row: &Row) -> Result<Value, store::Error> {
    let mut object = Map::new();
    object.insert("kind".to_owned(), json!(listing.kind));
    for (column, (name, form)) in listing.columns.iter().enumerate() {
        let value = match form {
            Form::Id => json!(row.get::<Option<Uuid>>(column)?),
            Form::Text => json!(row.get::<Option<String>>(column)?),
            Form::Number => json!(row.get::<Option<i64>>(column)?),
            // The same 64 bits as text in hexadecimal without the zeros at its end, as everywhere in the interface.
            Form::Cell => json!(row.get::<Option<i64>>(column)?.map(token)),
            Form::Real => json!(row.get::<Option<f64>>(column)?),
            Form::Flag => json!(row.get::<Option<bool>>(column)?),
            Form::Time => json!(row.get::<Option<i64>>(column)?.map(|it| api::timestamp(it).to_string())),
            Form::Json => {
                let text = row.get::<Option<String>>(column)?;
                text.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or(Value::Null)
            }
        };
        // What is not there needs no line.
        if !value.is_null() {
            object.insert((*name).to_owned(), value);
        }
    }
    Ok(Value::Object(object))
}

fn token(sql: i64) -> String {
    cell::CellId::from_sql(sql).map_or_else(|| sql.to_string(), cell::CellId::token)
}
