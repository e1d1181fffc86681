//! Rows of people and their devices.

use std::collections::HashMap;

use store::{Row, Tx, Value, params};
use uuid::Uuid;

use crate::color::Color;
use crate::device_key::DeviceKey;
use crate::names;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Never reused, never changes.
    pub account_id: Uuid,
    /// What others see; not unique.
    pub display_name: String,
    /// What they are drawn in.
    pub color: Color,
    /// Microseconds since 1970.
    pub created_us: i64,
}

store::statements! {
    INSERT_ACCOUNT = "insert into accounts (account_id, display_name, color, created_at, search_key) \
        values ($1, $2, $3, $4, $5)";
    ACCOUNT = "select account_id, display_name, color, created_at from accounts where account_id = $1";
    DISPLAY_NAMES = "select a.account_id, a.display_name from rows(account_id uuid) \
                     join accounts a on a.account_id = rows.account_id";
    DISPLAY_NAME = "select display_name from accounts where account_id = $1";
    /// `null` leaves a column as it is; the look is kept of staff alone.
    CHANGE_ACCOUNT = "update accounts set display_name = coalesce($2, display_name), color = coalesce($3, color), \
        search_key = coalesce($4, search_key), \
        skeleton = case when role = 'player' then null else coalesce($5, skeleton) end \
        where account_id = $1 returning account_id, display_name, color, created_at";
    INSERT_KEY = "insert into device_keys (public_key, account_id, created_at, last_used_at, label) \
        values ($1, $2, $3, $3, $4)";
    /// When somebody last logged in, or went on in a session.
    LAST_SEEN = "select (select max(k.last_used_at) from device_keys k where k.account_id = a.account_id), \
        (select max(s.last_seen_at) from sessions s where s.account_id = a.account_id), a.created_at \
        from accounts a where a.account_id = $1";
    USE_KEY = "update device_keys set last_used_at = $2 where public_key = $1 and removed_at is null \
        returning account_id";
    KNOWN_KEY = "select count(*) from device_keys where public_key = $1";
    REMOVED_KEY = "select count(*) from device_keys where public_key = $1 and removed_at is not null";
    WAYS_IN = "select (select count(*) from device_keys where account_id = $1 and removed_at is null) \
        + (select count(*) from passwords p join emails e on e.account_id = p.account_id where p.account_id = $1)";
    /// Whether a member of staff looks like this.
    LOOKS_LIKE_STAFF = "select count(*) from accounts where skeleton = $1 and account_id <> $2 and role <> 'player'";
    WITHOUT_SEARCH_KEY = "select account_id, display_name from accounts where search_key is null limit $1";
    SET_SEARCH_KEY = "update accounts set search_key = $2 where account_id = $1";
}

/// A new person, who has no way in yet.
pub(crate) fn create(tx: &mut Tx<'_>, account: &Account) -> Result<(), store::Error> {
    let values = params![
        account.account_id,
        &account.display_name,
        account.color.rgb(),
        account.created_us,
        names::search_key(&account.display_name)
    ];
    tx.execute(INSERT_ACCOUNT, values).map(drop)
}

/// Gives an account a further device.
pub(crate) fn add_key(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    key: &DeviceKey,
    label: Option<Vec<u8>>,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(INSERT_KEY, params![*key.as_bytes(), account_id, now_us, label]).map(drop)
}

/// The account that `key` opens, and a note that it was used.
pub(crate) fn use_key(tx: &mut Tx<'_>, key: &DeviceKey, now_us: i64) -> Result<Option<Uuid>, store::Error> {
    tx.query_opt(USE_KEY, params![*key.as_bytes(), now_us])?.map(|row| row.get(0)).transpose()
}

/// Whether a key opens an account, or did.
pub(crate) fn is_known_key(tx: &mut Tx<'_>, key: &DeviceKey) -> Result<bool, store::Error> {
    Ok(tx.query_one(KNOWN_KEY, params![*key.as_bytes()])?.get::<i64>(0)? > 0)
}

/// Whether a key was removed from its account.
pub(crate) fn is_removed_key(tx: &mut Tx<'_>, key: &DeviceKey) -> Result<bool, store::Error> {
    Ok(tx.query_one(REMOVED_KEY, params![*key.as_bytes()])?.get::<i64>(0)? > 0)
}

/// How many ways in an account has here: its device keys, and e-mail with password.
pub fn ways_in(tx: &mut Tx<'_>, account_id: Uuid) -> Result<u32, store::Error> {
    tx.query_one(WAYS_IN, params![account_id])?.get(0)
}

/// The person with this id.
pub(crate) fn find(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<Account>, store::Error> {
    tx.query_opt(ACCOUNT, params![account_id])?.map(|row| from_row(&row)).transpose()
}

/// What others see of an account, for services that show owners; in the caller's transaction.
pub fn display_name(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<String>, store::Error> {
    tx.query_opt(DISPLAY_NAME, params![account_id])?.map(|row| row.get(0)).transpose()
}

/// What others see of some accounts; those there are none of are left out.
pub fn display_names(tx: &mut Tx<'_>, account_ids: &[Uuid]) -> Result<HashMap<Uuid, String>, store::Error> {
    let rows: Vec<Vec<Value>> = account_ids.iter().map(|id| params![*id].to_vec()).collect();
    tx.query_rows(DISPLAY_NAMES, &rows)?.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect()
}

/// When an account was last used, in the caller's transaction; `None` if there is no such account.
pub fn last_seen(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<i64>, store::Error> {
    let Some(row) = tx.query_opt(LAST_SEEN, params![account_id])? else { return Ok(None) };
    let (key_us, session_us): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
    Ok(key_us.max(session_us).max(Some(row.get(2)?)))
}

/// Whether this name looks like that of a member of staff other than `account_id`.
pub(crate) fn looks_like_staff(
    tx: &mut Tx<'_>,
    display_name: &str,
    account_id: Uuid,
) -> Result<bool, store::Error> {
    let row = tx.query_one(LOOKS_LIKE_STAFF, params![api::text::skeleton(display_name), account_id])?;
    Ok(row.get::<i64>(0)? > 0)
}

/// Writes what is given; the person as they are then.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    display_name: Option<&str>,
    color: Option<Color>,
) -> Result<Option<Account>, store::Error> {
    let values = params![
        account_id,
        display_name,
        color.map(Color::rgb),
        display_name.map(names::search_key),
        display_name.map(api::text::skeleton)
    ];
    tx.query_opt(CHANGE_ACCOUNT, values)?.map(|row| from_row(&row)).transpose()
}

/// Gives a search key to up to `limit` accounts that have none; how many had none.
pub(crate) fn complete(tx: &mut Tx<'_>, limit: i64) -> Result<usize, store::Error> {
    let rows = tx.query(WITHOUT_SEARCH_KEY, params![limit])?;
    for row in &rows {
        let name: String = row.get(1)?;
        tx.execute(SET_SEARCH_KEY, params![row.get::<Uuid>(0)?, names::search_key(&name)])?;
    }
    Ok(rows.len())
}

pub(crate) fn from_row(row: &Row) -> Result<Account, store::Error> {
    let color = Color::try_from_rgb(row.get(2)?).expect("accounts_color_is_rgb holds");
    Ok(Account { account_id: row.get(0)?, display_name: row.get(1)?, color, created_us: row.get(3)? })
}
