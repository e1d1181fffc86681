//! The rows of erasures: who wants to be forgotten, when that comes true, and how far it is.

use store::{Row, Tx, params};
use uuid::Uuid;

/// How long whoever works on an erasure is believed to.
const LEASE_US: i64 = 10 * 60 * 1_000_000;

store::statements! {
    /// Asks for it, once.
    ADD = "insert into erasures (erasure_id, account_id, state, requested_by, requested_at, due_at, acts_at, attempt_count) \
           values ($1, $2, $3, $4, $5, $6, $6, 0) \
           on conflict (account_id) where state in ('cooling_off', 'erasing', 'settling') do nothing";
    /// The newest of an account.
    FIND = "select erasure_id, account_id, state, requested_at, due_at, waits_for from erasures \
            where account_id = $1 order by erasure_id desc limit 1";
    /// Takes it back while that is possible.
    CANCEL = "update erasures set state = 'cancelled', cancelled_at = $2, acts_at = null \
              where account_id = $1 and state = 'cooling_off'";
    /// One on which there is something to do.
    DUE = "select erasure_id, account_id, state, requested_at, due_at, waits_for from erasures \
           where acts_at <= $1 order by acts_at limit 1 for update";
    /// Takes it; from here on it is not taken back.
    LEASE = "update erasures set acts_at = $2, attempt_count = attempt_count + 1, \
             state = case when state = 'cooling_off' then 'erasing' else state end where erasure_id = $1";
    /// Notes a step.
    STEP = "insert into erasure_steps (erasure_id, step, done_at) values ($1, $2, $3) \
            on conflict (erasure_id, step) do update set done_at = excluded.done_at";
    /// Goes on later.
    WAIT = "update erasures set state = 'settling', acts_at = $2, waits_for = $3 \
            where erasure_id = $1 and state in ('erasing', 'settling')";
    /// It is done.
    FINISH = "update erasures set state = 'done', finished_at = $2, acts_at = null, waits_for = null \
              where erasure_id = $1 and state in ('erasing', 'settling')";
    /// Whether an account was forgotten, or is being.
    IS_ERASED = "select erasure_id from erasures \
                 where account_id = $1 and state in ('erasing', 'settling', 'done') limit 1";
    /// How many should have been done by then.
    OVERDUE = "select count(*) from erasures where state in ('erasing', 'settling') and due_at <= $1";
}

/// Where an erasure is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErasureState {
    /// It can be taken back.
    CoolingOff,
    /// It was taken back.
    Cancelled,
    /// It is being done.
    Erasing,
    /// What is personal is gone; something that runs by the rules of the world is waited for.
    Settling,
    /// It is done.
    Done,
}

impl ErasureState {
    const ALL: [Self; 5] = [Self::CoolingOff, Self::Cancelled, Self::Erasing, Self::Settling, Self::Done];

    /// Its name in the database and in answers.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CoolingOff => "cooling_off",
            Self::Cancelled => "cancelled",
            Self::Erasing => "erasing",
            Self::Settling => "settling",
            Self::Done => "done",
        }
    }
}

/// Somebody's wish to be forgotten.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// Its id.
    pub erasure_id: Uuid,
    /// Whose.
    pub account_id: Uuid,
    /// Where it is.
    pub state: ErasureState,
    /// When it was asked for.
    pub requested_us: i64,
    /// When it comes true.
    pub due_us: i64,
    /// What is waited for: a code.
    pub waits_for: Option<String>,
}

/// Asks that an account be forgotten once it has cooled off; if that was asked before, that one stays.
pub fn request_erasure(
    tx: &mut Tx<'_>,
    account_id: Uuid,
    requested_by: Uuid,
    cooling_off_us: i64,
    now_us: i64,
) -> Result<Erasure, store::Error> {
    let due_us = now_us.saturating_add(cooling_off_us);
    let state = ErasureState::CoolingOff.code();
    tx.execute(ADD, params![Uuid::now_v7(), account_id, state, requested_by, now_us, due_us])?;
    erasure(tx, account_id)?.ok_or(store::Error::NoRow)
}

/// Takes it back; `false` if there is none that can be.
pub fn cancel_erasure(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    Ok(tx.execute(CANCEL, params![account_id, now_us])? == 1)
}

/// Somebody has signed in: whoever comes back is not forgotten. To be called in the transaction that opens their
/// session; `false` if nothing was to be taken back.
pub fn signed_in(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    cancel_erasure(tx, account_id, now_us)
}

/// The newest erasure of an account.
pub fn erasure(tx: &mut Tx<'_>, account_id: Uuid) -> Result<Option<Erasure>, store::Error> {
    tx.query_opt(FIND, params![account_id])?.as_ref().map(from_row).transpose()
}

/// One that is asked for and is not cooling off, for an account that an older copy of the database still has; `false`
/// if this database knows that it was forgotten.
pub(crate) fn reapply(tx: &mut Tx<'_>, account_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    if tx.query_opt(IS_ERASED, params![account_id])?.is_some() {
        return Ok(false);
    }
    cancel_erasure(tx, account_id, now_us)?;
    let state = ErasureState::Erasing.code();
    Ok(tx.execute(ADD, params![Uuid::now_v7(), account_id, state, account_id, now_us, now_us])? == 1)
}

/// Takes an erasure on which there is something to do.
pub(crate) fn lease(tx: &mut Tx<'_>, now_us: i64) -> Result<Option<Erasure>, store::Error> {
    let Some(row) = tx.query_opt(DUE, params![now_us])? else { return Ok(None) };
    let erasure = from_row(&row)?;
    tx.execute(LEASE, params![erasure.erasure_id, now_us.saturating_add(LEASE_US)])?;
    Ok(Some(erasure))
}

pub(crate) fn note_step(
    tx: &mut Tx<'_>,
    erasure_id: Uuid,
    step: &str,
    now_us: i64,
) -> Result<(), store::Error> {
    tx.execute(STEP, params![erasure_id, step, now_us]).map(drop)
}

pub(crate) fn wait(
    tx: &mut Tx<'_>,
    erasure_id: Uuid,
    until_us: i64,
    waits_for: &str,
) -> Result<(), store::Error> {
    tx.execute(WAIT, params![erasure_id, until_us, waits_for]).map(drop)
}

/// Notes that it is done; `false` if that was noted before.
pub(crate) fn finish(tx: &mut Tx<'_>, erasure_id: Uuid, now_us: i64) -> Result<bool, store::Error> {
    Ok(tx.execute(FINISH, params![erasure_id, now_us])? == 1)
}

pub(crate) fn overdue(tx: &mut Tx<'_>, before_us: i64) -> Result<i64, store::Error> {
    tx.query_one(OVERDUE, params![before_us])?.get(0)
}

fn from_row(row: &Row) -> Result<Erasure, store::Error> {
    let code: String = row.get(2)?;
    let state = ErasureState::ALL.into_iter().find(|it| it.code() == code);
    let state =
        state.ok_or_else(|| store::Error::Damaged { detail: "erasures: no such state".to_owned() })?;
    Ok(Erasure {
        erasure_id: row.get(0)?,
        account_id: row.get(1)?,
        state,
        requested_us: row.get(3)?,
        due_us: row.get(4)?,
        waits_for: row.get(5)?,
    })
}
