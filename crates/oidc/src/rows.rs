//! Attempts, arrivals and identities in SQL.

use store::{Row, Tx, params};
use uuid::Uuid;

/// Browsers that may be away at once on the whole planet; a further one replaces the oldest. Refusing it would let
/// whoever begins many logins keep everybody else from one.
pub(crate) const ATTEMPTS_MAX: i64 = 10_000;

store::statements! {
    FORGET_ATTEMPTS = "delete from oidc_attempts where expires_at <= $1";
    FORGET_OLDEST_ATTEMPTS = "delete from oidc_attempts where state_hash in (
        select state_hash from oidc_attempts order by expires_at, state_hash limit $1)";
    COUNT_ATTEMPTS = "select count(*) from oidc_attempts";
    ADD_ATTEMPT = "insert into oidc_attempts
        (state_hash, binding_hash, provider_id, redirect_uri, account_id, expires_at) values ($1, $2, $3, $4, $5, $6)";
    /// The one place where a state is used: a second request finds no row.
    TAKE_ATTEMPT = "delete from oidc_attempts where state_hash = $1
        returning binding_hash, provider_id, redirect_uri, account_id, expires_at";
    FORGET_ARRIVALS = "delete from oidc_arrivals where expires_at <= $1";
    ADD_ARRIVAL = "insert into oidc_arrivals
        (code_hash, binding_hash, issuer, subject, account_id, expires_at) values ($1, $2, $3, $4, $5, $6)";
    /// The one place where a one-time code is used.
    TAKE_ARRIVAL = "delete from oidc_arrivals where code_hash = $1
        returning binding_hash, issuer, subject, account_id, expires_at";
    ACCOUNT_OF = "select account_id from oidc_identities where issuer = $1 and subject = $2";
    USE_IDENTITY = "update oidc_identities set last_used_at = $3 where issuer = $1 and subject = $2";
    ADD_IDENTITY = "insert into oidc_identities
        (identity_id, account_id, issuer, subject, linked_at, last_used_at) values ($1, $2, $3, $4, $5, $5)";
    /// Bounded by the number of identities an account may have.
    OF_ACCOUNT = "select identity_id, issuer, subject, linked_at, last_used_at from oidc_identities
        where account_id = $1 order by linked_at, identity_id";
    EXPORTED = "select identity_id, issuer, subject, linked_at, last_used_at from oidc_identities
        where account_id = $1 order by identity_id limit $2 offset $3";
    /// Whether a one-time code is of somebody who has no account yet.
    IS_NEWCOMER = "select 1 from oidc_arrivals a where a.code_hash = $1 and a.account_id is null and not exists
        (select 1 from oidc_identities i where i.issuer = a.issuer and i.subject = a.subject)";
    COUNT_OF_ACCOUNT = "select count(*) from oidc_identities where account_id = $1";
    REMOVE_IDENTITY = "delete from oidc_identities where identity_id = $1 and account_id = $2";
    ERASE_ARRIVALS = "delete from oidc_arrivals where account_id = $1 or exists (select 1 from oidc_identities i
        where i.account_id = $1 and i.issuer = oidc_arrivals.issuer and i.subject = oidc_arrivals.subject)";
    ERASE_ATTEMPTS = "delete from oidc_attempts where account_id = $1";
    ERASE_IDENTITIES = "delete from oidc_identities where account_id = $1";
}

/// A browser that was sent to a provider.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) binding_hash: [u8; 32],
    pub(crate) provider_id: String,
    pub(crate) redirect_uri: String,
    /// Whose account is to be linked.
    pub(crate) account_id: Option<Uuid>,
    pub(crate) expires_us: i64,
}

/// Somebody who came back rightly.
#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) binding_hash: [u8; 32],
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) account_id: Option<Uuid>,
    pub(crate) expires_us: i64,
}

/// A person at a provider who opens an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LinkedIdentity {
    /// Names the link.
    pub identity_id: Uuid,
    /// Which provider, by its own name for itself.
    pub issuer: String,
    /// Which person, by the provider's name for them.
    pub subject: String,
    /// Microseconds since 1970.
    pub linked_us: i64,
    /// Microseconds since 1970.
    pub last_used_us: i64,
}

/// Stores an attempt.
pub(crate) fn put_attempt(
    tx: &mut Tx<'_>,
    state_hash: [u8; 32],
    attempt: &Attempt,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(FORGET_ATTEMPTS, params![now_us])?;
    let surplus = tx.query_one(COUNT_ATTEMPTS, params![])?.get::<i64>(0)? + 1 - ATTEMPTS_MAX;
    if surplus > 0 {
        tx.execute(FORGET_OLDEST_ATTEMPTS, params![surplus])?;
    }
    let Attempt { binding_hash, provider_id, redirect_uri, account_id, expires_us } = attempt;
    let values = params![state_hash, *binding_hash, provider_id, redirect_uri, *account_id, *expires_us];
    tx.execute(ADD_ATTEMPT, values).map(drop)
}

/// Uses a state up, right or wrong.
pub(crate) fn take_attempt(tx: &mut Tx<'_>, state_hash: [u8; 32]) -> Result<Option<Attempt>, store::Error> {
    let row = tx.query_opt(TAKE_ATTEMPT, params![state_hash])?;
    row.map(|row| {
        Ok(Attempt {
            binding_hash: row.get(0)?,
            provider_id: row.get(1)?,
            redirect_uri: row.get(2)?,
            account_id: row.get(3)?,
            expires_us: row.get(4)?,
        })
    })
    .transpose()
}

/// Stores who came back, until the page asks with the code.
pub(crate) fn put_arrival(
    tx: &mut Tx<'_>,
    code_hash: [u8; 32],
    arrival: &Arrival,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(FORGET_ARRIVALS, params![now_us])?;
    let Arrival { binding_hash, issuer, subject, account_id, expires_us } = arrival;
    let values = params![code_hash, *binding_hash, issuer, subject, *account_id, *expires_us];
    tx.execute(ADD_ARRIVAL, values).map(drop)
}

/// Uses a one-time code up, right or wrong.
pub(crate) fn take_arrival(tx: &mut Tx<'_>, code_hash: [u8; 32]) -> Result<Option<Arrival>, store::Error> {
    let row = tx.query_opt(TAKE_ARRIVAL, params![code_hash])?;
    row.map(|row| {
        Ok(Arrival {
            binding_hash: row.get(0)?,
            issuer: row.get(1)?,
            subject: row.get(2)?,
            account_id: row.get(3)?,
            expires_us: row.get(4)?,
        })
    })
    .transpose()
}

/// Whether a one-time code would make an account.
pub(crate) fn is_newcomer(tx: &mut Tx<'_>, code_hash: [u8; 32]) -> Result<bool, store::Error> {
    Ok(tx.query_opt(IS_NEWCOMER, params![code_hash])?.is_some())
}

/// Whose account a person at a provider opens.
pub(crate) fn account_of(tx: &mut Tx<'_>, issuer: &str, subject: &str) -> Result<Option<Uuid>, store::Error> {
    tx.query_opt(ACCOUNT_OF, params![issuer, subject])?.map(|row| row.get(0)).transpose()
}

/// Notes that an identity was used.
pub(crate) fn touch(tx: &mut Tx<'_>, issuer: &str, subject: &str, now_us: i64) -> Result<(), store::Error> {
    tx.execute(USE_IDENTITY, params![issuer, subject, now_us]).map(drop)
}

/// From now on this person opens this account.
pub(crate) fn link(
    tx: &mut Tx<'_>,
    identity_id: Uuid,
    account_id: Uuid,
    arrival: &Arrival,
    now_us: i64,
) -> Result<(), store::Error> {
    let values = params![identity_id, account_id, &arrival.issuer, &arrival.subject, now_us];
    tx.execute(ADD_IDENTITY, values).map(drop)
}

/// How many providers' identities open an account: ways in that the holder of a key or password need not keep.
pub fn ways_in(tx: &mut Tx<'_>, account_id: Uuid) -> Result<u32, store::Error> {
    tx.query_one(COUNT_OF_ACCOUNT, params![account_id])?.get(0)
}

/// All identities of an account, oldest first.
pub fn identities(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Vec<LinkedIdentity>, store::Error> {
    let read = |row: &Row| {
        Ok(LinkedIdentity {
            identity_id: row.get(0)?,
            issuer: row.get(1)?,
            subject: row.get(2)?,
            linked_us: row.get(3)?,
            last_used_us: row.get(4)?,
        })
    };
    tx.query(OF_ACCOUNT, params![account_id])?.iter().map(read).collect()
}

/// Ends one; `false` if the account has no such identity.
pub(crate) fn unlink(tx: &mut Tx<'_>, identity_id: Uuid, account_id: Uuid) -> Result<bool, store::Error> {
    Ok(tx.execute(REMOVE_IDENTITY, params![identity_id, account_id])? == 1)
}

/// Forgets everything that names a person of this account, for its erasure.
pub fn erase(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<(), store::Error> {
    // An arrival that nobody finished may be of the same person: those that name them go first, by the links.
    tx.execute(ERASE_ARRIVALS, params![account_id])?;
    tx.execute(FORGET_ARRIVALS, params![now_us])?;
    tx.execute(ERASE_ATTEMPTS, params![account_id])?;
    tx.execute(ERASE_IDENTITIES, params![account_id]).map(drop)
}
