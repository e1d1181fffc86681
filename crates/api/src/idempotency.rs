//! A decision happens once, however often its request arrives.
//!
//! The client makes a key per decision and sends it as `Idempotency-Key`. The first request with a key decides; its
//! answer is stored in the transaction of its effect. A later request with the same key and the same content gets
//! that answer; one with other content is refused. Two at the same instant are put one after the other by the
//! database. Answers are kept for 24 hours, refusals of a rule included; faults of ours, of the caller's token or of
//! the form of the request are not kept, so that trying again is worth while. An account has a bounded number of kept
//! answers: whoever makes keys without end fills no disk.

mod batch;

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};
use store::{Isolation, Store, Tx, params};
use uuid::Uuid;

use crate::{Problem, kinds};

pub use batch::{Decided, Taken, keep_all, run_all, take_all};

/// How long an answer is kept.
pub const KEPT_US: i64 = 24 * 60 * 60 * 1_000_000;
/// Answers kept for one account; with so many, a new decision is refused until the oldest are forgotten.
pub const KEPT_PER_ACCOUNT_MAX: i64 = 1000;

const KEY_LENGTH_MAX: usize = 64;
/// Rows that [`sweep`] removes in one transaction, so that it never holds others up for long.
const SWEEP_BATCH: u64 = 1000;
/// When to ask again after too many; the oldest answer may be forgotten much later.
const TOO_MANY_RETRY_S: u32 = 3600;
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

store::statements! {
    /// Takes the key: one row if it is new, or was kept longer than promised.
    TAKE = "insert into idempotency_keys (account_id, idempotency_key, fingerprint, status, body, expires_at) \
            values ($1, $2, $3, null, null, $4) \
            on conflict (account_id, idempotency_key) do update \
            set fingerprint = excluded.fingerprint, status = null, body = null, expires_at = excluded.expires_at \
            where idempotency_keys.expires_at <= $5";
    /// How many an account has, those not swept yet included.
    COUNT = "select count(*) from idempotency_keys where account_id = $1";
    /// Lets go of a key just taken.
    RELEASE = "delete from idempotency_keys where account_id = $1 and idempotency_key = $2";
    /// Keeps the answer beside its effect.
    KEEP = "update idempotency_keys set status = $3, body = $4 where account_id = $1 and idempotency_key = $2";
    /// What was answered before.
    RECALL = "select fingerprint, status, body from idempotency_keys where account_id = $1 and idempotency_key = $2";
    /// Forgets what was kept long enough. Asked of each row once more: it may be in use again when its lock is had.
    SWEEP = "delete from idempotency_keys where expires_at <= $1 and (account_id, idempotency_key) in \
             (select account_id, idempotency_key from idempotency_keys where expires_at <= $1 limit $2)";
}

/// Every statement, for the test that shows each to both engines.
#[doc(hidden)]
pub const ALL_STATEMENTS: &[&[&str]] = &[STATEMENTS, batch::STATEMENTS];

/// The client's name for one decision: 1 to 64 visible ASCII characters, best a UUID.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header's value: a quoted string as the draft has it, or the bare text that most clients send.
    pub fn parse(value: &str) -> Result<Self, Problem> {
        let value = value.trim();
        let bare = value.strip_prefix('"').and_then(|it| it.strip_suffix('"')).unwrap_or(value);
        let is_plain = bare.bytes().all(|it| it.is_ascii_graphic() && it != b'"' && it != b'\\');
        if bare.is_empty() || bare.len() > KEY_LENGTH_MAX || !is_plain {
            return Err(kinds::IDEMPOTENCY_KEY_INVALID.detail(format!(
                "1 to {KEY_LENGTH_MAX} visible ASCII characters without quotes or backslash"
            )));
        }
        Ok(Self(bare.to_owned()))
    }

    /// The key without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all("idempotency-key").iter();
        let value = values.next().ok_or_else(|| {
            kinds::IDEMPOTENCY_KEY_MISSING
                .detail("send a new UUID for each decision, and the same one when repeating it")
        })?;
        if values.next().is_some() {
            return Err(kinds::IDEMPOTENCY_KEY_INVALID.detail("the header must stand once"));
        }
        Self::parse(value.to_str().unwrap_or_default())
    }
}

/// A hash of the operation and everything that its effect depends on.
#[derive(Clone, Debug)]
pub struct Fingerprint(Sha256);

impl Fingerprint {
    /// Begins with the operation's name: `POST /lands/{token}/claim`.
    pub fn of(operation: &str) -> Self {
        Self(Sha256::new()).with(operation.as_bytes())
    }

    /// Adds a part of the input; `with(a).with(b)` differs from `with(ab)`.
    #[must_use]
    pub fn with(mut self, part: &[u8]) -> Self {
        self.0.update((part.len() as u64).to_le_bytes());
        self.0.update(part);
        self
    }

    fn finish(&self) -> [u8; 32] {
        self.0.clone().finalize().into()
    }
}

/// One request for a decision.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Who decides; keys of different accounts never meet.
    pub account_id: Uuid,
    /// The client's key.
    pub key: IdempotencyKey,
    /// What is asked.
    pub fingerprint: Fingerprint,
    /// The time.
    pub now_us: i64,
}

/// What was decided, now or before.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// Status of the answer.
    pub status: StatusCode,
    /// Its body.
    pub body: Value,
    /// Whether it was decided by an earlier request.
    pub is_replay: bool,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match serde_json::from_value::<Problem>(self.body.clone()) {
            Ok(problem) if !self.status.is_success() => problem.into_response(),
            _ => (self.status, Json(self.body)).into_response(),
        };
        if self.is_replay {
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        response
    }
}

/// Runs `effect` unless this decision was made before, and keeps its answer with it.
///
/// A refusal by `effect` (an error whose problem has a 4xx status other than 401, 403 and 429) is kept too and comes
/// back as an [`Answer`] when repeated.
pub async fn run<E, F>(
    store: &Store,
    isolation: Isolation,
    decision: Decision,
    mut effect: F,
) -> Result<Answer, Problem>
where
    F: FnMut(&mut Tx<'_>) -> Result<(StatusCode, Value), E> + Send + 'static,
    E: Into<Problem> + From<store::Error> + Send + 'static,
{
    let slot = Slot::of(&decision);
    let in_effect = slot.clone();
    let outcome = store
        .transaction(isolation, move |tx| {
            if let Some(earlier) = in_effect.take(tx)? {
                return Ok(earlier);
            }
            let (status, body) = effect(tx)?;
            in_effect.keep(tx, status, &body)?;
            Ok::<_, E>(Earlier::Answer(Answer { status, body, is_replay: false }))
        })
        .await;
    let refusal = match outcome {
        Ok(earlier) => return earlier.into_result(),
        Err(error) => error.into(),
    };
    if !is_kept(refusal.status()) {
        return Err(refusal);
    }
    // The effect was undone and its key with it; the refusal is kept by itself. If another request with this key was
    // quicker in between, its answer is the one that counts.
    let (status, body) =
        (refusal.status(), serde_json::to_value(&refusal).map_err(|it| Problem::internal(&it))?);
    let earlier = store
        .locked(move |tx| {
            let earlier = slot.take(tx)?;
            if earlier.is_none() {
                slot.keep(tx, status, &body)?;
            }
            Ok::<_, store::Error>(earlier)
        })
        .await?;
    earlier.map_or(Err(refusal), Earlier::into_result)
}

fn is_kept(status: StatusCode) -> bool {
    let is_about_caller =
        matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    status.is_client_error() && !is_about_caller
}

/// Removes all answers that were kept long enough, a batch at a time; how many. To be called now and then.
pub async fn sweep(store: &Store, now_us: i64) -> Result<u64, store::Error> {
    let mut swept = 0;
    loop {
        let batch = store.locked(move |tx| tx.execute(SWEEP, params![now_us, SWEEP_BATCH as i64])).await?;
        swept += batch;
        if batch < SWEEP_BATCH {
            return Ok(swept);
        }
    }
}

/// The row of one key.
#[derive(Clone)]
struct Slot {
    account_id: Uuid,
    key: String,
    fingerprint: [u8; 32],
    now_us: i64,
}

/// What stands against deciding under a key.
enum Earlier {
    Answer(Answer),
    OtherRequest,
    /// It is free, but the account has used up its number.
    TooMany,
}

impl Earlier {
    fn into_result(self) -> Result<Answer, Problem> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::OtherRequest => {
                Err(kinds::IDEMPOTENCY_KEY_REUSED.detail("make a new key for each decision"))
            }
            Self::TooMany => Err(kinds::TOO_MANY_DECISIONS
                .detail(format!("an account can make {KEPT_PER_ACCOUNT_MAX} decisions in 24 hours"))
                .retry_after_s(TOO_MANY_RETRY_S)),
        }
    }
}

impl Slot {
    fn of(decision: &Decision) -> Self {
        let Decision { account_id, key: IdempotencyKey(key), fingerprint, now_us } = decision;
        let fingerprint = fingerprint.finish();
        Self { account_id: *account_id, key: key.clone(), fingerprint, now_us: *now_us }
    }

    fn expires_at(&self) -> i64 {
        self.now_us.saturating_add(KEPT_US)
    }

    /// Makes the key ours, or gives why it cannot be. Another transaction that holds it is waited for.
    fn take(&self, tx: &mut Tx<'_>) -> Result<Option<Earlier>, store::Error> {
        let taken = tx.execute(
            TAKE,
            params![self.account_id, &self.key, self.fingerprint, self.expires_at(), self.now_us],
        )?;
        if taken == 0 {
            return self.recall(tx).map(Some);
        }
        let kept: i64 = tx.query_one(COUNT, params![self.account_id])?.get(0)?;
        if kept > KEPT_PER_ACCOUNT_MAX {
            tx.execute(RELEASE, params![self.account_id, &self.key])?;
            return Ok(Some(Earlier::TooMany));
        }
        Ok(None)
    }

    fn keep(&self, tx: &mut Tx<'_>, status: StatusCode, body: &Value) -> Result<(), store::Error> {
        let status = i64::from(status.as_u16());
        tx.execute(KEEP, params![self.account_id, &self.key, status, body.to_string()])?;
        Ok(())
    }

    fn recall(&self, tx: &mut Tx<'_>) -> Result<Earlier, store::Error> {
        let row = tx.query_one(RECALL, params![self.account_id, &self.key])?;
        if row.get::<[u8; 32]>(0)? != self.fingerprint {
            return Ok(Earlier::OtherRequest);
        }
        let damaged = |what: &str| store::Error::Damaged { detail: format!("kept answer: {what}") };
        let status = u16::try_from(row.get::<i64>(1)?).ok().and_then(|it| StatusCode::from_u16(it).ok());
        let status = status.ok_or_else(|| damaged("no such status"))?;
        let body = serde_json::from_str(&row.get::<String>(2)?).map_err(|_| damaged("not JSON"))?;
        Ok(Earlier::Answer(Answer { status, body, is_replay: true }))
    }
}
