//! What ends by itself: auctions, listings and offers whose time is up; prices that fall; notices of coming ends.
//!
//! What is due stands in the database. The worker looks for it and handles each in a transaction of its own, which
//! asks again whether it is still so: several workers, a crash between any two steps and a clock that jumps change
//! nothing about how often something ends. One that fails is looked at again next time and stops no other.

use std::time::Duration;

use store::Tx;
use tokio::sync::watch;
use tracing::{error, warn};
use uuid::Uuid;

use crate::auctions::{self, Errand};
use crate::closing;
use crate::deps::Deps;
use crate::listing;
use crate::offering;
use crate::offers;
use crate::refusal::Refusal;
use crate::rules::state::SaleKind;
use crate::sales;

/// How often the worker looks.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many rounds pass between looks for offers whose land has changed: nothing says when that happens.
const ORPHANS_EVERY: u32 = 10;
/// What is due, read at once.
const BATCH: u32 = 100;

/// Works until it is told to stop; what is left undone is in the database.
pub(crate) async fn run(deps: &Deps, mut stop: watch::Receiver<bool>) {
    let mut interval = tokio::time::interval(INTERVAL);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut rounds = 0u32;
    loop {
        tokio::select! {
            _ = interval.tick() => {}
            // A sender that is gone says the same.
            _ = stop.wait_for(|is_stopping| *is_stopping) => return,
        }
        let round = Round { deps, stop: Some(&stop) };
        let done = round.ends().await + round.errands().await;
        let lapsed = if rounds.is_multiple_of(ORPHANS_EVERY) { round.orphans().await } else { 0 };
        if done + lapsed > 0 {
            deps.wake.wake();
        }
        rounds = rounds.wrapping_add(1);
    }
}

/// Does all that is due now; how much that was.
pub(crate) async fn run_due(deps: &Deps) -> usize {
    let round = Round { deps, stop: None };
    let done = round.ends().await + round.errands().await + round.orphans().await;
    deps.wake.wake();
    done
}

/// One look at everything.
struct Round<'a> {
    deps: &'a Deps,
    stop: Option<&'a watch::Receiver<bool>>,
}

/// Handles one thing that is due; whether it still was.
type Handle = fn(&mut Tx<'_>, &Deps, Uuid) -> Result<bool, Refusal>;

impl Round<'_> {
    fn is_stopping(&self) -> bool {
        self.stop.is_some_and(|it| *it.borrow())
    }

    /// Ends of sales and offers.
    async fn ends(&self) -> usize {
        let sales = |tx: &mut Tx<'_>, now_us, after| {
            let due = sales::due(tx, now_us, after, BATCH)?;
            let handle =
                |kind| if kind == SaleKind::Fixed { listing::expire as Handle } else { closing::close };
            Ok(due.into_iter().map(|it| (it.ends_at_us, it.sale_id, handle(it.kind))).collect())
        };
        let offers = |tx: &mut Tx<'_>, now_us, after| {
            let due = offers::due(tx, now_us, after, BATCH)?;
            Ok(due.into_iter().map(|(at_us, id)| (at_us, id, offering::expire as Handle)).collect())
        };
        self.each_due(sales).await + self.each_due(offers).await
    }

    /// Falling prices and notices.
    async fn errands(&self) -> usize {
        let falls = |tx: &mut Tx<'_>, now_us, after| {
            let due = auctions::due(tx, Errand::Fall, now_us, after, BATCH)?;
            Ok(due.into_iter().map(|(at_us, id)| (at_us, id, closing::fall as Handle)).collect())
        };
        let notices = |tx: &mut Tx<'_>, now_us, after| {
            let due = auctions::due(tx, Errand::Notice, now_us, after, BATCH)?;
            Ok(due.into_iter().map(|(at_us, id)| (at_us, id, closing::give_notice as Handle)).collect())
        };
        self.each_due(falls).await + self.each_due(notices).await
    }

    /// Offers whose land is no longer what it was.
    async fn orphans(&self) -> usize {
        let (mut done, mut after) = (0, Uuid::nil());
        while !self.is_stopping() {
            let found = self.deps.store.read(move |tx| offers::orphans(tx, after, BATCH)).await;
            let Some(found) =
                found.map_err(|error| warn!(%error, "orphaned offers were not looked for")).ok()
            else {
                return done;
            };
            let Some(last) = found.last() else { return done };
            after = *last;
            for id in found {
                done += self.handle(id, offering::lapse_orphan).await;
            }
        }
        done
    }

    /// Handles what `find` gives, page by page in the order of when it was due.
    async fn each_due<F>(&self, find: F) -> usize
    where
        F: Fn(&mut Tx<'_>, i64, (i64, Uuid)) -> Result<Vec<(i64, Uuid, Handle)>, store::Error>
            + Copy
            + Send
            + 'static,
    {
        let now_us = self.deps.clock.now_us();
        let (mut done, mut after) = (0, (0, Uuid::nil()));
        while !self.is_stopping() {
            let due = match self.deps.store.read(move |tx| find(tx, now_us, after)).await {
                Ok(due) => due,
                Err(error) => {
                    warn!(%error, "what is due was not looked for");
                    return done;
                }
            };
            let Some((at_us, id, _)) = due.last() else { return done };
            after = (*at_us, *id);
            for (_, id, handle) in due {
                if self.is_stopping() {
                    return done;
                }
                done += self.handle(id, handle).await;
            }
        }
        done
    }

    async fn handle(&self, id: Uuid, handle: Handle) -> usize {
        let deps = self.deps.clone();
        match self.deps.store.locked(move |tx| handle(tx, &deps, id)).await {
            Ok(is_done) => usize::from(is_done),
            Err(Refusal::Store(error)) if error.is_temporary() => {
                warn!(%error, %id, "what is due waits for the database");
                0
            }
            Err(error) => {
                metrics::counter!("terrane_market_due_failures_total").increment(1);
                error!(%error, %id, "what is due cannot be done");
                0
            }
        }
    }
}
