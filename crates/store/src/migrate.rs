//! Numbered migrations with checksums, applied whole or not at all.

use std::fmt::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use crate::{Error, Store, Tx, params};

/// One step of the schema. Numbers are unique over the whole program and never reused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Migration {
    /// Its place in the order, from 1.
    pub number: u32,
    /// What it brings, for people: `wallet`.
    pub name: &'static str,
    /// The statements, in `PostgreSQL`'s words (see the table in the crate's `ddl` module). Once released, never
    /// changed.
    pub sql: &'static str,
}

impl Migration {
    fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Why the schema could not be brought up to date. Each reads as a sentence for the person who started the server.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MigrateError {
    /// The database has seen a newer program.
    #[error(
        "the database is at migration {number} ({name}), which this terrane does not know: \
         it was written by a newer version; start that one"
    )]
    Newer {
        /// The first unknown migration.
        number: u32,
        /// Its recorded name.
        name: String,
    },
    /// A migration that was applied has another text now.
    #[error(
        "migration {number} ({name}) was applied with a different text than this terrane has: \
         the database and the program do not belong together"
    )]
    Diverged {
        /// Which.
        number: u32,
        /// Its name now.
        name: &'static str,
    },
    /// A migration would have to be applied before one that is applied already.
    #[error("migration {number} ({name}) is missing in a database that is already at migration {newest}")]
    OutOfOrder {
        /// Which.
        number: u32,
        /// Its name.
        name: &'static str,
        /// The newest applied.
        newest: u32,
    },
    /// Two migrations have one number.
    #[error("two migrations have the number {number}")]
    Duplicate {
        /// The number.
        number: u32,
    },
    /// A statement of a migration failed; nothing of any migration was kept.
    #[error("migration {number} ({name}) failed and was undone: {error}")]
    Failed {
        /// Which.
        number: u32,
        /// Its name.
        name: &'static str,
        /// Why.
        error: Error,
    },
    /// The database could not be asked.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Both tables belong to the store itself, so they are not numbered.
const FOUNDATION: &str = "
create table if not exists schema_migrations (
  migration_number bigint not null primary key,
  name text not null,
  checksum text not null,
  applied_at timestamptz not null
);
-- One row that a health probe rewrites, to show that a commit works.
create table if not exists store_probe (
  probe_id bigint not null primary key,
  touched bigint not null
);
";

pub(crate) const TOUCH_PROBE: &str = "insert into store_probe (probe_id, touched) values (1, 1) \
     on conflict (probe_id) do update set touched = 1 - store_probe.touched";
const APPLIED: &str =
    "select migration_number, name, checksum from schema_migrations order by migration_number";
const RECORD: &str =
    "insert into schema_migrations (migration_number, name, checksum, applied_at) values ($1, $2, $3, $4)";

pub(crate) async fn run(store: &Store, migrations: &[Migration]) -> Result<Vec<u32>, MigrateError> {
    let mut known = migrations.to_vec();
    known.sort_by_key(|it| it.number);
    if let Some(pair) = known.windows(2).find(|pair| pair[0].number == pair[1].number) {
        return Err(MigrateError::Duplicate { number: pair[0].number });
    }
    store.locked(move |tx| apply(tx, &known)).await
}

fn apply(tx: &mut Tx<'_>, known: &[Migration]) -> Result<Vec<u32>, MigrateError> {
    tx.lock_schema()?;
    tx.define(FOUNDATION)?;
    let mut newest = 0;
    let mut done = Vec::new();
    for row in tx.query(APPLIED, params![])? {
        let number: u32 = row.get(0)?;
        let Some(migration) = known.iter().find(|it| it.number == number) else {
            return Err(MigrateError::Newer { number, name: row.get(1)? });
        };
        if migration.checksum() != row.get::<String>(2)? {
            return Err(MigrateError::Diverged { number, name: migration.name });
        }
        newest = number;
        done.push(number);
    }
    let mut applied = Vec::new();
    for migration in known.iter().filter(|it| !done.contains(&it.number)) {
        let Migration { number, name, sql } = *migration;
        if number < newest {
            return Err(MigrateError::OutOfOrder { number, name, newest });
        }
        tx.define(sql).map_err(|error| MigrateError::Failed { number, name, error })?;
        tx.execute(RECORD, params![number, name, migration.checksum(), now_us()])?;
        applied.push(number);
    }
    Ok(applied)
}

pub(crate) async fn applied(store: &Store) -> Result<Vec<u32>, Error> {
    store
        .locked(|tx| {
            tx.define(FOUNDATION)?;
            tx.query(APPLIED, params![])?.iter().map(|row| row.get(0)).collect()
        })
        .await
}

/// When a migration was applied is a note for people; nothing is decided by it.
fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_micros() as i64)
}
