//! Postings that arrive together share a commit.

use api::SharedClock;
use ledger::Posting;
use store::{Group, Isolation, Store, Tx};

use crate::{PostError, Posted, post_all};

/// Postings that share a commit at most.
const TOGETHER_MAX: usize = 512;

/// Books postings one by one for many callers: those that wait while the last commit runs go into the next one
/// together, each with its own fate. For postings that stand alone; what must happen together with other things is
/// booked in the transaction of those.
#[derive(Debug)]
pub struct Books {
    group: Group<Posting, Result<Posted, PostError>>,
}

impl Books {
    /// Starts the group, inside a runtime.
    pub fn start(store: Store, clock: SharedClock) -> Self {
        let body = move |tx: &mut Tx<'_>, postings: &[Posting]| post_all(tx, postings, clock.now_us());
        Self { group: Group::start(store, "postings", Isolation::Locked, TOGETHER_MAX, body) }
    }

    /// Books a posting, see [`crate::post`]; the answer is on disk.
    pub async fn post(&self, posting: Posting) -> Result<Posted, PostError> {
        self.group.submit(posting).await?
    }

    /// Refuses further postings and waits until those accepted are booked.
    pub async fn close(&self) {
        self.group.close().await;
    }
}
