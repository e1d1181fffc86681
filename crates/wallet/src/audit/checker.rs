//! The check that never ends.

use serde::{Deserialize, Serialize};
use store::{Store, Tx, params};
use tracing::{error, warn};

use super::walk::{Stride, Walk};

/// Rows of one step: some milliseconds.
const STRIDE: Stride = Stride(1_500);
/// Steps after which the place is written down: what a start may have to do again.
const STEPS_UNSAVED_MAX: u32 = 50;

store::statements! {
    /// How far the checker is.
    FIND = "select state from ledger_audit where ledger_audit_id = 1";
    /// Writes it down.
    SAVE = "insert into ledger_audit (ledger_audit_id, state) values (1, $1) \
            on conflict (ledger_audit_id) do update set state = excluded.state";
}

/// Walks through the books again and again, one small step at a time; goes on after a restart where it was.
#[derive(Debug)]
pub struct Checker {
    store: Store,
    state: State,
    steps_unsaved: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct State {
    walk: Walk,
    /// Met in this pass so far.
    faults: u64,
    last_pass: Option<Pass>,
}

/// A pass that came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Pass {
    ended_at_us: i64,
    faults: u64,
}

/// Where the checker stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Faults of the last whole pass or of this one so far, whichever is more: an alarm stays until a whole pass
    /// found nothing.
    pub faults: u64,
    /// When the last whole pass ended.
    pub passed_at_us: Option<i64>,
    /// Whether this step was the last of a pass.
    pub is_pass_end: bool,
}

impl Checker {
    /// Goes on where the last one was.
    pub async fn open(store: Store) -> Result<Self, store::Error> {
        let found: Option<String> =
            store.read(|tx| tx.query_opt(FIND, params![])?.map(|row| row.get(0)).transpose()).await?;
        let state = found.and_then(|it| serde_json::from_str(&it).ok()).unwrap_or_else(|| {
            // Of another version, or none yet.
            State { walk: Walk::begin(), faults: 0, last_pass: None }
        });
        Ok(Self { store, state, steps_unsaved: 0 })
    }

    /// One step. Each fault is logged: a person should look.
    pub async fn step(&mut self, now_us: i64) -> Result<Checked, store::Error> {
        let walk = self.state.walk.clone();
        let (walk, faults) = self
            .store
            .read(move |tx: &mut Tx<'_>| {
                // The body may run again: each time from where this step began.
                let mut walk = walk.clone();
                let faults = walk.step(tx, STRIDE)?;
                Ok::<_, store::Error>((walk, faults))
            })
            .await?;
        for fault in &faults {
            error!(%fault, code = fault.code(), "the books are wrong");
        }
        self.state.walk = walk;
        self.state.faults += faults.len() as u64;
        let is_pass_end = self.state.walk == Walk::Done;
        if is_pass_end {
            let pass = Pass { ended_at_us: now_us, faults: self.state.faults };
            self.state = State { walk: Walk::begin(), faults: 0, last_pass: Some(pass) };
        }
        self.steps_unsaved += 1;
        if is_pass_end || self.steps_unsaved >= STEPS_UNSAVED_MAX {
            self.save().await;
        }
        let of_last_pass = self.state.last_pass.map_or(0, |it| it.faults);
        let passed_at_us = self.state.last_pass.map(|it| it.ended_at_us);
        Ok(Checked { faults: self.state.faults.max(of_last_pass), passed_at_us, is_pass_end })
    }

    async fn save(&mut self) {
        let state = serde_json::to_string(&self.state).expect("a state has only text keys");
        match self.store.locked(move |tx| tx.execute(SAVE, params![&state])).await {
            Ok(_) => self.steps_unsaved = 0,
            // It is tried again with the next step; lost, it costs some steps done twice.
            Err(error) => warn!(%error, "how far the check of the books is was not written down"),
        }
    }
}
