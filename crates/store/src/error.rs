//! What can go wrong, the same on both engines.

use std::path::PathBuf;

/// Why a statement or a transaction failed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// A row with this key exists. The engines agree on the table only: where a table has two keys, let the
    /// statement name the one it means (`on conflict (…) do nothing returning …`).
    #[error("a row of {table} already has this key ({detail})")]
    Unique {
        /// The table that refused the row.
        table: String,
        /// Constraint or columns in the engine's words, for the log.
        detail: String,
    },
    /// A row that is referred to does not exist, or is still referred to.
    #[error("foreign key violated: {detail}")]
    ForeignKey {
        /// In the engine's words, for the log.
        detail: String,
    },
    /// A named `check` constraint refused the row.
    #[error("check {constraint} violated")]
    Check {
        /// The constraint's name.
        constraint: String,
    },
    /// A column that must have a value got none.
    #[error("no value for {column}")]
    NotNull {
        /// The column's name.
        column: String,
    },
    /// The transaction met another one. The store runs it again by itself; a caller sees this only when it gave up.
    #[error("the transaction kept meeting others and was given up")]
    Retry,
    /// Too many transactions are waiting already.
    #[error("too many transactions are waiting")]
    Overloaded,
    /// The database cannot be reached, cannot be written, or was closed.
    #[error("the database is not available: {detail}")]
    Unavailable {
        /// For the log.
        detail: String,
    },
    /// The file is damaged.
    #[error("the database is damaged: {detail}")]
    Damaged {
        /// For the log.
        detail: String,
    },
    /// The statement was to give one row and gave none.
    #[error("no row where one was expected")]
    NoRow,
    /// The statement was to give at most one row and gave more.
    #[error("more than one row where at most one was expected")]
    ManyRows,
    /// A column does not hold what the code expects.
    #[error("column {column}: expected {expected}, found {found}")]
    Column {
        /// Its number, from 0.
        column: usize,
        /// The Rust side.
        expected: &'static str,
        /// The database's side.
        found: &'static str,
    },
    /// The number of parameters differs from what the statement uses.
    #[error("the statement takes {expected} parameters, {given} were given")]
    Parameters {
        /// In the statement.
        expected: usize,
        /// By the caller.
        given: usize,
    },
    /// A text with a NUL character, or a number that is not finite.
    #[error("a parameter holds a NUL character or a number that is not finite")]
    NotPortable,
    /// A statement failed earlier in this transaction, so that nothing more can be done or kept in it.
    #[error("an earlier statement of this transaction failed")]
    Abandoned,
    /// Anything else the engine says.
    #[error("statement failed: {detail}")]
    Statement {
        /// In the engine's words, for the log.
        detail: String,
    },
}

impl Error {
    pub(crate) fn closed() -> Self {
        Self::Unavailable { detail: "the store is closed".to_owned() }
    }

    pub(crate) fn read_only() -> Self {
        Self::Unavailable { detail: "the store was opened for reading only".to_owned() }
    }

    /// Whether asking again later may succeed without anybody changing anything.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Retry | Self::Overloaded | Self::Unavailable { .. })
    }
}

/// Why a database could not be opened. Each reads as a sentence for the person who started the server.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("cannot write in {}: {source}; choose another data folder or change its permissions", folder.display())]
    Folder {
        /// The folder of the database file.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process holds the data folder.
    #[error("{} is in use by another terrane; stop it first, or choose another data folder", path.display())]
    InUse {
        /// The database file.
        path: PathBuf,
    },
    /// There is nothing to read.
    #[error("there is no database at {}; is this the right data folder?", path.display())]
    Missing {
        /// Where the database file would be.
        path: PathBuf,
    },
    /// The file is not a database, or is half written.
    #[error("{} is not a whole database ({detail}); restore it from a backup, or move it away to start anew", path.display())]
    Damaged {
        /// The database file.
        path: PathBuf,
        /// What was found.
        detail: String,
    },
    /// The file cannot be opened.
    #[error("cannot open {}: {detail}", path.display())]
    File {
        /// The database file.
        path: PathBuf,
        /// What the engine said.
        detail: String,
    },
    /// The address is not understood.
    #[error("the database address is not understood: {detail}")]
    Url {
        /// What is wrong with it; never holds the password.
        detail: String,
    },
    /// The address asks for an encrypted connection.
    #[error(
        "the database address asks for TLS (sslmode=require), which this build does not have; \
         reach the server over a local socket or a private network and leave sslmode out"
    )]
    TlsRequired,
    /// The server does not answer or refuses.
    #[error("cannot connect to the database server: {detail}")]
    Connect {
        /// What the server or the network said.
        detail: String,
    },
}
