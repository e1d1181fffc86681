//! A player's own body, ahead of the server's answer.

use crate::{Body, Ground, Input, step};
use std::collections::VecDeque;

/// Inputs waiting for the server's answer, ten seconds' worth. Older ones are forgotten.
const PENDING_MAX: usize = 300;

/// Moves a body at once and keeps the inputs until the server has applied them.
#[derive(Clone, Debug)]
pub struct Predictor {
    body: Body,
    last_seq: u32,
    /// The newest inputs, the last one numbered `last_seq`.
    pending: VecDeque<Input>,
}

impl Predictor {
    /// Begins with the server's body after the input numbered `last_seq`.
    pub fn new(body: Body, last_seq: u32) -> Self {
        Self { body, last_seq, pending: VecDeque::new() }
    }

    /// The body as predicted.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Number of the newest input.
    pub fn last_seq(&self) -> u32 {
        self.last_seq
    }

    /// Applies one input and gives its number. Numbers wrap after four years of walking.
    pub fn step(&mut self, input: Input, ground: &impl Ground) -> u32 {
        step(&mut self.body, input, ground);
        self.last_seq = self.last_seq.wrapping_add(1);
        if self.pending.len() == PENDING_MAX {
            self.pending.pop_front();
        }
        self.pending.push_back(input);
        self.last_seq
    }

    /// The newest inputs, oldest first, that are numbered above `seq` and still remembered.
    pub fn inputs_after(&self, seq: u32) -> impl ExactSizeIterator<Item = Input> {
        let count = (self.last_seq.wrapping_sub(seq) as usize).min(self.pending.len());
        self.pending.iter().skip(self.pending.len() - count).copied()
    }

    /// Takes the server's body after the input numbered `applied_seq`, and applies the inputs after that again. Gives
    /// how far the prediction was off in metres: 0 when nothing went wrong.
    pub fn reconcile(&mut self, body: Body, applied_seq: u32, ground: &impl Ground) -> f64 {
        let predicted = self.body.position;
        // An answer to inputs never made is to a former prediction: go on from there.
        let unanswered = self.last_seq.wrapping_sub(applied_seq).cast_signed();
        if unanswered < 0 {
            *self = Self::new(body, applied_seq);
        } else {
            let answered = self.pending.len().saturating_sub(unanswered.cast_unsigned() as usize);
            self.pending.drain(..answered);
            self.body = body;
            for input in &self.pending {
                step(&mut self.body, *input, ground);
            }
        }
        (self.body.position - predicted).length()
    }
}
