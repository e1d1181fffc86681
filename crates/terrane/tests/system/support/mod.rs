//! The real binary in a temporary folder, and people who use it.
//!
//! Nothing here sleeps for luck: everything waits for a condition and has a deadline.

mod player;
mod postgres;
mod server;
mod traders;

pub(crate) use player::{Account, Answer, Player, garbage};
pub(crate) use postgres::PrivatePostgres;
pub(crate) use server::{Finished, Server, terrane};
pub(crate) use traders::{Outage, Traders};

use std::time::Duration;

/// No single wait is longer; a healthy server answers a hundred times quicker.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Runs an async test, panicking if it takes longer than `DEADLINE` three times over.
pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    run_at_most(3 * DEADLINE, test)
}

/// The same for one that takes its time by design.
pub(crate) fn run_at_most<T>(deadline: Duration, test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(deadline, test).await.expect("the test ends in time") })
}

/// Asks again and again until `condition` gives something.
#[track_caller]
pub(crate) fn wait_for<T, Fut: Future<Output = Option<T>>>(
    what: &str,
    condition: impl FnMut() -> Fut,
) -> impl Future<Output = T> {
    wait_at_most(DEADLINE, what, condition)
}

/// The same for what takes its time by design.
#[track_caller]
pub(crate) fn wait_at_most<T, Fut: Future<Output = Option<T>>>(
    deadline: Duration,
    what: &str,
    mut condition: impl FnMut() -> Fut,
) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    let what = what.to_owned();
    async move {
        let poll = async {
            loop {
                if let Some(found) = condition().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(deadline, poll).await.unwrap_or_else(|_| panic!("{what} never came: {place}"))
    }
}
