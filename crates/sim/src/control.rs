//! A player's inputs on their way to the body.
//!
//! One input is one step, so a tick normally applies one. Inputs are applied in the order of their numbers, in whatever
//! order they arrived. A body whose inputs were late may catch up from its queue, within a token bucket: nobody gains
//! time. A silent player's body waits a third of a second, as its inputs are likely on their way, and then comes to rest.

use crate::packed::{Malformed, Reader, put_number};
use motion::{Buttons, Input, Pace};
use std::collections::VecDeque;

/// Inputs waiting for their tick. More are refused.
pub const INPUTS_QUEUED_MAX: usize = 64;
/// How far a batch may be numbered ahead of the last input: so many seconds of lost messages.
pub const INPUTS_AHEAD_S_MAX: u32 = 30;

/// A queue longer than this is shortened by two steps in a tick.
const CALM_QUEUE: usize = 4;

/// Tokens are counted in hundredths of a step: the rate of ticks and two per cent for clocks that run fast.
const STEP_TOKENS: u32 = 100;
const TOKENS_PER_TICK: u32 = 102;
const TOKENS_MAX: u32 = 10 * STEP_TOKENS;

/// How many numbers ahead a batch may be.
pub(crate) fn ahead_max(pace: Pace) -> u32 {
    INPUTS_AHEAD_S_MAX * pace.hz()
}

/// Ticks without an input before the body is advanced without one.
fn patience_ticks(pace: Pace) -> u32 {
    pace.hz() / 3
}

/// Why inputs were not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// Numbered too far ahead.
    #[error("input {seq} is more than {INPUTS_AHEAD_S_MAX} s ahead of {last}")]
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
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Control {
    /// In the order of numbers, all above `applied_seq`.
    queue: VecDeque<(u32, Input)>,
    /// The newest number known.
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

    /// Queues a batch. Inputs known already are left out; one that was overtaken is put where it belongs, unless a later
    /// one is applied already; missing ones are never made up for.
    pub(crate) fn take(&mut self, first_seq: u32, inputs: &[Input], pace: Pace) -> Result<(), InputError> {
        if first_seq > self.last_seq.saturating_add(ahead_max(pace)) {
            return Err(InputError::TooFarAhead { seq: first_seq, last: self.last_seq });
        }
        for (seq, input) in (first_seq..).zip(inputs) {
            let Some(at) = self.place_of(seq) else { continue };
            if self.queue.len() >= INPUTS_QUEUED_MAX {
                return Err(InputError::QueueFull);
            }
            // Keys that mean nothing are no part of the state.
            let buttons = Buttons(input.buttons.0 & Buttons::ALL.0);
            self.queue.insert(at, (seq, Input { buttons, ..*input }));
            self.last_seq = self.last_seq.max(seq);
        }
        Ok(())
    }

    /// Where in the queue an input belongs; none if it is known or too late.
    fn place_of(&self, seq: u32) -> Option<usize> {
        if seq > self.last_seq {
            return Some(self.queue.len());
        }
        if seq <= self.applied_seq {
            return None;
        }
        self.queue.binary_search_by_key(&seq, |(seq, _)| *seq).err()
    }

    /// Forgets what waits: the player begins anew after the last input applied.
    pub(crate) fn restart(&mut self) {
        self.queue.clear();
        self.last_seq = self.applied_seq;
        self.silent_ticks = 0;
    }

    /// Gives the steps of this tick one after the other to `step`.
    pub(crate) fn tick(&mut self, pace: Pace, mut step: impl FnMut(Input)) {
        self.tokens = (self.tokens + TOKENS_PER_TICK).min(TOKENS_MAX);
        if self.queue.is_empty() {
            self.silent_ticks = self.silent_ticks.saturating_add(1);
            if self.silent_ticks > patience_ticks(pace) {
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

    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        for number in [self.last_seq, self.applied_seq, self.tokens, self.silent_ticks] {
            put_number(out, number.into());
        }
        put_number(out, self.queue.len() as u64);
        for (seq, input) in &self.queue {
            put_number(out, (*seq).into());
            put_input(out, *input, None);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let [last_seq, applied_seq, tokens, silent_ticks] =
            [reader.number_u32()?, reader.number_u32()?, reader.number_u32()?, reader.number_u32()?];
        let count = reader.count(2)?;
        if tokens > TOKENS_MAX || count > INPUTS_QUEUED_MAX {
            return Err(Malformed("more inputs than may wait"));
        }
        let mut queue = VecDeque::with_capacity(count);
        let mut newest = applied_seq;
        for _ in 0..count {
            let seq = reader.number_u32()?;
            if seq <= newest {
                return Err(Malformed("inputs out of order"));
            }
            newest = seq;
            queue.push_back((seq, read_input(reader, None)?));
        }
        if newest > last_seq {
            return Err(Malformed("inputs newer than the newest"));
        }
        Ok(Self { queue, last_seq, applied_seq, tokens, silent_ticks })
    }
}

/// Set beside the keys if the heading is not that of the input before.
const NEW_HEADING: u8 = 0x80;

/// Writes an input in one byte, or in seven if it looks elsewhere than `before`.
pub(crate) fn put_input(out: &mut Vec<u8>, input: Input, before: Option<Input>) {
    let is_new = before.is_none_or(|before| before.heading != input.heading);
    out.push(input.buttons.0 & Buttons::ALL.0 | if is_new { NEW_HEADING } else { 0 });
    if is_new {
        out.extend(input.heading.iter().flat_map(|part| part.to_le_bytes()));
    }
}

pub(crate) fn read_input(reader: &mut Reader<'_>, before: Option<Input>) -> Result<Input, Malformed> {
    let first = reader.byte()?;
    let buttons = Buttons(first & !NEW_HEADING);
    if buttons.0 & !Buttons::ALL.0 != 0 {
        return Err(Malformed("keys that are none"));
    }
    let mut heading = [0; 3];
    if first & NEW_HEADING != 0 {
        for part in &mut heading {
            *part = i16::from_le_bytes(reader.take(2)?.try_into().expect("two were taken"));
        }
        if before.is_some_and(|before| before.heading == heading) {
            return Err(Malformed("a heading told twice"));
        }
    } else {
        heading = before.ok_or(Malformed("a heading like none"))?.heading;
    }
    Ok(Input { buttons, heading })
}

#[cfg(test)]
mod tests {
    use super::*;
    use motion::Buttons;
    use proptest::prelude::*;

    const PACE: Pace = Pace::try_from_hz(30).unwrap();

    fn input(n: u8) -> Input {
        Input { buttons: Buttons(n), heading: [0; 3] }
    }

    fn tick(control: &mut Control) -> Vec<u8> {
        let mut steps = vec![];
        control.tick(PACE, |input| steps.push(input.buttons.0));
        steps
    }

    #[test]
    fn duplicates_and_old_inputs_are_ignored_and_gaps_accepted() {
        let mut control = Control::default();
        control.take(1, &[input(1), input(2)], PACE).unwrap();
        control.take(1, &[input(9), input(9), input(3)], PACE).unwrap();
        control.take(2, &[input(9)], PACE).unwrap();
        control.take(7, &[input(7)], PACE).unwrap();
        let steps: Vec<_> = (0..5).flat_map(|_| tick(&mut control)).collect();
        assert_eq!(steps, [1, 2, 3, 7]);
        assert_eq!(control.applied_seq(), 7);
    }

    #[test]
    fn inputs_far_ahead_and_beyond_the_queue_are_refused() {
        let mut control = Control::default();
        let ahead = control.take(901, &[input(1)], PACE);
        assert_eq!(ahead, Err(InputError::TooFarAhead { seq: 901, last: 0 }));
        assert_eq!(control.take(u32::MAX - 20, &[input(1); 16], PACE).map_err(|_| ()), Err(()));
        for first in (1..).step_by(16).take(4) {
            control.take(first, &[input(1); 16], PACE).unwrap();
        }
        assert_eq!(control.take(65, &[input(1)], PACE), Err(InputError::QueueFull));
    }

    #[test]
    fn a_silent_body_waits_ten_ticks_and_is_then_advanced_without_wishes() {
        let mut control = Control::default();
        for _ in 0..patience_ticks(PACE) {
            assert_eq!(tick(&mut control), []);
        }
        assert_eq!(tick(&mut control), [0]);
        control.take(1, &[input(5)], PACE).unwrap();
        assert_eq!(tick(&mut control), [5]);
        assert_eq!(tick(&mut control), []);
    }

    #[test]
    fn a_restart_forgets_what_waits_and_goes_on_after_the_last_applied() {
        let mut control = Control::default();
        control.take(1, &[input(1), input(2), input(3)], PACE).unwrap();
        tick(&mut control);
        control.restart();
        assert_eq!(control.applied_seq(), 1);
        control.take(2, &[input(8)], PACE).unwrap();
        assert_eq!(tick(&mut control), [8]);
    }

    #[test]
    fn an_overtaken_input_is_put_where_it_belongs_and_one_that_comes_too_late_is_not() {
        let mut control = Control::default();
        control.take(3, &[input(3), input(4)], PACE).unwrap();
        control.take(1, &[input(1), input(2), input(9)], PACE).unwrap();
        let steps: Vec<_> = (0..3).flat_map(|_| tick(&mut control)).collect();
        assert_eq!(steps, [1, 2, 3]);
        control.take(6, &[input(6)], PACE).unwrap();
        tick(&mut control);
        tick(&mut control);
        control.take(5, &[input(5)], PACE).unwrap();
        assert_eq!((tick(&mut control), control.applied_seq()), (vec![], 6));
    }

    #[test]
    fn patience_and_reach_are_times_and_not_counts() {
        for (hz, patience, ahead) in [(20, 6, 600), (30, 10, 900), (60, 20, 1_800)] {
            let pace = Pace::try_from_hz(hz).unwrap();
            assert_eq!((patience_ticks(pace), ahead_max(pace)), (patience, ahead));
        }
    }

    proptest! {
        #[test]
        fn batches_are_applied_alike_in_whatever_order_they_arrive(
            order in Just((0..8_u32).collect::<Vec<_>>()).prop_shuffle(), overlap in 0..3_usize,
        ) {
            // Eight batches of four, each with some of the next one's inputs too, arrive within one tick.
            let batch = |n: u32| {
                let first = n * 4 + 1;
                let count = 4 + if n < 7 { overlap as u32 } else { 0 };
                (first, (first..first + count).map(|seq| input(seq as u8)).collect::<Vec<_>>())
            };
            let mut ordered = Control::default();
            let mut shuffled = Control::default();
            for n in 0..8 {
                let (first, inputs) = batch(n);
                ordered.take(first, &inputs, PACE).unwrap();
                let (first, inputs) = batch(order[n as usize]);
                shuffled.take(first, &inputs, PACE).unwrap();
            }
            prop_assert_eq!(&ordered, &shuffled);
            let steps: Vec<_> = (0..40).flat_map(|_| tick(&mut shuffled)).take(32).collect();
            prop_assert_eq!(steps, (1..=32).collect::<Vec<u8>>());
        }

        #[test]
        fn a_control_comes_back_from_its_bytes(batches in prop::collection::vec((1..9_usize, 0..3_u32, any::<[i16; 3]>()), 0..12)) {
            let mut control = Control::default();
            for (count, gap, heading) in batches {
                let inputs = vec![Input { buttons: Buttons(17), heading }; count];
                let _ = control.take(control.last_seq + 1 + gap, &inputs, PACE);
                tick(&mut control);
            }
            let mut bytes = vec![];
            control.put(&mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Control::read(&mut reader), Ok(control));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn nobody_gains_time(batches in prop::collection::vec(prop::option::of(1..17_usize), 300)) {
            let mut control = Control::default();
            let mut seq = 1;
            let mut steps = 0;
            for (ticks, batch) in (1..).zip(batches) {
                if let Some(count) = batch {
                    let _ = control.take(seq, &vec![input(1); count], PACE);
                    seq = control.last_seq + 1;
                }
                steps += tick(&mut control).len();
                prop_assert!(steps <= 10 + ticks * 102 / 100, "{steps} steps in {ticks} ticks");
            }
        }
    }
}
