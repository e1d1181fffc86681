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

/// The `SQLite` form of a schema text. Quoted text and `--` comments pass through unchanged.
pub(crate) fn for_sqlite(ddl: &str) -> String {
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
    use super::for_sqlite;

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
    fn a_quote_inside_quoted_text_does_not_end_it() {
        let text = "insert into t values ('it''s; create table', \"a;b\");";
        assert_eq!(for_sqlite(text), text);
    }
}
