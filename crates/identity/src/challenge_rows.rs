//! Challenges waiting for their answer.

use store::{Tx, params};
use uuid::Uuid;

use crate::challenge::{Nonce, Purpose};
use crate::device_key::DeviceKey;

/// Challenges that may wait at once on the whole planet; a further one replaces the oldest. Refusing it would let
/// whoever asks for many keep everybody else from logging in.
pub(crate) const WAITING_MAX: i64 = 10_000;

/// Challenges that may wait for one key; a further one replaces the oldest.
pub(crate) const WAITING_PER_KEY_MAX: i64 = 8;

/// A stored challenge.
#[derive(Clone)]
pub(crate) struct Challenge {
    pub(crate) nonce: Nonce,
    pub(crate) key: DeviceKey,
    pub(crate) purpose: Purpose,
    /// Whom a key is to be added to.
    pub(crate) account_id: Option<Uuid>,
    pub(crate) signed_text: String,
    pub(crate) expires_us: i64,
}

store::statements! {
    FORGET_EXPIRED = "delete from challenges where expires_at <= $1";
    FORGET_OLDEST = "delete from challenges where nonce in (
        select nonce from challenges order by expires_at, nonce limit $1)";
    FORGET_OLDEST_OF_KEY = "delete from challenges where public_key = $1 and nonce not in (
        select nonce from challenges where public_key = $1 order by expires_at desc, nonce limit $2)";
    COUNT = "select count(*) from challenges";
    INSERT = "insert into challenges (nonce, public_key, purpose, signed_text, expires_at, account_id) \
        values ($1, $2, $3, $4, $5, $6)";
    TEXT_OF = "select signed_text from challenges
        where nonce = $1 and public_key = $2 and purpose = $3 and expires_at > $4
        and account_id is not distinct from $5";
    TAKE = "delete from challenges where nonce = $1";
}

/// Stores a challenge.
pub(crate) fn put(tx: &mut Tx<'_>, challenge: &Challenge, now_us: i64) -> Result<(), store::Error> {
    tx.execute(FORGET_EXPIRED, params![now_us])?;
    let key = *challenge.key.as_bytes();
    tx.execute(FORGET_OLDEST_OF_KEY, params![key, WAITING_PER_KEY_MAX - 1])?;
    let surplus = tx.query_one(COUNT, params![])?.get::<i64>(0)? + 1 - WAITING_MAX;
    if surplus > 0 {
        tx.execute(FORGET_OLDEST, params![surplus])?;
    }
    let purpose = challenge.purpose.word();
    let values = params![
        challenge.nonce.0,
        key,
        purpose,
        &challenge.signed_text,
        challenge.expires_us,
        challenge.account_id
    ];
    tx.execute(INSERT, values).map(drop)
}

/// The text that `key` was given to sign with this nonce, if it may still be answered.
pub(crate) fn text_of(
    tx: &mut Tx<'_>,
    nonce: Nonce,
    key: &DeviceKey,
    purpose: Purpose,
    account_id: Option<Uuid>,
    now_us: i64,
) -> Result<Option<String>, store::Error> {
    let values = params![nonce.0, *key.as_bytes(), purpose.word(), now_us, account_id];
    tx.query_opt(TEXT_OF, values)?.map(|row| row.get(0)).transpose()
}

/// Uses a challenge up; `false` when somebody else has.
pub(crate) fn take(tx: &mut Tx<'_>, nonce: Nonce) -> Result<bool, store::Error> {
    Ok(tx.execute(TAKE, params![nonce.0])? == 1)
}
