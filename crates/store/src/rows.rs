//! One statement over many rows.
//!
//! A statement names the table of its rows where it needs it, in `PostgreSQL`'s words:
//!
//! ```sql
//! update purses set coins = coins + rows.added
//!   from rows(purse_id bigint, added bigint) where purses.purse_id = rows.purse_id
//! ```
//!
//! `PostgreSQL` gets each column as one array and runs the statement once (`unnest($1::bigint[], $2::bigint[]) as
//! rows(purse_id, added)`): one round trip and one plan for all. `SQLite` has neither; there the rows are a table of
//! one row (`(select $1 as purse_id, $2 as added) as rows`) and the prepared statement runs once for each, which is as
//! fast as it gets. So the rows of one call must not depend on each other: none may see what another did.
//!
//! - The answers of a query come in no particular order: let each carry its key.
//! - `insert … select … from rows(…) where true on conflict …`: without the `where`, `SQLite` reads `on` as a join.
//! - `returning` gives columns of the changed table only, never of `rows`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use crate::Error;
use crate::ddl::{is_word_start, token_length};

/// Types that a column of `rows` may have.
const TYPES: [&str; 7] = ["uuid", "bigint", "text", "bytea", "timestamptz", "boolean", "double precision"];

/// A statement over rows in the words of each engine.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct RowsSql {
    pub(crate) sqlite: String,
    pub(crate) postgres: String,
    /// Values in each row.
    pub(crate) width: usize,
}

/// The two forms of `sql`, made once and remembered; statements are constants of the program, so they are few.
/// `None` if it names no rows.
pub(crate) fn parsed(sql: &'static str) -> Result<Option<Arc<RowsSql>>, Error> {
    static KNOWN: LazyLock<RwLock<HashMap<&'static str, Arc<RowsSql>>>> = LazyLock::new(RwLock::default);
    if let Some(known) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(sql) {
        return Ok(Some(Arc::clone(known)));
    }
    let Some(found) = parse(sql)? else { return Ok(None) };
    let found = Arc::new(found);
    KNOWN.write().unwrap_or_else(PoisonError::into_inner).insert(sql, Arc::clone(&found));
    Ok(Some(found))
}

fn parse(sql: &str) -> Result<Option<RowsSql>, Error> {
    let Some(start) = find(sql, 0) else { return Ok(None) };
    let open = start + "rows(".len();
    let close = sql[open..].find(')').ok_or_else(|| fault("the list of rows(…) does not end"))? + open;
    if find(sql, close).is_some() {
        return Err(fault("rows(…) stands twice: name it once, in a `with` if need be"));
    }
    let (mut arrays, mut names, mut values, mut width) = (String::new(), String::new(), String::new(), 0);
    for column in sql[open..close].split(',') {
        let column = column.trim();
        let (name, kind) = column.split_once(char::is_whitespace).unwrap_or((column, ""));
        let kind = kind.trim();
        if !TYPES.contains(&kind) {
            return Err(fault(&format!("rows(…): `{column}` is not a name and one of {}", TYPES.join(", "))));
        }
        let comma = if width == 0 { "" } else { ", " };
        width += 1;
        let _ = write!(arrays, "{comma}${width}::{kind}[]");
        let _ = write!(names, "{comma}{name}");
        let _ = write!(values, "{comma}${width} as {name}");
    }
    let (before, after) = (&sql[..start], &sql[close + 1..]);
    Ok(Some(RowsSql {
        sqlite: format!("{before}(select {values}) as rows{after}"),
        postgres: format!("{before}unnest({arrays}) as rows({names}){after}"),
        width,
    }))
}

/// Where the word `rows` stands before a parenthesis, outside of quotes and comments, at or after `from`.
fn find(sql: &str, from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(first) = sql[at..].chars().next() {
        let length = token_length(&sql[at..], first);
        let (token, after) = sql[at..].split_at(length);
        if is_word_start(first) && token == "rows" && after.starts_with('(') {
            return Some(at);
        }
        at += length;
    }
    None
}

fn fault(detail: &str) -> Error {
    Error::Statement { detail: detail.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_gets_its_own_words() {
        let found = parse(
            "update t set a = rows.a -- rows(no\n from rows(id uuid, a double precision) where t.id = rows.id \
             and t.b <> 'rows(x text)'",
        )
        .unwrap()
        .unwrap();
        assert_eq!(
            found.postgres,
            "update t set a = rows.a -- rows(no\n from unnest($1::uuid[], $2::double precision[]) as rows(id, a) \
             where t.id = rows.id and t.b <> 'rows(x text)'"
        );
        assert_eq!(
            found.sqlite,
            "update t set a = rows.a -- rows(no\n from (select $1 as id, $2 as a) as rows \
             where t.id = rows.id and t.b <> 'rows(x text)'"
        );
        assert_eq!(found.width, 2);
    }

    #[test]
    fn a_statement_without_rows_is_none_and_a_wrong_list_is_refused() {
        assert_eq!(parse("select rows.a from rows where narrows(1) > 0"), Ok(None));
        for sql in [
            "select 1 from rows(a)",
            "select 1 from rows()",
            "select 1 from rows(a uuid, )",
            "select 1 from rows(a integer)",
            "select 1 from rows(a uuid",
            "select 1 from rows(a uuid), rows(b uuid)",
        ] {
            assert!(matches!(parse(sql), Err(Error::Statement { .. })), "{sql}");
        }
    }
}
