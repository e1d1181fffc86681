//! Rounds over all parcels, a page at a time, each round once.
//!
//! Rounds of a kind are numbered by the clock: number *n* is for the *n*-th period since 1970. A clock that jumps on is
//! caught up with for a bounded number of rounds; one that is set back finds its rounds done.

use cell::CellId;
use store::{Tx, params};

use crate::terms::CATCH_UP_MAX;

store::statements! {
    /// The last one that was begun.
    LAST = "select round_number, is_done from tenure_rounds where kind = $1 order by round_number desc limit 1";
    /// Begins one.
    BEGIN = "insert into tenure_rounds (kind, round_number, after_parcel, is_done) values ($1, $2, null, $3) \
             on conflict (kind, round_number) do nothing";
    /// Takes one until the end of the transaction.
    TAKE = "update tenure_rounds set is_done = is_done where kind = $1 and round_number = $2 \
            returning after_parcel, is_done";
    /// Moves one on.
    MOVE = "update tenure_rounds set after_parcel = $3, is_done = $4 where kind = $1 and round_number = $2";
    /// Forgets those long done.
    FORGET = "delete from tenure_rounds where kind = $1 and round_number < $2 and is_done";
}

/// Rounds that are remembered.
const KEPT: i64 = 10;

/// The number of the round that is to be worked on while round `current` is the one of the clock; none if all are done.
pub(crate) fn next(tx: &mut Tx<'_>, kind: &'static str, current: i64) -> Result<Option<i64>, store::Error> {
    let Some(row) = tx.query_opt(LAST, params![kind])? else {
        // The first of all: what is under way was begun without us.
        tx.execute(BEGIN, params![kind, current, true])?;
        return Ok(None);
    };
    let (last, is_done): (i64, bool) = (row.get(0)?, row.get(1)?);
    if !is_done {
        return Ok(Some(last));
    }
    if last >= current {
        return Ok(None);
    }
    let number = (last + 1).max(current - CATCH_UP_MAX as i64 + 1);
    tx.execute(BEGIN, params![kind, number, false])?;
    tx.execute(FORGET, params![kind, number - KEPT])?;
    Ok(Some(number))
}

/// Where a round is.
pub(crate) enum Place {
    /// At its beginning, or after this parcel.
    After(Option<CellId>),
    /// At its end.
    Done,
}

/// Takes a round.
pub(crate) fn take(tx: &mut Tx<'_>, kind: &'static str, number: i64) -> Result<Place, store::Error> {
    let row = tx.query_one(TAKE, params![kind, number])?;
    let after: Option<i64> = row.get(0)?;
    let is_done: bool = row.get(1)?;
    Ok(if is_done { Place::Done } else { Place::After(after.and_then(CellId::from_sql)) })
}

/// Writes down how far it is; without a parcel it is done.
pub(crate) fn advance(
    tx: &mut Tx<'_>,
    kind: &'static str,
    number: i64,
    to: Option<CellId>,
) -> Result<(), store::Error> {
    tx.execute(MOVE, params![kind, number, to.map(CellId::to_sql), to.is_none()]).map(drop)
}
