//! Rows of people and their devices.

use store::{Row, Tx, params};
use uuid::Uuid;

use crate::color::Color;
use crate::device_key::DeviceKey;

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
    INSERT_ACCOUNT = "insert into accounts (account_id, display_name, color, created_at) values ($1, $2, $3, $4)";
    ACCOUNT = "select account_id, display_name, color, created_at from accounts where account_id = $1";
    DISPLAY_NAME = "select display_name from accounts where account_id = $1";
    /// `null` leaves a column as it is.
    CHANGE_ACCOUNT = "update accounts set display_name = coalesce($2, display_name), color = coalesce($3, color)
        where account_id = $1 returning account_id, display_name, color, created_at";
    INSERT_KEY = "insert into device_keys (public_key, account_id, created_at, last_used_at) values ($1, $2, $3, $3)";
    /// When somebody last logged in, or went on in a session.
    LAST_SEEN = "select (select max(k.last_used_at) from device_keys k where k.account_id = a.account_id), \
        (select max(t.issued_at) from refresh_tokens t where t.account_id = a.account_id), a.created_at \
        from accounts a where a.account_id = $1";
    USE_KEY = "update device_keys set last_used_at = $2 where public_key = $1 returning account_id";
}

/// A new person with their first device.
pub(crate) fn create(tx: &mut Tx<'_>, account: &Account, key: &DeviceKey) -> Result<(), store::Error> {
    tx.execute(
        INSERT_ACCOUNT,
        params![account.account_id, &account.display_name, account.color.rgb(), account.created_us],
    )?;
    tx.execute(INSERT_KEY, params![*key.as_bytes(), account.account_id, account.created_us])?;
    Ok(())
}

/// The account that `key` opens, and a note that it was used.
pub(crate) fn use_key(
    tx: &mut Tx<'_>,
    key: &DeviceKey,
    now_us: i64,
) -> Result<Option<Account>, store::Error> {
    match tx.query_opt(USE_KEY, params![*key.as_bytes(), now_us])? {
        Some(row) => find(tx, row.get(0)?),
        None => Ok(None),
    }
}

/// The person with this id.
pub(crate) fn find(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<Account>, store::Error> {
    tx.query_opt(ACCOUNT, params![account_id])?.map(|row| from_row(&row)).transpose()
}

/// What others see of an account, for services that show owners; in the caller's transaction.
pub fn display_name(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<String>, store::Error> {
    tx.query_opt(DISPLAY_NAME, params![account_id])?.map(|row| row.get(0)).transpose()
}

/// When an account was last used, in the caller's transaction; `None` if there is no such account.
pub fn last_seen(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<i64>, store::Error> {
    let Some(row) = tx.query_opt(LAST_SEEN, params![account_id])? else { return Ok(None) };
    let (key_us, session_us): (Option<i64>, Option<i64>) = (row.get(0)?, row.get(1)?);
    Ok(key_us.max(session_us).max(Some(row.get(2)?)))
}

/// Writes what is given; the person as they are then.
pub(crate) fn change(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    display_name: Option<&str>,
    color: Option<Color>,
) -> Result<Option<Account>, store::Error> {
    let values = params![account_id, display_name, color.map(Color::rgb)];
    tx.query_opt(CHANGE_ACCOUNT, values)?.map(|row| from_row(&row)).transpose()
}

fn from_row(row: &Row) -> Result<Account, store::Error> {
    let color = Color::try_from_rgb(row.get(2)?).expect("accounts_color_is_rgb holds");
    Ok(Account { account_id: row.get(0)?, display_name: row.get(1)?, color, created_us: row.get(3)? })
}
