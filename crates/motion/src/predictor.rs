//! A player's own body, ahead of the server's answer.

use crate::{Body, Ground, Input, Pace, step};
use std::collections::VecDeque;

/// So many seconds of inputs wait for the server's answer. Older ones are forgotten.
const PENDING_S_MAX: u32 = 10;

/// Moves a body at once and keeps the inputs until the server has applied them.
#[derive(Clone, Debug)]
pub struct Predictor {
    pace: Pace,
    last_seq: u32,
    /// The body after the input before the first pending one.
    confirmed: Body,
    /// The newest inputs, the last one numbered `last_seq`, and the body after each.
    pending: VecDeque<(Input, Body)>,
}

impl Predictor {
    /// Begins with the server's body after the input numbered `last_seq`.
    pub fn new(body: Body, last_seq: u32, pace: Pace) -> Self {
        Self { pace, last_seq, confirmed: body, pending: VecDeque::new() }
    }

    /// Steps per second.
    pub fn pace(&self) -> Pace {
        self.pace
    }

    /// The body as predicted.
    pub fn body(&self) -> &Body {
        self.pending.back().map_or(&self.confirmed, |(_, body)| body)
    }

    /// Number of the newest input.
    pub fn last_seq(&self) -> u32 {
        self.last_seq
    }

    /// Applies one input and gives its number. Numbers wrap after four years of walking.
    pub fn step(&mut self, input: Input, ground: &impl Ground) -> u32 {
        let mut body = *self.body();
        step(&mut body, input, ground, self.pace);
        self.last_seq = self.last_seq.wrapping_add(1);
        self.pending.push_back((input, body));
        if self.pending.len() > (PENDING_S_MAX * self.pace.hz()) as usize {
            self.answer_first();
        }
        self.last_seq
    }

    /// The newest inputs, oldest first, that are numbered above `seq` and still remembered.
    pub fn inputs_after(&self, seq: u32) -> impl ExactSizeIterator<Item = Input> {
        let count = (self.last_seq.wrapping_sub(seq) as usize).min(self.pending.len());
        self.pending.iter().skip(self.pending.len() - count).map(|(input, _)| *input)
    }

    /// Takes the server's body after the input numbered `applied_seq`, and applies the inputs after that again if it is
    /// not the predicted one. Gives how far the prediction was off in metres: 0 when nothing went wrong.
    pub fn reconcile(&mut self, body: Body, applied_seq: u32, ground: &impl Ground) -> f64 {
        let unanswered = self.last_seq.wrapping_sub(applied_seq).cast_signed();
        if unanswered < 0 {
            // An answer to inputs never made is to a former prediction: go on from there.
            let off_m = (body.position - self.body().position).length();
            *self = Self::new(body, applied_seq, self.pace);
            return off_m;
        }
        while self.pending.len() > unanswered.cast_unsigned() as usize {
            self.answer_first();
        }
        if moves_alike(&self.confirmed, &body) {
            return 0.0;
        }
        let predicted = self.body().position;
        self.confirmed = body;
        let mut body = body;
        for (input, after) in &mut self.pending {
            step(&mut body, *input, ground, self.pace);
            *after = body;
        }
        (self.body().position - predicted).length()
    }

    /// What is closed to the body has changed after the input numbered `seq`: applies the later ones again. Gives how
    /// far the body is moved by that in metres.
    pub fn repeat_after(&mut self, seq: u32, ground: &impl Ground) -> f64 {
        let later = self.last_seq.wrapping_sub(seq).cast_signed().max(0).cast_unsigned() as usize;
        let first = self.pending.len().saturating_sub(later);
        let before = self.body().position;
        let mut body = first.checked_sub(1).map_or(self.confirmed, |last| self.pending[last].1);
        for (input, after) in self.pending.iter_mut().skip(first) {
            step(&mut body, *input, ground, self.pace);
            *after = body;
        }
        (self.body().position - before).length()
    }

    fn answer_first(&mut self) {
        if let Some((_, body)) = self.pending.pop_front() {
            self.confirmed = body;
        }
    }
}

/// Whether both go on in the same way: the facing has no part in that, and is rounded on its way here.
fn moves_alike(one: &Body, other: &Body) -> bool {
    one.position == other.position && one.velocity == other.velocity && one.mode == other.mode
}
