//! The rows of exports: who asked for their data, and what came of it.

use store::{Row, Tx, params};
use uuid::Uuid;

use crate::vault::Vault;

/// The field under which the key of a file is sealed.
const FILE_KEY: &str = "export_file_key";
/// Archives of one person that are kept at once.
pub(crate) const KEPT_MAX: i64 = 3;
/// Exports that a list shows.
const LISTED_MAX: i64 = 20;
/// How often making one is tried.
const ATTEMPTS_MAX: i64 = 3;
/// How long whoever makes one is believed to be at it.
const LEASE_US: i64 = 10 * 60 * 1_000_000;

store::statements! {
    /// Asks for one.
    ADD = "insert into exports (export_id, account_id, state, requested_by, requested_at, attempt_count, leased_until) \
           values ($1, $2, 'pending', $3, $4, 0, $4)";
    /// Those of a person, newest first.
    LIST = "select export_id, state, requested_at, finished_at, expires_at, bytes, fault from exports \
            where account_id = $1 order by export_id desc limit $2";
    /// How many are being made, and how many are kept.
    COUNT = "select state, count(*) from exports where account_id = $1 and state in ('pending', 'ready') group by state";
    /// One that waits to be made.
    WAITING = "select export_id, account_id, attempt_count from exports where state = 'pending' and leased_until <= $1 \
               order by leased_until limit 1 for update";
    /// Takes it.
    LEASE = "update exports set leased_until = $2, attempt_count = attempt_count + 1 where export_id = $1";
    /// It is there.
    FINISH = "update exports set state = 'ready', finished_at = $2, expires_at = $3, bytes = $4, file_key = $5 \
              where export_id = $1 and state = 'pending'";
    /// It could not be made.
    FAIL = "update exports set state = 'failed', finished_at = $2, fault = $3 where export_id = $1 and state = 'pending'";
    /// Those whose time is over.
    ENDING = "select export_id from exports where state = 'ready' and expires_at <= $1 order by expires_at limit 100";
    /// Its file is gone.
    EXPIRE = "update exports set state = 'expired', file_key = null where export_id = $1 and state = 'ready'";
    /// The key of a file that is there.
    FILE = "select file_key, requested_at from exports \
            where export_id = $1 and account_id = $2 and state = 'ready' and expires_at > $3";
    /// Whose files may be there.
    FILES = "select export_id from exports where state in ('pending', 'ready') order by export_id";
    /// All of a person.
    OF_PERSON = "select export_id from exports where account_id = $1 order by export_id limit 1000";
    /// Forgets them.
    FORGET = "delete from exports where account_id = $1";
}

/// An export as its person sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// Its id.
    pub export_id: Uuid,
    /// `pending`, then `ready` or `failed`, then `expired`.
    pub state: String,
    /// When it was asked for.
    pub requested_us: i64,
    /// When it was ready, or failed.
    pub finished_us: Option<i64>,
    /// When its file is deleted.
    pub expires_us: Option<i64>,
    /// How large its file is.
    pub bytes: Option<i64>,
    /// Why it failed: a code.
    pub fault: Option<String>,
}

/// Why no export is begun.
#[derive(Debug, thiserror::Error)]
pub enum ExportRefusal {
    /// One is being made.
    #[error("an export is being made already")]
    Pending,
    /// There are enough.
    #[error("there are {KEPT_MAX} archives already")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// An export to be made.
pub(crate) struct Leased {
    pub(crate) export_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) is_last_attempt: bool,
}

/// Asks for the data of an account; `requested_by` is the account itself, or staff.
pub fn request_export(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    requested_by: Uuid,
    now_us: i64,
) -> Result<Export, ExportRefusal> {
    for row in tx.query(COUNT, params![account_id])? {
        let (state, count): (String, i64) = (row.get(0)?, row.get(1)?);
        match state.as_str() {
            "pending" => return Err(ExportRefusal::Pending),
            _ if count >= KEPT_MAX => return Err(ExportRefusal::TooMany),
            _ => {}
        }
    }
    let export_id = Uuid::now_v7();
    tx.execute(ADD, params![export_id, account_id, requested_by, now_us])?;
    Ok(Export {
        export_id,
        state: "pending".to_owned(),
        requested_us: now_us,
        finished_us: None,
        expires_us: None,
        bytes: None,
        fault: None,
    })
}

/// The exports of an account, newest first.
pub fn exports(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Export>, store::Error> {
    tx.query(LIST, params![account_id, LISTED_MAX])?.iter().map(from_row).collect()
}

fn from_row(row: &Row) -> Result<Export, store::Error> {
    Ok(Export {
        export_id: row.get(0)?,
        state: row.get(1)?,
        requested_us: row.get(2)?,
        finished_us: row.get(3)?,
        expires_us: row.get(4)?,
        bytes: row.get(5)?,
        fault: row.get(6)?,
    })
}

/// Takes an export that waits to be made.
pub(crate) fn lease(tx: &mut Tx<'_>, now_us: i64) -> Result<Option<Leased>, store::Error> {
    let Some(row) = tx.query_opt(WAITING, params![now_us])? else { return Ok(None) };
    let (export_id, attempts): (Uuid, i64) = (row.get(0)?, row.get(2)?);
    tx.execute(LEASE, params![export_id, now_us.saturating_add(LEASE_US)])?;
    Ok(Some(Leased { export_id, account_id: row.get(1)?, is_last_attempt: attempts + 1 >= ATTEMPTS_MAX }))
}

/// Notes that the file is there; `false` if nobody waits for it any more.
pub(crate) fn finish(
    tx: &mut Tx<'_>,
    vault: &Vault,
    leased: &Leased,
    file_key: &[u8],
    bytes: i64,
    (now_us, expires_us): (i64, i64),
) -> Result<bool, store::Error> {
    let sealed = vault.seal(tx, leased.account_id, FILE_KEY, file_key)?;
    Ok(tx.execute(FINISH, params![leased.export_id, now_us, expires_us, bytes, sealed])? == 1)
}

pub(crate) fn fail(tx: &mut Tx<'_>, export_id: Uuid, fault: &str, now_us: i64) -> Result<(), store::Error> {
    tx.execute(FAIL, params![export_id, now_us, fault]).map(drop)
}

pub(crate) fn ending(tx: &mut Tx<'_>, now_us: i64) -> Result<Vec<Uuid>, store::Error> {
    tx.query(ENDING, params![now_us])?.iter().map(|row| row.get(0)).collect()
}

pub(crate) fn expire(tx: &mut Tx<'_>, export_id: Uuid) -> Result<(), store::Error> {
    tx.execute(EXPIRE, params![export_id]).map(drop)
}

/// The key of a file of this person and when it was asked for; `None` if there is no such file.
pub(crate) fn file_key(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account_id: Uuid,
    export_id: Uuid,
    now_us: i64,
) -> Result<Option<(Vec<u8>, i64)>, store::Error> {
    let Some(row) = tx.query_opt(FILE, params![export_id, account_id, now_us])? else { return Ok(None) };
    let requested_us = row.get(1)?;
    let key = vault.open(tx, account_id, FILE_KEY, &row.get::<Vec<u8>>(0)?)?;
    Ok(key.map(|it| (it, requested_us)))
}

/// Ids whose files may be there.
pub(crate) fn with_files(tx: &mut Tx<'_>) -> Result<Vec<Uuid>, store::Error> {
    tx.query(FILES, params![])?.iter().map(|row| row.get(0)).collect()
}

/// Forgets all exports of a person; their ids, for their files.
pub(crate) fn forget(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<Uuid>, store::Error> {
    let ids = tx.query(OF_PERSON, params![account_id])?.iter().map(|row| row.get(0)).collect();
    tx.execute(FORGET, params![account_id])?;
    ids
}
