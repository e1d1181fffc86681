//! One schema text for both engines: `PostgreSQL`'s words are the ones written, `SQLite`'s are made from them.
//!
//! | written | `PostgreSQL` | `SQLite` |
//! |---|---|---|
//! | `uuid`, `bytea` | as written | `blob` |
//! | `jsonb` | as written | `text` |
//! | `timestamptz` (a `Value::Int` of µs) | as written | `integer` |
//! | `boolean`, `bigint` | as written | `integer` |
//! | `double precision` | as written | `real` |
//! | `create table … ;` | as written | `create table … strict;` |
//!
//! Types are replaced in `create table` and `alter table`.
//!
//! One statement is neither engine's: `refuse update on t;` and `refuse delete on t;` become triggers by which the
//! database itself refuses to change or to remove a row of `t`, whoever asks.

use std::fmt::Write as _;

/// The `PostgreSQL` form of a schema text: all but the refusals is as written.
pub(crate) fn for_postgres(ddl: &str) -> String {
    with_refusals(ddl, |out, change, table| {
        // Made again by each refusal, so that no migration depends on which was the first.
        out.push_str(
            "create or replace function refuse_change() returns trigger language plpgsql as \
             $$ begin raise exception '% refuses to be changed', tg_table_name; end $$; ",
        );
        let _ = write!(
            out,
            "create trigger {table}_refuses_{change} before {change} on {table} \
             for each row execute function refuse_change();"
        );
        if change == "delete" {
            let _ = write!(
                out,
                " create trigger {table}_refuses_truncate before truncate on {table} \
                 for each statement execute function refuse_change();"
            );
        }
    })
}

/// The text with each refusal replaced by what `write` makes of its change and its table.
fn with_refusals(ddl: &str, write: impl Fn(&mut String, &str, &str)) -> String {
    let mut out = String::with_capacity(ddl.len() + 64);
    // Where the statement begins that is being read, in the text and in what is written.
    let (mut statement, mut written) = (None, 0);
    let mut at = 0;
    while let Some(first) = ddl[at..].chars().next() {
        let token = &ddl[at..at + token_length(&ddl[at..], first)];
        let is_blank = token.trim().is_empty() || token.starts_with("--");
        if statement.is_none() && !is_blank {
            (statement, written) = (Some(at), out.len());
        }
        at += token.len();
        out.push_str(token);
        if token == ";"
            && let Some(begin) = statement.take()
            && let ["refuse", change @ ("update" | "delete"), "on", table] =
                ddl[begin..at - 1].split_whitespace().collect::<Vec<_>>()[..]
        {
            out.truncate(written);
            write(&mut out, change, table);
        }
    }
    out
}

/// The `SQLite` form of a schema text. Quoted text and `--` comments pass through unchanged.
pub(crate) fn for_sqlite(ddl: &str) -> String {
    let typed = with_types(ddl);
    with_refusals(&typed, |out, change, table| {
        let _ = write!(
            out,
            "create trigger {table}_refuses_{change} before {change} on {table} \
             begin select raise(abort, '{table} refuses to be changed'); end;"
        );
    })
}

fn with_types(ddl: &str) -> String {
    let mut out = String::with_capacity(ddl.len() + 64);
    let mut rest = ddl;
    let mut statement = Statement::default();
    while let Some(first) = rest.chars().next() {
        let length = token_length(rest, first);
        let (token, after) = rest.split_at(length);
        rest = after;
        if is_word_start(first) {
            out.push_str(statement.word(token));
        } else if token == ";" {
            if statement.makes_table() {
                out.push_str(" strict");
            }
            out.push(';');
            statement = Statement::default();
        } else {
            out.push_str(token);
        }
    }
    out
}

/// The first words of the statement being read.
#[derive(Default)]
struct Statement {
    words: usize,
    is_create: bool,
    is_alter: bool,
    is_table: bool,
}

impl Statement {
    /// Takes note of the next word and gives what to write for it.
    fn word<'a>(&mut self, word: &'a str) -> &'a str {
        let lower = word.to_ascii_lowercase();
        match self.words {
            0 => (self.is_create, self.is_alter) = (lower == "create", lower == "alter"),
            1 => self.is_table = (self.is_create || self.is_alter) && lower == "table",
            _ => {}
        }
        self.words += 1;
        if !self.is_table {
            return word;
        }
        match lower.as_str() {
            "uuid" | "bytea" => "blob",
            "jsonb" => "text",
            "timestamptz" | "boolean" | "bigint" => "integer",
            "double" => "real",
            "precision" => "",
            _ => word,
        }
    }

    fn makes_table(&self) -> bool {
        self.is_create && self.is_table
    }
}

pub(crate) fn is_word_start(first: char) -> bool {
    first.is_ascii_alphabetic() || first == '_'
}

/// Length in bytes of the token that `text` begins with: a word, a quoted text, a comment, or one character.
pub(crate) fn token_length(text: &str, first: char) -> usize {
    let until =
        |end: &str, skip: usize| text[skip..].find(end).map_or(text.len(), |at| skip + at + end.len());
    match first {
        '\'' => until("'", 1),
        '"' => until("\"", 1),
        '-' if text.starts_with("--") => until("\n", 2),
        _ if is_word_start(first) => {
            text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())
        }
        _ => first.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use super::{for_postgres, for_sqlite};

    #[test]
    fn types_are_replaced_as_whole_words_and_tables_are_strict() {
        assert_eq!(
            for_sqlite(
                "create table t (\n  a uuid not null, -- a uuid; really\n  b timestamptz,\n  \
                 c double precision check (c > 0),\n  bigint_like text default 'jsonb; uuid'\n);\n\
                 create index i on t (a);\ninsert into t (a) values ('bigint');"
            ),
            "create table t (\n  a blob not null, -- a uuid; really\n  b integer,\n  \
             c real  check (c > 0),\n  bigint_like text default 'jsonb; uuid'\n) strict;\n\
             create index i on t (a);\ninsert into t (a) values ('bigint');"
        );
    }

    #[test]
    fn columns_that_come_later_have_the_same_types() {
        assert_eq!(
            for_sqlite("alter table t add column d bigint not null default 10;"),
            "alter table t add column d integer not null default 10;"
        );
    }

    #[test]
    fn a_refusal_becomes_triggers_of_each_engine() {
        let text =
            "create table t (a text); -- refuse update on x;\n\n-- for ever\nrefuse delete on t;\nselect 1;";
        assert_eq!(
            for_sqlite(text),
            "create table t (a text) strict; -- refuse update on x;\n\n-- for ever\n\
             create trigger t_refuses_delete before delete on t \
             begin select raise(abort, 't refuses to be changed'); end;\nselect 1;"
        );
        let postgres = for_postgres(text);
        assert!(
            postgres.starts_with("create table t (a text); -- refuse update on x;\n\n-- for ever\ncreate or")
        );
        assert!(postgres.contains("before delete on t for each row execute function refuse_change();"));
        assert!(postgres.contains("before truncate on t for each statement"));
        assert!(postgres.ends_with("\nselect 1;") && !postgres.contains("before update"));
        let plain = "insert into refuse values ('refuse update on t;');";
        assert_eq!(for_postgres(plain), plain);
    }

    #[test]
    fn a_quote_inside_quoted_text_does_not_end_it() {
        let text = "insert into t values ('it''s; create table', \"a;b\");";
        assert_eq!(for_sqlite(text), text);
    }
}
