//! Rows of sessions: how each began, whether it goes on. Its tokens are in `refresh_token.rs`.

use store::{Row, Tx, params};
use uuid::Uuid;

use crate::standing::{self, Standing};

/// Open sessions of one account; a further one ends the oldest.
pub const SESSIONS_PER_ACCOUNT_MAX: i64 = 50;

/// How somebody proved who they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SignInMethod {
    /// With a device key.
    Key,
    /// With e-mail and password.
    Password,
    /// With a link sent by mail.
    Email,
    /// At another site.
    Provider,
}

impl SignInMethod {
    /// As it is written in the database and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Password => "password",
            Self::Email => "email",
            Self::Provider => "provider",
        }
    }
}

/// A session as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Its id; stands in its access tokens.
    pub session_id: Uuid,
    /// How it was opened: the name of a [`SignInMethod`].
    pub method: String,
    /// The device key that opened it.
    pub public_key: Option<[u8; 32]>,
    /// Microseconds since 1970.
    pub signed_in_us: i64,
    /// When it last got a new access token.
    pub last_seen_us: i64,
    /// When it ends at the latest.
    pub expires_us: i64,
    /// What the browser called itself, sealed with the account's key.
    pub user_agent: Option<Vec<u8>>,
}

/// A session that begins.
pub(crate) struct NewSession {
    pub(crate) session_id: Uuid,
    pub(crate) account_id: Uuid,
    pub(crate) method: SignInMethod,
    pub(crate) public_key: Option<[u8; 32]>,
    pub(crate) user_agent: Option<Vec<u8>>,
    pub(crate) expires_us: i64,
}

/// What a token's session is worth.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Found {
    pub(crate) account_id: Uuid,
    pub(crate) signed_in_us: i64,
    pub(crate) expires_us: i64,
    pub(crate) is_ended: bool,
    pub(crate) standing: Standing,
}

store::statements! {
    INSERT = "insert into sessions (session_id, account_id, method, public_key, signed_in_at, last_seen_at, \
        expires_at, user_agent) values ($1, $2, $3, $4, $5, $5, $6, $7)";
    FORGET_EXPIRED = "delete from sessions where expires_at <= $1";
    SEEN = "update sessions set last_seen_at = $2 where session_id = $1 and ended_at is null";
    FIND = "select a.role, a.state, a.suspended_until, s.account_id, s.signed_in_at, s.expires_at, s.ended_at \
        from sessions s join accounts a on a.account_id = s.account_id where s.session_id = $1";
    OPEN_OF = "select session_id, method, public_key, signed_in_at, last_seen_at, expires_at, user_agent \
        from sessions where account_id = $1 and ended_at is null and expires_at > $2 \
        order by last_seen_at desc, session_id limit $3";
    /// All but the newest few.
    SURPLUS_OF = "select session_id from sessions where account_id = $1 and ended_at is null \
        and session_id not in (select session_id from sessions where account_id = $1 and ended_at is null \
        order by signed_in_at desc, session_id desc limit $2) order by session_id";
    END = "update sessions set ended_at = $3 where session_id = $1 and account_id = $2 and ended_at is null";
    END_ANY = "update sessions set ended_at = $2 where session_id = $1 and ended_at is null";
    END_ALL = "update sessions set ended_at = $2 where account_id = $1 and ended_at is null \
        and session_id <> $3";
    REVOKE_TOKENS_OF_ACCOUNT = "update refresh_tokens set revoked_at = $2 \
        where account_id = $1 and revoked_at is null and family_id <> $3";
    REVOKE_TOKENS = "update refresh_tokens set revoked_at = $2 where family_id = $1 and revoked_at is null";
    /// Sessions, of those asked for, that do not go on.
    NOT_OPEN = "select rows.session_id from rows(session_id uuid, now timestamptz) \
        left join sessions s on s.session_id = rows.session_id \
        left join accounts a on a.account_id = s.account_id \
        where s.session_id is null or s.ended_at is not null or a.state in ('banned', 'erased') \
        or (a.state = 'suspended' and a.suspended_until > rows.now)";
}

/// Writes a session that begins at `now_us`. Its tokens are the caller's to write.
pub(crate) fn begin(tx: &mut Tx<'_>, session: &NewSession, now_us: i64) -> Result<(), store::Error> {
    tx.execute(FORGET_EXPIRED, params![now_us])?;
    for surplus in tx.query(SURPLUS_OF, params![session.account_id, SESSIONS_PER_ACCOUNT_MAX - 1])? {
        end(tx, session.account_id, surplus.get(0)?, now_us)?;
    }
    let values = params![
        session.session_id,
        session.account_id,
        session.method.name(),
        session.public_key,
        now_us,
        session.expires_us,
        session.user_agent.clone()
    ];
    tx.execute(INSERT, values).map(drop)
}

/// Notes that a session goes on; `false` if it has ended.
pub(crate) fn seen(tx: &mut Tx<'_>, session_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    Ok(tx.execute(SEEN, params![session_id, now_us])? == 1)
}

/// A session with the standing of its account.
pub(crate) fn find(tx: &mut Tx<'_>, session_id: Uuid) -> Result<Option<Found>, store::Error> {
    let Some(row) = tx.query_opt(FIND, params![session_id])? else { return Ok(None) };
    Ok(Some(Found {
        standing: standing::from_row(&row, 0)?,
        account_id: row.get(3)?,
        signed_in_us: row.get(4)?,
        expires_us: row.get(5)?,
        is_ended: row.get::<Option<i64>>(6)?.is_some(),
    }))
}

/// The open sessions of an account, the one used last first.
pub(crate) fn list(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<Vec<SessionRow>, store::Error> {
    let rows = tx.query(OPEN_OF, params![account_id, now_us, SESSIONS_PER_ACCOUNT_MAX])?;
    rows.iter().map(from_row).collect()
}

/// Ends one session of an account; `false` if there is no such open session.
pub(crate) fn end(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    session_id: Uuid,
    now_us: i64,
) -> Result<bool, store::Error> {
    if tx.execute(END, params![session_id, account_id, now_us])? == 0 {
        return Ok(false);
    }
    tx.execute(REVOKE_TOKENS, params![session_id, now_us])?;
    Ok(true)
}

/// Notes that the session of a family has ended; its tokens are the caller's to revoke.
pub(crate) fn note_end(tx: &mut Tx<'_>, session_id: Uuid, now_us: i64) -> Result<(), store::Error> {
    tx.execute(END_ANY, params![session_id, now_us]).map(drop)
}

/// Ends all sessions of an account but `kept`; how many.
pub(crate) fn end_all(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    kept: Option<Uuid>,
    now_us: i64,
) -> Result<u64, store::Error> {
    // No session has the nil id.
    let kept = kept.unwrap_or(Uuid::nil());
    let ended = tx.execute(END_ALL, params![account_id, now_us, kept])?;
    tx.execute(REVOKE_TOKENS_OF_ACCOUNT, params![account_id, now_us, kept])?;
    Ok(ended)
}

fn from_row(row: &Row) -> Result<SessionRow, store::Error> {
    Ok(SessionRow {
        session_id: row.get(0)?,
        method: row.get(1)?,
        public_key: row.get(2)?,
        signed_in_us: row.get(3)?,
        last_seen_us: row.get(4)?,
        expires_us: row.get(5)?,
        user_agent: row.get(6)?,
    })
}

/// Of these sessions, those that do not go on: ended, or of an account that may not be used.
pub(crate) fn not_open(
    tx: &mut Tx<'_>,
    session_ids: &[Uuid],
    now_us: i64,
) -> Result<Vec<Uuid>, store::Error> {
    let rows: Vec<_> = session_ids.iter().map(|id| params![*id, now_us].to_vec()).collect();
    tx.query_rows(NOT_OPEN, &rows)?.iter().map(|row| row.get(0)).collect()
}
