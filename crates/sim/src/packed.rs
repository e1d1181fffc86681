//! Numbers as bytes, for what is kept: logs, snapshots, bodies on their way between zones.
//!
//! Whole numbers whose size varies are LEB128, least significant group first; all else is little endian. Reading trusts
//! nothing: every error is a [`Malformed`].

use glam::DVec3;
use motion::{Body, Mode};

/// Bytes that no zone has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed: {0}")]
pub struct Malformed(pub &'static str);

/// No number is farther from the planet's centre than this, in metres: ten Earths.
const POSITION_M_MAX: f64 = 1e8;

pub(crate) fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn put_vector(out: &mut Vec<u8>, vector: DVec3) {
    for part in vector.to_array() {
        out.extend(part.to_bits().to_le_bytes());
    }
}

pub(crate) fn put_body(out: &mut Vec<u8>, body: &Body) {
    put_vector(out, body.position);
    put_vector(out, body.velocity);
    put_vector(out, body.facing);
    out.push(body.mode as u8);
}

/// Reads from the front.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(Malformed("cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Malformed> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().expect("eight were taken")))
    }

    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let group = u64::from(byte & 0x7f);
            if group << shift >> shift != group {
                return Err(Malformed("a number of more than 64 bits"));
            }
            number |= group << shift;
            if byte < 0x80 {
                // One number has one spelling, so that what was read is written alike.
                let is_shortest = byte != 0 || shift == 0;
                return if is_shortest { Ok(number) } else { Err(Malformed("a number with idle groups")) };
            }
        }
        Err(Malformed("a number of more than ten bytes"))
    }

    pub(crate) fn number_u32(&mut self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed("a number of more than 32 bits"))
    }

    /// A number of things of at least `bytes_min` each: no more than there are bytes for, so that nothing is reserved
    /// for what is not there.
    pub(crate) fn count(&mut self, bytes_min: usize) -> Result<usize, Malformed> {
        let count = usize::try_from(self.number()?).map_err(|_| Malformed("too many"))?;
        if count > self.rest.len() / bytes_min {
            Err(Malformed("more than there are bytes for"))
        } else {
            Ok(count)
        }
    }

    /// Finite, and no place outside of everything.
    pub(crate) fn vector(&mut self) -> Result<DVec3, Malformed> {
        let mut parts = [0.0; 3];
        for part in &mut parts {
            *part = f64::from_bits(self.u64()?);
        }
        let vector = DVec3::from_array(parts);
        let is_sound = vector.is_finite() && vector.abs().max_element() <= POSITION_M_MAX;
        if is_sound { Ok(vector) } else { Err(Malformed("a vector out of range")) }
    }

    pub(crate) fn body(&mut self) -> Result<Body, Malformed> {
        let (position, velocity, facing) = (self.vector()?, self.vector()?, self.vector()?);
        let mode = Mode::try_from_u8(self.byte()?).ok_or(Malformed("a mode that is none"))?;
        if position.length_squared() < 1.0 {
            return Err(Malformed("a body in the planet's centre"));
        }
        Ok(Body { position, velocity, facing, mode })
    }

    pub(crate) fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed("more bytes than it needs")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_comes_back_and_has_one_spelling(number: u64, tail: [u8; 3]) {
            let mut bytes = vec![];
            put_number(&mut bytes, number);
            let length = bytes.len();
            bytes.extend(tail);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.number(), Ok(number));
            prop_assert_eq!(reader.rest.len(), 3);
            let mut idle = bytes[..length].to_vec();
            *idle.last_mut().unwrap() |= 0x80;
            idle.push(0);
            prop_assert!(Reader::new(&idle).number().is_err());
        }

        #[test]
        fn what_is_read_from_any_bytes_is_written_alike(bytes in prop::collection::vec(any::<u8>(), 0..90)) {
            if let Ok(number) = Reader::new(&bytes).number() {
                let mut again = vec![];
                put_number(&mut again, number);
                prop_assert!(bytes.starts_with(&again));
            }
            if let Ok(body) = Reader::new(&bytes).body() {
                let mut again = vec![];
                put_body(&mut again, &body);
                prop_assert!(bytes.starts_with(&again));
            }
        }
    }
}
