//! Inputs on the wire.
//!
//! ```text
//! byte 0      4       5            12
//!      +------+-------+------------+----
//!      | seq  | count | input 0    | …      input: buttons u8, heading 3 × i16
//!      +------+-------+------------+----
//! ```
//!
//! Little-endian. `seq` numbers the first input, the others follow by one each.

use crate::INPUT_BATCH_MAX;
use crate::reader::{Reader, TooShort};
use motion::{Buttons, Input, Predictor};

/// Consecutive inputs of one player, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputBatch {
    /// Number of the first input; a player's first input ever is 1.
    pub first_seq: u32,
    /// 1 to [`INPUT_BATCH_MAX`] inputs, one for each step of 1/30 s.
    pub inputs: Vec<Input>,
}

/// Why a payload is no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputBatchError {
    /// It ends too early.
    #[error(transparent)]
    TooShort(#[from] TooShort),
    /// None or more than [`INPUT_BATCH_MAX`].
    #[error("{0} inputs, 1 to {INPUT_BATCH_MAX} are allowed")]
    Count(u8),
    /// Bytes after the last input.
    #[error("{0} bytes too many")]
    TooLong(usize),
    /// The numbers of its inputs go past the last `u32`.
    #[error("the sequence numbers overflow")]
    Overflow,
}

impl InputBatch {
    /// The oldest inputs of a prediction that are numbered above `sent_seq`, as many as fit; none if all were sent.
    pub fn unsent(predictor: &Predictor, sent_seq: u32) -> Option<Self> {
        let inputs = predictor.inputs_after(sent_seq);
        let first_seq = predictor.last_seq().wrapping_sub(inputs.len() as u32).wrapping_add(1);
        let inputs: Vec<_> = inputs.take(INPUT_BATCH_MAX).collect();
        (!inputs.is_empty()).then_some(Self { first_seq, inputs })
    }

    /// Number of the last input.
    pub fn last_seq(&self) -> u32 {
        self.first_seq.wrapping_add(self.inputs.len() as u32).wrapping_sub(1)
    }

    pub(crate) fn append_to(&self, bytes: &mut Vec<u8>) {
        assert!((1..=INPUT_BATCH_MAX).contains(&self.inputs.len()), "the sender splits longer batches");
        bytes.extend(self.first_seq.to_le_bytes());
        bytes.push(self.inputs.len() as u8);
        for input in &self.inputs {
            bytes.push(input.buttons.0);
            for part in input.heading {
                bytes.extend(part.to_le_bytes());
            }
        }
    }

    pub(crate) fn parse(payload: &[u8]) -> Result<Self, InputBatchError> {
        let mut reader = Reader(payload);
        let first_seq = reader.u32()?;
        let count = reader.u8()?;
        if !(1..=INPUT_BATCH_MAX).contains(&usize::from(count)) {
            return Err(InputBatchError::Count(count));
        }
        if first_seq.checked_add(u32::from(count)).is_none() {
            return Err(InputBatchError::Overflow);
        }
        let mut inputs = Vec::with_capacity(count.into());
        for _ in 0..count {
            let buttons = Buttons(reader.u8()?);
            inputs.push(Input { buttons, heading: [reader.i16()?, reader.i16()?, reader.i16()?] });
        }
        match reader.0.len() {
            0 => Ok(Self { first_seq, inputs }),
            extra => Err(InputBatchError::TooLong(extra)),
        }
    }
}
