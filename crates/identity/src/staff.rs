//! What staff can do to accounts. Each takes the caller's transaction, in which the audit entry is written too; after
//! the commit the caller calls [`crate::Identity::standing_changed`].
//!
//! Who may do which of these to whom is not decided here, but two things are: the last admin stays one, and nobody
//! who was erased comes back.

use api::Role;
use store::{Row, Tx, params};
use uuid::Uuid;

use crate::accounts::{self, Account};
use crate::names;
use crate::sessions::{self, SessionRow};
use crate::standing::{self, AccountState, Standing};

/// Why staff cannot do that.
#[derive(Debug, thiserror::Error)]
pub enum StaffError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The person was forgotten: nothing can be done any more.
    #[error("the account has been erased")]
    Erased,
    /// It would leave the planet without an admin.
    #[error("this is the last admin")]
    LastAdmin,
    /// A suspension must end in the future.
    #[error("the end must be in the future")]
    EndsInThePast,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A person as staff see them in lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Person {
    /// Who.
    pub account: Account,
    /// Role and state.
    pub standing: Standing,
}

/// Which people to list, by name.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Names that begin so, case aside; everybody if not given.
    pub name_prefix: Option<String>,
    /// Only with this role.
    pub role: Option<Role>,
    /// Only in this state, by its name (`active`, `suspended`, `banned`, `erased`).
    pub state: Option<String>,
    /// The last person of the page before: their key ([`search_key_of`]) and id.
    pub after: Option<(Vec<u8>, Uuid)>,
    /// How many at most.
    pub limit: u32,
}

store::statements! {
    /// The same columns as in `PERSON`.
    SEARCH = "select account_id, display_name, color, created_at, role, state, suspended_until from accounts \
        where search_key >= $1 and ($2 or search_key < $3) and (search_key > $4 or (search_key = $4 and account_id > $5)) \
        and ($6 = '' or role = $6) \
        and ($7 = '' or (case when state = 'suspended' and suspended_until <= $8 then 'active' else state end) = $7) \
        order by search_key, account_id limit $9";
    PERSON = "select account_id, display_name, color, created_at, role, state, suspended_until from accounts \
        where account_id = $1";
    SET_ROLE = "update accounts set role = $2, skeleton = $3 where account_id = $1";
    SET_STATE = "update accounts set state = $2, suspended_until = $3 where account_id = $1";
    OTHER_ADMINS = "select count(*) from accounts where role = 'admin' and account_id <> $1 \
        and (state = 'active' or (state = 'suspended' and suspended_until <= $2))";
    BY_NAME = "select account_id, display_name, color, created_at, role, state, suspended_until from accounts \
        where display_name = $1 order by account_id limit 3";
}

/// The key that lists of people are ordered by.
pub fn search_key_of(display_name: &str) -> Vec<u8> {
    names::search_key(display_name)
}

/// People by the beginning of their name, in the order of names.
pub fn find(tx: &mut Tx<'_>, search: &Search, now_us: i64) -> Result<Vec<Person>, store::Error> {
    let from = names::search_key(search.name_prefix.as_deref().unwrap_or_default());
    // Text in UTF-8 never holds this byte, so it comes after everything that begins so.
    let mut before = from.clone();
    before.push(0xFF);
    let (after_key, after_id) = search.after.clone().unwrap_or_default();
    let rows = tx.query(
        SEARCH,
        params![
            from.clone(),
            from.is_empty(),
            before,
            after_key,
            after_id,
            search.role.map_or("", Role::name),
            search.state.as_deref().unwrap_or_default(),
            now_us,
            search.limit
        ],
    )?;
    rows.iter().map(person_of).collect()
}

/// One person.
pub fn person(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<Person>, store::Error> {
    tx.query_opt(PERSON, params![account_id])?.map(|row| person_of(&row)).transpose()
}

/// People with exactly this name; three at most, so that a second one shows.
pub fn by_name(tx: &mut Tx<'_>, display_name: &str) -> Result<Vec<Person>, store::Error> {
    tx.query(BY_NAME, params![display_name])?.iter().map(person_of).collect()
}

/// Gives a role; the one before.
pub fn set_role(tx: &mut Tx<'_>, account_id: Uuid, role: Role, now_us: i64) -> Result<Role, StaffError> {
    let person = changeable(tx, account_id)?;
    if role != Role::Admin {
        keep_an_admin(tx, &person, now_us)?;
    }
    let skeleton = role.is_staff().then(|| api::text::skeleton(&person.account.display_name));
    tx.execute(SET_ROLE, params![account_id, role.name(), skeleton])?;
    Ok(person.standing.role)
}

/// Suspends until a time; the state before. The sessions wait for the end of it.
pub fn suspend(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    until_us: i64,
    now_us: i64,
) -> Result<AccountState, StaffError> {
    if until_us <= now_us {
        return Err(StaffError::EndsInThePast);
    }
    set_state(tx, account_id, AccountState::Suspended { until_us }, now_us)
}

/// Bans for good and ends all sessions; the state before.
pub fn ban(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<AccountState, StaffError> {
    let before = set_state(tx, account_id, AccountState::Banned, now_us)?;
    sessions::end_all(tx, account_id, None, now_us)?;
    Ok(before)
}

/// Lifts a suspension or a ban; the state before.
pub fn restore(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<AccountState, StaffError> {
    set_state(tx, account_id, AccountState::Active, now_us)
}

/// The open sessions of somebody; their user agents are sealed with that person's key.
pub fn sessions_of(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Vec<SessionRow>, store::Error> {
    sessions::list(tx, account_id, now_us)
}

/// Ends all sessions of somebody; how many.
pub fn end_sessions(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<u64, StaffError> {
    changeable(tx, account_id)?;
    Ok(sessions::end_all(tx, account_id, None, now_us)?)
}

fn set_state(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    state: AccountState,
    now_us: i64,
) -> Result<AccountState, StaffError> {
    let person = changeable(tx, account_id)?;
    if state != AccountState::Active {
        keep_an_admin(tx, &person, now_us)?;
    }
    let until_us = match state {
        AccountState::Suspended { until_us } => Some(until_us),
        _ => None,
    };
    tx.execute(SET_STATE, params![account_id, state.name(), until_us])?;
    Ok(person.standing.state.at(now_us))
}

fn changeable(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Person, StaffError> {
    let person = person(tx, account_id)?.ok_or(StaffError::NoSuchAccount)?;
    if person.standing.state == AccountState::Erased {
        return Err(StaffError::Erased);
    }
    Ok(person)
}

/// Refuses what would take away the last admin who can act.
fn keep_an_admin(tx: &mut Tx<'_>, person: &Person, now_us: i64) -> Result<(), StaffError> {
    if person.standing.role == Role::Admin {
        let others: i64 = tx.query_one(OTHER_ADMINS, params![person.account.account_id, now_us])?.get(0)?;
        if others == 0 {
            return Err(StaffError::LastAdmin);
        }
    }
    Ok(())
}

fn person_of(row: &Row) -> Result<Person, store::Error> {
    Ok(Person { account: accounts::from_row(row)?, standing: standing::from_row(row, 4)? })
}
