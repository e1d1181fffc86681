//! Who a token speaks for now: what it says, and what the database says of its session and account.
//!
//! The database is asked at most once in [`BELIEVED_FOR`] for each session; what this process changes itself it
//! forgets at once. So an ended session is refused here immediately and on other nodes within that time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use api::{Caller, Scopes, TokenFault, TokenVerifier, Verification};
use quick_cache::sync::Cache;
use store::Store;
use uuid::Uuid;

use crate::access_token::AccessTokenError;
use crate::service::Identity;
use crate::sessions::{self, Found};
use crate::standing::Barred;

/// How long an answer of the database is believed.
pub const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// Sessions remembered at once; those asked for least are forgotten first.
const REMEMBERED_MAX: usize = 100_000;

/// What is known of sessions.
#[derive(Clone)]
pub(crate) struct Known {
    inner: Arc<Inner>,
}

struct Inner {
    sessions: Cache<Uuid, (Found, Instant)>,
    /// Goes up with each change: what was read before it is not remembered after it.
    changes: AtomicU64,
}

impl Known {
    pub(crate) fn new() -> Self {
        Self { inner: Arc::new(Inner { sessions: Cache::new(REMEMBERED_MAX), changes: AtomicU64::new(0) }) }
    }

    /// The session of a token, with the standing of its account.
    pub(crate) async fn session(
        &self,
        store: &Store,
        session_id: Uuid,
    ) -> Result<Option<Found>, store::Error> {
        if let Some((found, at)) = self.inner.sessions.get(&session_id)
            && at.elapsed() < BELIEVED_FOR
        {
            return Ok(Some(found));
        }
        // Both before the question: an answer is as old as the moment in which it was asked for.
        let (asked_at, changes) = (Instant::now(), self.inner.changes.load(Ordering::SeqCst));
        let found = store.read(move |tx| sessions::find(tx, session_id)).await?;
        if let Some(found) = found
            && self.inner.changes.load(Ordering::SeqCst) == changes
        {
            self.inner.sessions.insert(session_id, (found, asked_at));
        }
        Ok(found)
    }

    /// Forgets everything about an account.
    pub(crate) fn forget(&self, account_id: Uuid) {
        self.inner.changes.fetch_add(1, Ordering::SeqCst);
        self.inner.sessions.retain(|_, (found, _)| found.account_id != account_id);
    }
}

impl Identity {
    /// The caller that an access token or an API key stands for.
    pub async fn verify_token(&self, token: &str) -> Result<Caller, TokenFault> {
        let bearer = self.check_access_token(token).map_err(|error| match error {
            AccessTokenError::Expired => TokenFault::Expired,
            AccessTokenError::Invalid => TokenFault::Invalid,
        })?;
        let found = self.known.session(&self.deps.store, bearer.session_id).await;
        let found = found.map_err(TokenFault::Unavailable)?.ok_or(TokenFault::Invalid)?;
        let now_us = self.now_us();
        if found.account_id != bearer.account_id || found.is_ended || found.expires_us <= now_us {
            return Err(TokenFault::Invalid);
        }
        found.standing.state.check(now_us).map_err(|barred| match barred {
            Barred::Suspended { until_us } => TokenFault::Suspended { until_us },
            Barred::Erased => TokenFault::Invalid,
        })?;
        Ok(Caller {
            account_id: bearer.account_id,
            session_id: bearer.session_id,
            role: found.standing.role,
            scopes: Scopes::PERSON,
            signed_in_at_s: found.signed_in_us.div_euclid(1_000_000),
        })
    }

    /// To be called after a commit that changed the role, the state or the sessions of an account: it counts at once
    /// for the requests and the open sockets of this process.
    pub fn standing_changed(&self, account_id: Uuid) {
        self.known.forget(account_id);
        self.watched.look_again();
    }
}

impl TokenVerifier for Identity {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(self.verify_token(token))
    }
}
