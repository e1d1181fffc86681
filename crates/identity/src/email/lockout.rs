//! Counting wrong passwords.
//!
//! Five wrong ones for an address, and no password is looked at for fifteen minutes. It is counted by the keyed hash
//! of the address, whether or not anybody has it. Device keys, other providers and links in mails do not ask here: a
//! stranger can close this one door for a while, and the owner comes in by another.
//!
//! A try is counted before the password is looked at, so that a hundred at once are five.

use store::{Tx, params};

use crate::email::EmailError;

/// Wrong passwords until no more are looked at.
pub(crate) const FAILURES_MAX: i64 = 5;

/// For how long.
pub(crate) const LOCKED_US: i64 = 15 * 60 * 1_000_000;

/// Addresses remembered at once; the oldest make room. Whoever makes up so many has spent as many tries.
const REMEMBERED_MAX: i64 = 100_000;

store::statements! {
    FORGET_EXPIRED = "delete from password_failures where expires_at <= $1";
    COUNT = "select count(*) from password_failures";
    FORGET_OLDEST = "delete from password_failures where address_index in \
        (select address_index from password_failures order by expires_at, address_index limit $1)";
    TAKE = "insert into password_failures (address_index, failures, expires_at) values ($1, 1, $2) \
        on conflict (address_index) do update set failures = password_failures.failures + 1, \
        expires_at = excluded.expires_at where password_failures.failures < $3 returning failures";
    EXPIRES = "select expires_at from password_failures where address_index = $1";
    GIVE_BACK = "update password_failures set failures = failures - 1 where address_index = $1 and failures > 0";
    CLEAR = "delete from password_failures where address_index = $1";
}

/// Takes one try for an address, or says how long there is none.
pub(crate) fn take_try(tx: &mut Tx<'_>, index: [u8; 32], now_us: i64) -> Result<(), EmailError> {
    tx.execute(FORGET_EXPIRED, params![now_us])?;
    let surplus = tx.query_one(COUNT, params![])?.get::<i64>(0)? + 1 - REMEMBERED_MAX;
    if surplus > 0 {
        tx.execute(FORGET_OLDEST, params![surplus])?;
    }
    if tx.query_opt(TAKE, params![index, now_us + LOCKED_US, FAILURES_MAX])?.is_some() {
        return Ok(());
    }
    let expires_us: i64 = tx.query_one(EXPIRES, params![index])?.get(0)?;
    let retry_after_s = u32::try_from((expires_us - now_us).max(1) / 1_000_000 + 1).unwrap_or(u32::MAX);
    Err(EmailError::Locked { retry_after_s })
}

/// The password was not looked at after all.
pub(crate) fn give_back(tx: &mut Tx<'_>, index: [u8; 32]) -> Result<(), store::Error> {
    tx.execute(GIVE_BACK, params![index]).map(drop)
}

/// The owner has shown who they are.
pub(crate) fn clear(tx: &mut Tx<'_>, index: [u8; 32]) -> Result<(), store::Error> {
    tx.execute(CLEAR, params![index]).map(drop)
}
