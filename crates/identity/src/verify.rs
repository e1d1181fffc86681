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
use crate::api_keys::{self, API_KEY_PREFIX, FoundKey};
use crate::service::Identity;
use crate::sessions::{self, Found};
use crate::standing::{Barred, Standing};

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
    keys: Cache<[u8; 32], (FoundKey, Instant)>,
    /// Goes up with each change: what was read before it is not remembered after it.
    changes: AtomicU64,
}

impl Known {
    pub(crate) fn new() -> Self {
        let (sessions, keys) = (Cache::new(REMEMBERED_MAX), Cache::new(REMEMBERED_MAX));
        Self { inner: Arc::new(Inner { sessions, keys, changes: AtomicU64::new(0) }) }
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

    /// The API key with this hash; and whether the database was asked for it.
    async fn key(&self, store: &Store, hash: [u8; 32]) -> Result<Option<(FoundKey, bool)>, store::Error> {
        if let Some((found, at)) = self.inner.keys.get(&hash)
            && at.elapsed() < BELIEVED_FOR
        {
            return Ok(Some((found, false)));
        }
        let (asked_at, changes) = (Instant::now(), self.inner.changes.load(Ordering::SeqCst));
        let found = store.read(move |tx| api_keys::find(tx, hash)).await?;
        if let Some(found) = found
            && self.inner.changes.load(Ordering::SeqCst) == changes
        {
            self.inner.keys.insert(hash, (found, asked_at));
        }
        Ok(found.map(|found| (found, true)))
    }

    /// Forgets everything about an account.
    pub(crate) fn forget(&self, account_id: Uuid) {
        self.inner.changes.fetch_add(1, Ordering::SeqCst);
        self.inner.sessions.retain(|_, (found, _)| found.account_id != account_id);
        self.inner.keys.retain(|_, (found, _)| found.account_id != account_id);
    }
}

impl Identity {
    /// The caller that an access token or an API key stands for.
    pub async fn verify_token(&self, token: &str) -> Result<Caller, TokenFault> {
        if token.starts_with(API_KEY_PREFIX) {
            return self.verify_api_key(token).await;
        }
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
        may_be_used(found.standing, now_us)?;
        Ok(Caller {
            account_id: bearer.account_id,
            session_id: bearer.session_id,
            role: found.standing.role,
            scopes: Scopes::PERSON,
            signed_in_at_s: found.signed_in_us.div_euclid(1_000_000),
        })
    }

    async fn verify_api_key(&self, token: &str) -> Result<Caller, TokenFault> {
        let hash = api_keys::hash_of(token).ok_or(TokenFault::Invalid)?;
        let found = self.known.key(&self.deps.store, hash).await.map_err(TokenFault::Unavailable)?;
        let (key, is_asked) = found.ok_or(TokenFault::Invalid)?;
        let now_us = self.now_us();
        if key.expires_us <= now_us {
            return Err(TokenFault::Expired);
        }
        may_be_used(key.standing, now_us)?;
        if is_asked && key.is_use_news(now_us) {
            self.note_use(key.api_key_id).await.map_err(TokenFault::Unavailable)?;
        }
        Ok(Caller {
            account_id: key.account_id,
            session_id: key.api_key_id,
            role: key.standing.role,
            scopes: key.scopes,
            // A machine never signs in.
            signed_in_at_s: 0,
        })
    }

    /// To be called after a commit that changed the role, the state or the sessions of an account: it counts at once
    /// for the requests and the open sockets of this process.
    pub fn standing_changed(&self, account_id: Uuid) {
        self.known.forget(account_id);
        self.watched.look_again();
    }
}

fn may_be_used(standing: Standing, now_us: i64) -> Result<(), TokenFault> {
    standing.state.check(now_us).map_err(|barred| match barred {
        Barred::Suspended { until_us } => TokenFault::Suspended { until_us },
        Barred::Erased => TokenFault::Invalid,
    })
}

impl TokenVerifier for Identity {
    fn verify<'a>(&'a self, token: &'a str) -> Verification<'a> {
        Box::pin(self.verify_token(token))
    }
}
