//! The check that never ends.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Store, Tx, params};
use tracing::{error, warn};

/// Steps after which the place is written down: what a start may have to do again.
const STEPS_UNSAVED_MAX: u32 = 50;

/// A way through everything that is to be checked, and how far somebody is on it.
pub trait Walk: Clone + Serialize + DeserializeOwned + Send + 'static {
    /// What can be wrong.
    type Fault: Display + Send + 'static;

    /// The beginning.
    fn begin() -> Self;

    /// Whether everything was looked at.
    fn is_done(&self) -> bool;

    /// One step of some milliseconds, and the faults it met.
    fn step(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Self::Fault>, store::Error>;

    /// The name of a fault's sort.
    fn code(fault: &Self::Fault) -> &'static str;
}

/// Where the state of a check lies.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What is checked, for the log: `the books`.
    pub of: &'static str,
    /// Selects the state, one text.
    pub find: &'static str,
    /// Writes it, `$1`.
    pub save: &'static str,
}

/// Walks through everything again and again, one small step at a time; goes on after a restart where it was.
#[derive(Debug)]
pub struct Checker<W> {
    store: Store,
    place: Place,
    state: State<W>,
    steps_unsaved: u32,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct State<W> {
    walk: W,
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

impl<W: Walk> Checker<W> {
    /// Goes on where the last one was.
    pub async fn open(store: Store, place: Place) -> Result<Self, store::Error> {
        let state = store.read(move |tx| found(tx, place)).await?;
        // Of another version, or none yet.
        let state = state.unwrap_or_else(|| State { walk: W::begin(), faults: 0, last_pass: None });
        Ok(Self { store, place, state, steps_unsaved: 0 })
    }

    /// What the last checker wrote down about itself, without a step: for whoever asks.
    pub fn last(tx: &mut Tx<'_>, place: Place) -> Result<Option<Checked>, store::Error> {
        Ok(found::<W>(tx, place)?.map(|it| it.checked(false)))
    }

    /// One step. Each fault is logged: a person should look.
    pub async fn step(&mut self, now_us: i64) -> Result<Checked, store::Error> {
        let walk = self.state.walk.clone();
        let (walk, faults) = self
            .store
            .read(move |tx: &mut Tx<'_>| {
                // The body may run again: each time from where this step began.
                let mut walk = walk.clone();
                let faults = walk.step(tx)?;
                Ok::<_, store::Error>((walk, faults))
            })
            .await?;
        for fault in &faults {
            error!(%fault, code = W::code(fault), of = self.place.of, "the check found a fault");
        }
        self.state.walk = walk;
        self.state.faults += faults.len() as u64;
        let is_pass_end = self.state.walk.is_done();
        if is_pass_end {
            let pass = Pass { ended_at_us: now_us, faults: self.state.faults };
            self.state = State { walk: W::begin(), faults: 0, last_pass: Some(pass) };
        }
        self.steps_unsaved += 1;
        if is_pass_end || self.steps_unsaved >= STEPS_UNSAVED_MAX {
            self.save().await;
        }
        Ok(self.state.checked(is_pass_end))
    }

    async fn save(&mut self) {
        let state = serde_json::to_string(&self.state).expect("a state has only text keys");
        let Place { of, save, .. } = self.place;
        match self.store.locked(move |tx| tx.execute(save, params![&state])).await {
            Ok(_) => self.steps_unsaved = 0,
            // It is tried again with the next step; lost, it costs some steps done twice.
            Err(error) => warn!(%error, of, "how far the check is was not written down"),
        }
    }
}

impl<W> State<W> {
    fn checked(&self, is_pass_end: bool) -> Checked {
        let of_last_pass = self.last_pass.map_or(0, |it| it.faults);
        let passed_at_us = self.last_pass.map(|it| it.ended_at_us);
        Checked { faults: self.faults.max(of_last_pass), passed_at_us, is_pass_end }
    }
}

fn found<W: Walk>(tx: &mut Tx<'_>, place: Place) -> Result<Option<State<W>>, store::Error> {
    let found: Option<String> = tx.query_opt(place.find, params![])?.map(|row| row.get(0)).transpose()?;
    Ok(found.and_then(|it| serde_json::from_str(&it).ok()))
}
