//! Decisions: once per key, in one transaction, told after it.

use std::sync::{Arc, Mutex, PoisonError};

use api::idempotency::{self, Answer, Decision, Fingerprint};
use api::{Caller, IdempotencyKey, Problem};
use axum::http::StatusCode;
use cell::CellId;
use events::{Audience, NewEvent};
use serde::Serialize;
use serde_json::{Value, json};
use store::{Isolation, Tx};
use uuid::Uuid;

use crate::rules::Refusal;
use crate::seen::Seen;
use crate::service::{Deps, LandService, LotEvent};

/// What a decision did.
pub(crate) struct Done {
    status: StatusCode,
    body: Value,
    /// Whom to show what, once it is stored.
    changed: Vec<LotEvent>,
}

impl Done {
    pub(crate) fn new(status: StatusCode, body: &impl Serialize, changed: Vec<LotEvent>) -> Self {
        let body = serde_json::to_value(body).expect("answers have only text keys and finite numbers");
        Self { status, body, changed }
    }
}

/// A decision about to be made.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: Fingerprint,
}

impl Asked {
    /// A name for its posting, unique for ever whatever becomes of the land later.
    pub(crate) fn client_id(&self, what: &str) -> String {
        format!("{what}:{}:{}", self.caller.account_id, self.key.as_str())
    }
}

impl LandService {
    /// Runs `effect` once for its key; then tells who listens.
    pub(crate) async fn decide<F>(&self, asked: Asked, mut effect: F) -> Result<Answer, Problem>
    where
        F: FnMut(&mut Tx<'_>, &Deps, i64) -> Result<Done, Refusal> + Send + 'static,
    {
        let now_us = self.deps.clock.now_us();
        let Asked { caller, key, fingerprint } = asked;
        let decision = Decision { account_id: caller.account_id, key, fingerprint, now_us };
        let deps = self.deps.clone();
        // The effect may run several times; the last run is the one that was stored.
        let changed = Arc::new(Mutex::new(Vec::new()));
        let last = Arc::clone(&changed);
        let answer = idempotency::run(&self.deps.store, Isolation::Locked, decision, move |tx| {
            let done = effect(tx, &deps, now_us)?;
            *last.lock().unwrap_or_else(PoisonError::into_inner) = done.changed;
            Ok::<_, Refusal>((done.status, done.body))
        })
        .await?;
        if !answer.is_replay && answer.status.is_success() {
            self.deps.wake.wake();
            for event in std::mem::take(&mut *changed.lock().unwrap_or_else(PoisonError::into_inner)) {
                self.tell(event);
            }
        }
        Ok(answer)
    }
}

/// Tokens that an event lists; who needs more asks for the parcel.
const TOKENS_MAX: usize = 64;

/// Something that happened to a parcel, for those near it. `more` is an object with what else there is to say.
pub(crate) fn happened(kind: &'static str, seen: &Seen, more: Value) -> NewEvent {
    let facts = &seen.facts;
    let cells: Vec<String> = seen.cells.iter().take(TOKENS_MAX).map(|it| it.token()).collect();
    let data = json!({
        "parcel": facts.anchor.token(),
        "owner_id": facts.owner_id,
        "owner_name": seen.owner.display_name,
        "name": facts.name,
        "cell_count": facts.cells,
        "cells": cells,
    });
    NewEvent { kind, audience: Audience::Near(facts.anchor), data: merged(data, more) }
}

/// Both objects in one.
pub(crate) fn merged(mut data: Value, more: Value) -> Value {
    if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
        data.extend(more);
    }
    data
}

/// What a parcel is now, for those who see it.
pub(crate) fn changed(seen: &Seen) -> LotEvent {
    LotEvent {
        lot: seen.facts.anchor,
        owner_id: Some(seen.facts.owner_id),
        owner_name: seen.owner.display_name.clone(),
        name: seen.facts.name.clone(),
    }
}

/// A lot that is nobody's any more.
pub(crate) fn freed(lot: CellId) -> LotEvent {
    LotEvent { lot, owner_id: None, owner_name: String::new(), name: None }
}

/// Whether an account may act for an owner: itself, or a group that lets it.
pub(crate) fn may_act(
    tx: &mut Tx<'_>,
    deps: &Deps,
    owner_id: Uuid,
    actor: Uuid,
) -> Result<bool, store::Error> {
    Ok(owner_id == actor || (deps.authority)(tx, owner_id, actor)?)
}
