//! A walk through all of the books in small steps.
//!
//! Each step reads one snapshot, a few thousand rows of it, and goes on where the last one ended, whatever was booked
//! in between: what it looks at never changes afterwards (postings, legs, the chain) or is compared within the step
//! (a balance with its last leg). So a check that never ends costs little, and one in a single snapshot is the same
//! walk without a pause.

use serde::{Deserialize, Serialize};
use store::Tx;
use uuid::Uuid;

use super::{Fault, balances, chain, deeds, postings};

/// Where the walk is; what it will do next.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Walk {
    /// Balances against their legs and holds.
    Balances(balances::Place),
    /// Postings: balanced, and sealed.
    Postings { after: Uuid },
    /// The hashes of the chain.
    Chain(chain::Place),
    /// Deeds: each in one account.
    Deeds { after: String },
    /// Everything was looked at.
    Done,
}

/// Rows looked at in one step, about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Stride(pub(crate) u32);

/// Rows of a step of the checker: some milliseconds.
const STRIDE: Stride = Stride(1_500);

impl ::chain::Walk for Walk {
    type Fault = Fault;

    fn begin() -> Self {
        Self::begin()
    }

    fn is_done(&self) -> bool {
        *self == Self::Done
    }

    fn step(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Fault>, store::Error> {
        self.step_by(tx, STRIDE)
    }

    fn code(fault: &Fault) -> &'static str {
        fault.code()
    }
}

impl Walk {
    pub(crate) fn begin() -> Self {
        Self::Balances(balances::Place::begin())
    }

    /// One step; the faults it met.
    pub(crate) fn step_by(&mut self, tx: &mut Tx<'_>, stride: Stride) -> Result<Vec<Fault>, store::Error> {
        let mut faults = Vec::new();
        *self = match std::mem::replace(self, Self::Done) {
            Self::Balances(place) => match balances::step(tx, place, stride, &mut faults)? {
                Some(place) => Self::Balances(place),
                None => Self::Postings { after: Uuid::nil() },
            },
            Self::Postings { after } => match postings::step(tx, after, stride, &mut faults)? {
                Some(after) => Self::Postings { after },
                None => Self::Chain(chain::Place::begin()),
            },
            Self::Chain(place) => match chain::step(tx, place, stride, &mut faults)? {
                Some(place) => Self::Chain(place),
                None => Self::Deeds { after: String::new() },
            },
            Self::Deeds { after } => match deeds::step(tx, &after, stride, &mut faults)? {
                Some(after) => Self::Deeds { after },
                None => Self::Done,
            },
            Self::Done => Self::Done,
        };
        Ok(faults)
    }
}
