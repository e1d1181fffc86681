//! A player's inputs on their way to the body.
//!
//! One input is one step of 1/30 s, so a tick normally applies one. A body whose inputs were late may catch up from its
//! queue, within a token bucket: nobody gains time. A silent player's body waits a third of a second, as its inputs
//! are likely on their way, and then comes to rest.

use motion::Input;
use std::collections::VecDeque;

/// Inputs waiting for their tick. More are refused.
pub const INPUTS_QUEUED_MAX: usize = 64;
/// How far a batch may be numbered ahead of the last input: 30 s of lost messages.
pub const INPUTS_AHEAD_MAX: u32 = 900;

/// A queue longer than this is shortened by two steps in a tick.
const CALM_QUEUE: usize = 4;
/// Ticks without an input before the body is advanced without one.
const PATIENCE_TICKS: u32 = 10;

/// Tokens are counted in hundredths of a step: the rate of ticks and two per cent for clocks that run fast.
const STEP_TOKENS: u32 = 100;
const TOKENS_PER_TICK: u32 = 102;
const TOKENS_MAX: u32 = 10 * STEP_TOKENS;

/// Why inputs were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Numbered too far ahead.
    #[error("input {seq} is more than {INPUTS_AHEAD_MAX} ahead of {last}")]
    TooFarAhead {
        /// First number of the batch.
        seq: u32,
        /// The last input known.
        last: u32,
    },
    /// More inputs than time.
    #[error("more than {INPUTS_QUEUED_MAX} inputs are waiting")]
    QueueFull,
    /// There is no such body.
    #[error("there is no such body")]
    NoBody,
}

/// The inputs of one body.
#[derive(Clone, Debug)]
pub(crate) struct Control {
    queue: VecDeque<(u32, Input)>,
    last_seq: u32,
    applied_seq: u32,
    tokens: u32,
    silent_ticks: u32,
}

impl Default for Control {
    fn default() -> Self {
        Self { queue: VecDeque::new(), last_seq: 0, applied_seq: 0, tokens: TOKENS_MAX, silent_ticks: 0 }
    }
}

impl Control {
    /// Number of the last input applied to the body.
    pub(crate) fn applied_seq(&self) -> u32 {
        self.applied_seq
    }

    /// Queues a batch. Inputs known already are left out; missing ones are never made up for.
    pub(crate) fn take(&mut self, first_seq: u32, inputs: &[Input]) -> Result<(), InputError> {
        if first_seq > self.last_seq.saturating_add(INPUTS_AHEAD_MAX) {
            return Err(InputError::TooFarAhead { seq: first_seq, last: self.last_seq });
        }
        for (seq, input) in (first_seq..).zip(inputs) {
            if seq <= self.last_seq {
                continue;
            }
            if self.queue.len() >= INPUTS_QUEUED_MAX {
                return Err(InputError::QueueFull);
            }
            self.queue.push_back((seq, *input));
            self.last_seq = seq;
        }
        Ok(())
    }

    /// Forgets what waits: the player begins anew after the last input applied.
    pub(crate) fn restart(&mut self) {
        self.queue.clear();
        self.last_seq = self.applied_seq;
        self.silent_ticks = 0;
    }

    /// Gives the steps of this tick one after the other to `step`.
    pub(crate) fn tick(&mut self, mut step: impl FnMut(Input)) {
        self.tokens = (self.tokens + TOKENS_PER_TICK).min(TOKENS_MAX);
        if self.queue.is_empty() {
            self.silent_ticks = self.silent_ticks.saturating_add(1);
            if self.silent_ticks > PATIENCE_TICKS {
                self.tokens -= STEP_TOKENS;
                step(Input::NEUTRAL);
            }
            return;
        }
        self.silent_ticks = 0;
        let wanted = if self.queue.len() > CALM_QUEUE { 2 } else { 1 };
        for _ in 0..wanted {
            if self.tokens < STEP_TOKENS {
                break;
            }
            let Some((seq, input)) = self.queue.pop_front() else { break };
            self.tokens -= STEP_TOKENS;
            self.applied_seq = seq;
            step(input);
        }
    }

    /// Everything that decides what happens next, for the state hash.
    pub(crate) fn words(&self) -> impl Iterator<Item = u64> {
        let queued = self.queue.iter().map(|(seq, input)| {
            let [x, y, z] = input.heading.map(|part| u64::from(part.cast_unsigned()));
            u64::from(*seq).wrapping_mul(31) ^ u64::from(input.buttons.0) ^ x << 8 ^ y << 24 ^ z << 40
        });
        [self.last_seq, self.applied_seq, self.tokens, self.silent_ticks]
            .into_iter()
            .map(u64::from)
            .chain(queued)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use motion::Buttons;
    use proptest::prelude::*;

    fn input(n: u8) -> Input {
        Input { buttons: Buttons(n), heading: [0; 3] }
    }

    fn tick(control: &mut Control) -> Vec<u8> {
        let mut steps = vec![];
        control.tick(|input| steps.push(input.buttons.0));
        steps
    }

    #[test]
    fn duplicates_and_old_inputs_are_ignored_and_gaps_accepted() {
        let mut control = Control::default();
        control.take(1, &[input(1), input(2)]).unwrap();
        control.take(1, &[input(9), input(9), input(3)]).unwrap();
        control.take(2, &[input(9)]).unwrap();
        control.take(7, &[input(7)]).unwrap();
        let steps: Vec<_> = (0..5).flat_map(|_| tick(&mut control)).collect();
        assert_eq!(steps, [1, 2, 3, 7]);
        assert_eq!(control.applied_seq(), 7);
    }

    #[test]
    fn inputs_far_ahead_and_beyond_the_queue_are_refused() {
        let mut control = Control::default();
        let ahead = control.take(INPUTS_AHEAD_MAX + 1, &[input(1)]);
        assert_eq!(ahead, Err(InputError::TooFarAhead { seq: INPUTS_AHEAD_MAX + 1, last: 0 }));
        assert_eq!(control.take(u32::MAX - 20, &[input(1); 16]).map_err(|_| ()), Err(()));
        for first in (1..).step_by(16).take(4) {
            control.take(first, &[input(1); 16]).unwrap();
        }
        assert_eq!(control.take(65, &[input(1)]), Err(InputError::QueueFull));
    }

    #[test]
    fn a_silent_body_waits_ten_ticks_and_is_then_advanced_without_wishes() {
        let mut control = Control::default();
        for _ in 0..PATIENCE_TICKS {
            assert_eq!(tick(&mut control), []);
        }
        assert_eq!(tick(&mut control), [0]);
        control.take(1, &[input(5)]).unwrap();
        assert_eq!(tick(&mut control), [5]);
        assert_eq!(tick(&mut control), []);
    }

    #[test]
    fn a_restart_forgets_what_waits_and_goes_on_after_the_last_applied() {
        let mut control = Control::default();
        control.take(1, &[input(1), input(2), input(3)]).unwrap();
        tick(&mut control);
        control.restart();
        assert_eq!(control.applied_seq(), 1);
        control.take(2, &[input(8)]).unwrap();
        assert_eq!(tick(&mut control), [8]);
    }

    proptest! {
        #[test]
        fn nobody_gains_time(batches in prop::collection::vec(prop::option::of(1..17_usize), 300)) {
            let mut control = Control::default();
            let mut seq = 1;
            let mut steps = 0;
            for (ticks, batch) in (1..).zip(batches) {
                if let Some(count) = batch {
                    let _ = control.take(seq, &vec![input(1); count]);
                    seq = control.last_seq + 1;
                }
                steps += tick(&mut control).len();
                prop_assert!(steps <= 10 + ticks * 102 / 100, "{steps} steps in {ticks} ticks");
            }
        }
    }
}
