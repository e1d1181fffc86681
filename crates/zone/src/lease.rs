//! The lease on a part of the planet: only its holder simulates it.
//!
//! A lease has an *epoch*, one more each time it is taken. Its holder renews it three times in its life, and stops the world
//! when it could not: nobody else can have taken it before that. It may be taken by anybody when it has run out, and at
//! once by whoever holds the folder of the journal that it was taken with: then its former holder is dead.

use cell::CellId;
use store::{Store, Tx, params};
use uuid::Uuid;

store::statements! {
    LEASE = "select home_id, epoch, expires_at from zone_leases where first_cell = $1 for update";

    TAKE = "insert into zone_leases (first_cell, last_cell, home_id, epoch, expires_at) values ($1, $2, $3, $4, $5)
            on conflict (first_cell) do update set
                last_cell = excluded.last_cell, home_id = excluded.home_id,
                epoch = excluded.epoch, expires_at = excluded.expires_at";

    /// Of the holder of this epoch alone.
    RENEW = "update zone_leases set expires_at = $3 where first_cell = $1 and epoch = $2";
}

/// So long a lease lasts.
pub(crate) const LEASE_S: u64 = 12;
/// So often it is renewed.
pub(crate) const RENEW_S: u64 = 3;
/// The holder stops so long before it ends, for clocks of machines that differ.
pub(crate) const MARGIN_S: u64 = 3;

/// Why no lease was given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LeaseError {
    /// Somebody has it.
    #[error("another process simulates this planet; its lease ends in {ends_in_s} s unless it is renewed")]
    Held {
        /// When it may be tried again.
        ends_in_s: u64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The whole planet.
fn span() -> (i64, i64) {
    let all =
        [0, 5].map(CellId::from_face).map(|face| [face.range_min().to_sql(), face.range_max().to_sql()]);
    let ends = all.as_flattened();
    (*ends.iter().min().expect("four ends"), *ends.iter().max().expect("four ends"))
}

/// Takes the lease on the whole planet for the holder of the journal `home`; gives its epoch.
pub(crate) async fn take(store: &Store, home: Uuid, now_us: i64) -> Result<u64, LeaseError> {
    store.serializable(move |tx| take_in(tx, home, now_us)).await
}

fn take_in(tx: &mut Tx<'_>, home: Uuid, now_us: i64) -> Result<u64, LeaseError> {
    let (first, last) = span();
    let mut epoch = 1;
    if let Some(row) = tx.query_opt(LEASE, params![first])? {
        let (holder, held, expires_us): (Uuid, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if holder != home && expires_us > now_us {
            let ends_in_s = expires_us.abs_diff(now_us).div_ceil(1_000_000);
            return Err(LeaseError::Held { ends_in_s });
        }
        epoch = held + 1;
    }
    tx.execute(TAKE, params![first, last, home, epoch, ends_us(now_us)])?;
    Ok(epoch.unsigned_abs())
}

/// Prolongs it; false if it has been given to somebody else.
pub(crate) async fn renew(store: &Store, epoch: u64, now_us: i64) -> Result<bool, store::Error> {
    set_end(store, epoch, ends_us(now_us)).await
}

/// Lets go of it: the next may have it at once.
pub(crate) async fn release(store: &Store, epoch: u64, now_us: i64) -> Result<bool, store::Error> {
    set_end(store, epoch, now_us).await
}

async fn set_end(store: &Store, epoch: u64, end_us: i64) -> Result<bool, store::Error> {
    let (first, _) = span();
    let epoch = epoch.cast_signed();
    store.locked(move |tx| tx.execute(RENEW, params![first, epoch, end_us]).map(|rows| rows > 0)).await
}

fn ends_us(now_us: i64) -> i64 {
    now_us.saturating_add((LEASE_S * 1_000_000).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MIGRATIONS;
    use store::testing::{for_each_engine, prepare_all};

    const SECOND_US: i64 = 1_000_000;
    const HERE: Uuid = Uuid::from_u128(1);
    const THERE: Uuid = Uuid::from_u128(2);

    #[test]
    fn every_statement_is_understood_by_both_engines() {
        for_each_engine(MIGRATIONS, |store| async move { prepare_all(&store, &[STATEMENTS]).await });
    }

    #[test]
    fn a_second_process_is_refused_until_the_lease_has_run_out_or_was_let_go() {
        for_each_engine(MIGRATIONS, |store| async move {
            assert_eq!(take(&store, HERE, 0).await, Ok(1));
            let refused = take(&store, THERE, 5 * SECOND_US).await;
            assert_eq!(refused, Err(LeaseError::Held { ends_in_s: LEASE_S - 5 }));
            assert_eq!(renew(&store, 1, 10 * SECOND_US).await, Ok(true));
            assert!(take(&store, THERE, 13 * SECOND_US).await.is_err(), "it was renewed");
            assert_eq!(take(&store, THERE, 23 * SECOND_US).await, Ok(2));
            // The first cannot know yet, and is told when it asks.
            assert_eq!(renew(&store, 1, 23 * SECOND_US).await, Ok(false));
            assert_eq!(release(&store, 1, 23 * SECOND_US).await, Ok(false));
            assert!(take(&store, HERE, 24 * SECOND_US).await.is_err());
            assert_eq!(release(&store, 2, 24 * SECOND_US).await, Ok(true));
            assert_eq!(take(&store, HERE, 24 * SECOND_US).await, Ok(3));
        });
    }

    #[test]
    fn whoever_holds_the_journal_of_a_dead_process_need_not_wait() {
        for_each_engine(MIGRATIONS, |store| async move {
            assert_eq!(take(&store, HERE, 0).await, Ok(1));
            assert_eq!(take(&store, HERE, SECOND_US).await, Ok(2));
            assert_eq!(renew(&store, 1, SECOND_US).await, Ok(false));
        });
    }
}
