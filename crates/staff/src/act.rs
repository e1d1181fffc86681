//! An act: once for its key, with its reason on record, told after it is stored.

use std::sync::{Arc, Mutex, PoisonError};

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use audit::{Actor, Entry};
use axum::http::StatusCode;
use cell::CellId;
use events::NewEvent;
use serde::Serialize;
use serde_json::Value;
use store::{Isolation, Tx};
use uuid::Uuid;

use crate::reason::Reason;
use crate::refusal::Refusal;
use crate::service::{Deps, Staff};

/// The name under which reasons are sealed; the audit log opens them.
pub(crate) const REASON_FIELD: &str = "audit_reason";

/// An act that is asked for.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) key: IdempotencyKey,
    /// What is asked, the reason included.
    pub(crate) fingerprint: Fingerprint,
    /// Notes say for themselves why.
    pub(crate) reason: Option<Reason>,
    pub(crate) isolation: Isolation,
}

/// What an act did.
pub(crate) struct Done {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
    /// For the log: what, to what.
    pub(crate) action: &'static str,
    pub(crate) subject: (&'static str, String),
    pub(crate) details: Value,
    /// Whose key seals the reason: the one whom it is about, if that is an account.
    pub(crate) about: Option<Uuid>,
    pub(crate) news: Vec<NewEvent>,
    /// Whose standing or sessions have changed.
    pub(crate) standing_of: Option<Uuid>,
    /// Which land has changed.
    pub(crate) land: Option<CellId>,
    /// Whether an export or an erasure was asked for.
    pub(crate) is_about_data: bool,
}

impl Done {
    pub(crate) fn new(
        body: &impl Serialize,
        action: &'static str,
        subject: (&'static str, String),
        details: Value,
    ) -> Self {
        let body = serde_json::to_value(body).expect("answers have only text keys and finite numbers");
        Self {
            status: StatusCode::OK,
            body,
            action,
            subject,
            details,
            about: None,
            news: Vec::new(),
            standing_of: None,
            land: None,
            is_about_data: false,
        }
    }
}

/// What is to be told once an act is stored.
#[derive(Clone, Copy, Default)]
struct Told {
    standing_of: Option<Uuid>,
    land: Option<CellId>,
    is_about_data: bool,
}

impl Staff {
    /// Runs `effect` once for its key and puts it on record in the same transaction; then tells who must know.
    pub(crate) async fn act<F>(&self, asked: Asked, mut effect: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Tx<'_>, &Deps, i64) -> Result<Done, Refusal> + Send + 'static,
    {
        let Asked { caller, key, fingerprint, reason, isolation } = asked;
        let now_us = self.deps.clock.now_us();
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let deps = self.deps.clone();
        // The effect may run several times; the last run is the one that was stored.
        let told = Arc::new(Mutex::new(Told::default()));
        let last = Arc::clone(&told);
        let answer = idempotency::run(&self.deps.store, isolation, decision, move |tx| {
            let done = effect(tx, &deps, now_us)?;
            record(tx, &deps, &caller, reason.as_ref(), &done, now_us)?;
            events::record(tx, &done.news, now_us)?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) =
                Told { standing_of: done.standing_of, land: done.land, is_about_data: done.is_about_data };
            Ok::<_, Refusal>((done.status, done.body))
        })
        .await?;
        if !answer.is_replay && answer.status.is_success() {
            let told = *told.lock().unwrap_or_else(PoisonError::into_inner);
            self.tell(told).await;
        }
        Ok(answer)
    }

    async fn tell(&self, told: Told) {
        self.deps.wake.wake();
        if let Some(account_id) = told.standing_of {
            self.deps.identity.standing_changed(account_id);
        }
        if told.is_about_data {
            (self.deps.data_asked)();
        }
        if let Some(lot) = told.land
            && let Err(error) = self.deps.land.tell_changed(lot).await
        {
            // Whoever asks for the land sees it; only those who look on wait for their next question.
            tracing::warn!(%error, "a change of land was not announced");
        }
    }
}

fn record(
    tx: &mut Tx<'_>,
    deps: &Deps,
    caller: &Caller,
    reason: Option<&Reason>,
    done: &Done,
    now_us: i64,
) -> Result<(), store::Error> {
    let sealed_for = done.about.unwrap_or(caller.account_id);
    let reason = reason
        .map(|it| {
            let seal = |bytes: &[u8]| deps.vault.seal(tx, sealed_for, REASON_FIELD, bytes);
            audit::Reason::sealed_by(sealed_for, it.words(), seal)
        })
        .transpose()?;
    let (subject_kind, subject_id) = done.subject.clone();
    audit::record(
        tx,
        &Entry {
            at_us: now_us,
            actor: Actor::account(caller.account_id),
            action: done.action,
            subject_kind,
            subject_id,
            reason,
            details: done.details.clone(),
        },
    )?;
    Ok(())
}
