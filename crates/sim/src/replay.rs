//! A zone made again from a snapshot and the log after it.

use crate::log::{FrameError, Frames, Kind, Record, Records};
use crate::packed::Malformed;
use crate::zone::{EntityId, Zone};
use motion::Ground;
use std::ops::ControlFlow;

/// What a replay went through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Ticks made again.
    pub ticks: u64,
    /// Records done again, ticks included.
    pub records: u64,
    /// Hashes compared: all were equal.
    pub hashes: u64,
    /// The log ends within a frame, as when a process ends while it writes; all before was replayed.
    pub is_torn: bool,
}

/// Why a replay ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The log's bytes were changed.
    #[error(transparent)]
    Damaged(FrameError),
    /// A frame is whole and still no log.
    #[error("after tick {tick} the log is malformed: {cause}")]
    Malformed {
        /// Ticks replayed.
        tick: u64,
        /// What is wrong.
        cause: Malformed,
    },
    /// The log does not go on where the zone is.
    #[error("after tick {tick} a part of the log is missing; it goes on at tick {found}")]
    Gap {
        /// Ticks of the zone.
        tick: u64,
        /// Where the log goes on.
        found: u64,
    },
    /// The log does something that cannot be done to this zone.
    #[error("after tick {tick} the log wants what cannot be, of body {}", entity.0)]
    Impossible {
        /// Ticks replayed.
        tick: u64,
        /// To which body.
        entity: EntityId,
    },
    /// The zone is not what it was.
    #[error("at tick {tick} the state's hash is {found:016x} and was {kept:016x}")]
    Diverged {
        /// When it shows.
        tick: u64,
        /// The hash in the log.
        kept: u64,
        /// The hash of the replayed zone.
        found: u64,
    },
}

impl<G: Ground> Zone<G> {
    /// Does again what a log tells. Records that the zone knows are passed over, so that a log may begin before the
    /// snapshot.
    pub fn replay(&mut self, log: &[u8]) -> Result<Replayed, ReplayError> {
        self.replay_with(log, |_, _| ControlFlow::Continue(()))
    }

    /// [`Zone::replay`] with a look after each tick and after each hash that was compared; may end there.
    pub fn replay_with(
        &mut self,
        log: &[u8],
        mut look: impl FnMut(&Self, Replaying) -> ControlFlow<()>,
    ) -> Result<Replayed, ReplayError> {
        let mut replayed = Replayed::default();
        for frame in Frames::new(log) {
            let body = match frame {
                Ok((Kind::Tick, body)) => body,
                // Where the log is kept with snapshots between.
                Ok((Kind::Snapshot, _)) => continue,
                Err(FrameError::Torn { .. }) => {
                    replayed.is_torn = true;
                    break;
                }
                Err(damaged @ FrameError::Damaged { .. }) => return Err(ReplayError::Damaged(damaged)),
            };
            if self.replay_frame(body, &mut replayed, &mut look)?.is_break() {
                break;
            }
        }
        Ok(replayed)
    }

    fn replay_frame(
        &mut self,
        body: &[u8],
        replayed: &mut Replayed,
        look: &mut impl FnMut(&Self, Replaying) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, ReplayError> {
        let malformed = |tick| move |cause| ReplayError::Malformed { tick, cause };
        let mut records = Records::open(body).map_err(malformed(self.tick))?;
        if records.first > self.noted {
            return Err(ReplayError::Gap { tick: self.tick, found: records.begun_at });
        }
        for _ in records.first..self.noted {
            if records.next().map_err(malformed(self.tick))?.is_none() {
                return Ok(ControlFlow::Continue(()));
            }
        }
        while let Some(record) = records.next().map_err(malformed(self.tick))? {
            replayed.records += 1;
            let looks_at = match record {
                Record::Tick => {
                    self.tick();
                    replayed.ticks += 1;
                    Replaying::Tick
                }
                Record::Hash(kept) => {
                    let (tick, found) = (self.tick, self.state_hash());
                    if kept != found {
                        return Err(ReplayError::Diverged { tick, kept, found });
                    }
                    replayed.hashes += 1;
                    Replaying::Hash(kept)
                }
                other => {
                    self.redo(other)?;
                    continue;
                }
            };
            if look(self, looks_at).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        // Nobody asks a replayed zone what it noticed this time.
        self.incidents.clear();
        Ok(ControlFlow::Continue(()))
    }

    /// Does again what is no tick.
    fn redo(&mut self, record: Record<'_>) -> Result<(), ReplayError> {
        let tick = self.tick;
        let possible = |is_possible: bool, entity| {
            if is_possible { Ok(()) } else { Err(ReplayError::Impossible { tick, entity }) }
        };
        match record {
            Record::Enter { id, mover } => {
                let is_known = self.body(id).is_some();
                possible(!is_known && self.enter(id, mover.into_owned()).is_ok(), id)
            }
            Record::TakeOut { id } => possible(self.take_out(id).is_some(), id),
            Record::Inputs { id, first_seq, inputs } => {
                possible(self.body(id).is_some(), id)?;
                // What was refused then is refused again.
                let _ = self.take_inputs(id, first_seq, &inputs);
                Ok(())
            }
            Record::RestartInputs { id } => possible(self.restart_inputs(id), id),
            Record::SetClosed { id, closed } => possible(self.set_closed(id, closed.into_owned()), id),
            Record::Teleport { id, grant } => possible(self.teleport(id, grant), id),
            Record::Blame { id, offence } => possible(self.blame(id, offence), id),
            Record::NextSeed(seed) => {
                self.set_next_seed(seed);
                Ok(())
            }
            Record::Tick | Record::Hash(_) => unreachable!("they are looked at before"),
        }
    }
}

/// Where a replay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaying {
    /// A tick was made.
    Tick,
    /// The state's hash was compared, and is this.
    Hash(u64),
}
