//! All there is to know of one body: what goes with it from zone to zone.

use crate::control::Control;
use crate::honesty::Honesty;
use crate::packed::{Malformed, Reader, put_body, put_number};
use cell::CellId;
use motion::{Body, ClosedLand};

/// Version of [`Mover::to_bytes`].
const VERSION: u8 = 1;

/// A body with its inputs that wait, the land that is closed to it, and what speaks against it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mover {
    pub(crate) body: Body,
    pub(crate) control: Control,
    pub(crate) closed: ClosedLand,
    pub(crate) honesty: Honesty,
}

impl Mover {
    /// A body that begins.
    pub fn new(body: Body, closed: ClosedLand) -> Self {
        Self { body, control: Control::default(), closed, honesty: Honesty::default() }
    }

    /// Where it is and how it moves.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// Number of the last input applied to it.
    pub fn applied_seq(&self) -> u32 {
        self.control.applied_seq()
    }

    /// Where it may not go.
    pub fn closed(&self) -> &ClosedLand {
        &self.closed
    }

    /// As bytes, the same for equal movers.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        bytes.push(VERSION);
        self.put(&mut bytes);
        put_lots(&mut bytes, &self.closed);
        bytes
    }

    /// From [`Mover::to_bytes`].
    pub fn try_from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let mover = Self::read_whole(&mut reader)?;
        reader.end()?;
        Ok(mover)
    }

    pub(crate) fn read_whole(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        if reader.byte()? != VERSION {
            return Err(Malformed("a body of another version"));
        }
        let mover = Self::read(reader)?;
        Ok(Self { closed: read_lots(reader)?, ..mover })
    }

    /// Without the land that is closed.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        put_parts(out, &self.body, &self.control, &self.honesty);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (body, control) = (reader.body()?, Control::read(reader)?);
        let honesty = Honesty::read(reader)?;
        Ok(Self { body, control, closed: ClosedLand::default(), honesty })
    }
}

pub(crate) fn put_parts(out: &mut Vec<u8>, body: &Body, control: &Control, honesty: &Honesty) {
    put_body(out, body);
    control.put(out);
    honesty.put(out);
}

/// Writes closed lots: their number, then each as the difference of its id to the one before, and its parcel.
pub(crate) fn put_lots(out: &mut Vec<u8>, closed: &ClosedLand) {
    put_number(out, closed.lots().len() as u64);
    let mut before = 0;
    for (lot, parcel) in closed.lots() {
        put_number(out, lot.raw() - before);
        out.extend(parcel.to_le_bytes());
        before = lot.raw();
    }
}

pub(crate) fn read_lots(reader: &mut Reader<'_>) -> Result<ClosedLand, Malformed> {
    let count = reader.count(9)?;
    let mut closed = ClosedLand::default();
    let mut before = 0_u64;
    for _ in 0..count {
        let step = reader.number()?;
        let raw = before.checked_add(step).filter(|_| step > 0).ok_or(Malformed("lots out of order"))?;
        let lot = CellId::try_from_raw(raw).ok_or(Malformed("a lot that is no cell"))?;
        if !closed.close(lot, reader.u64()?) {
            return Err(Malformed("lots of several levels"));
        }
        before = raw;
    }
    Ok(closed)
}
