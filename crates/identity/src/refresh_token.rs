//! Refresh tokens: opaque, kept only as a hash, each good for one use.
//!
//! What a token that comes back means:
//!
//! | the token is | answer |
//! |---|---|
//! | the newest of its family | spent; the next one is issued |
//! | the parent of the newest, within [`GRACE_US`] of its use | the newest is revoked and a fresh one issued: the reply was lost, or two tabs asked at once |
//! | any other one of the family | somebody has a copy: the whole family is revoked |
//! | expired, revoked with its family, or not ours | refused |

use sha2::{Digest as _, Sha256};
use store::{Tx, params};
use uuid::Uuid;

use crate::base64url;
use crate::sessions;

/// How long a session can be refreshed after its login, in microseconds.
pub(crate) const FAMILY_LIFE_US: i64 = 30 * 24 * 3600 * 1_000_000;

/// How long a spent token may come back while its successor is unused, in microseconds.
pub(crate) const GRACE_US: i64 = 20 * 1_000_000;

/// The token as the client holds it: 256 random bits.
#[derive(Clone)]
pub struct RefreshToken([u8; 32]);

impl RefreshToken {
    /// A token of these bytes, which must come from a source nobody can predict.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads base64url without padding.
    pub fn parse(text: &str) -> Option<Self> {
        base64url::decode_array(text).map(Self)
    }

    /// Base64url without padding: what the client gets, once.
    pub fn text(&self) -> String {
        base64url::encode(&self.0)
    }

    /// What is stored. A plain hash is enough: 256 random bits cannot be guessed from it.
    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }
}

/// A session that may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Family {
    pub(crate) family_id: Uuid,
    pub(crate) account_id: Uuid,
}

/// What became of a token that was presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spending {
    /// The fresh token is now the newest.
    Rotated(Family),
    /// The token is dead or was never ours.
    Refused,
    /// A copy is about: the session has been ended for everybody.
    Reused(Family),
}

store::statements! {
    INSERT = "insert into refresh_tokens (token_hash, family_id, account_id, issued_at, expires_at)
        values ($1, $2, $3, $4, $5)";
    /// The one place where a token is spent: a second request finds no row.
    SPEND = "update refresh_tokens set spent_at = $2, replaced_by_hash = $3
        where token_hash = $1 and spent_at is null and revoked_at is null and expires_at > $2
        returning family_id, account_id, expires_at";
    /// Takes the row before relying on it, so that racing requests with one token decide one after the other.
    TAKE = "update refresh_tokens set token_hash = token_hash where token_hash = $1
        returning family_id, account_id, expires_at, spent_at, replaced_by_hash, revoked_at";
    /// Takes back a successor nobody has used.
    REVOKE_UNUSED = "update refresh_tokens set revoked_at = $2
        where token_hash = $1 and spent_at is null and revoked_at is null";
    REPLACE_AGAIN = "update refresh_tokens set replaced_by_hash = $2 where token_hash = $1";
    REVOKE_FAMILY = "update refresh_tokens set revoked_at = $2 where family_id = $1 and revoked_at is null";
    FAMILY_OF = "select family_id, account_id from refresh_tokens where token_hash = $1";
    FORGET_EXPIRED = "delete from refresh_tokens where expires_at <= $1";
}

/// Opens a session with its first token.
pub(crate) fn start_family(
    tx: &mut Tx<'_>,
    family: Family,
    token: &RefreshToken,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(FORGET_EXPIRED, params![now_us])?;
    insert(tx, family, token, now_us, now_us + FAMILY_LIFE_US)
}

/// Spends `presented` for `fresh`, or says why not.
pub(crate) fn spend(
    tx: &mut Tx<'_>,
    presented: &RefreshToken,
    fresh: &RefreshToken,
    now_us: i64,
) -> Result<Spending, store::Error> {
    if let Some(row) = tx.query_opt(SPEND, params![presented.hash(), now_us, fresh.hash()])? {
        let family = Family { family_id: row.get(0)?, account_id: row.get(1)? };
        insert(tx, family, fresh, now_us, row.get(2)?)?;
        return Ok(Spending::Rotated(family));
    }
    let Some(row) = tx.query_opt(TAKE, params![presented.hash()])? else {
        return Ok(Spending::Refused);
    };
    let family = Family { family_id: row.get(0)?, account_id: row.get(1)? };
    let expires_us: i64 = row.get(2)?;
    let spent_us: Option<i64> = row.get(3)?;
    let successor: Option<[u8; 32]> = row.get(4)?;
    if expires_us <= now_us {
        return Ok(Spending::Refused);
    }
    let is_in_grace = row.get::<Option<i64>>(5)?.is_none()
        && spent_us.is_some_and(|spent_us| now_us - spent_us <= GRACE_US);
    if let (true, Some(successor)) = (is_in_grace, successor)
        && tx.execute(REVOKE_UNUSED, params![successor, now_us])? == 1
    {
        tx.execute(REPLACE_AGAIN, params![presented.hash(), fresh.hash()])?;
        insert(tx, family, fresh, now_us, expires_us)?;
        return Ok(Spending::Rotated(family));
    }
    // A token of a family that is already dead changes nothing and is no news.
    let ended = tx.execute(REVOKE_FAMILY, params![family.family_id, now_us])?;
    sessions::note_end(tx, family.family_id, now_us)?;
    Ok(if ended == 0 { Spending::Refused } else { Spending::Reused(family) })
}

/// Whose family a token is of, whichever of its tokens it is.
pub(crate) fn family_of(tx: &mut Tx<'_>, token: &RefreshToken) -> Result<Option<Family>, store::Error> {
    let Some(row) = tx.query_opt(FAMILY_OF, params![token.hash()])? else { return Ok(None) };
    Ok(Some(Family { family_id: row.get(0)?, account_id: row.get(1)? }))
}

fn insert(
    tx: &mut Tx<'_>,
    family: Family,
    token: &RefreshToken,
    now_us: i64,
    expires_us: i64,
) -> Result<(), store::Error> {
    let values = params![token.hash(), family.family_id, family.account_id, now_us, expires_us];
    tx.execute(INSERT, values).map(drop)
}
