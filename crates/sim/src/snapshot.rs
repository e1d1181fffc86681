//! A whole zone as bytes.
//!
//! ```text
//!   frame 'S', see log.rs; its body:
//!   u8 version | u8 level of cells | number: ticks a second | number: most bodies | u64 seed
//!   number: ticks | number: last id | number: next newcomer's seed | number: records of the log before it
//!   number: lists of closed lots | the lists
//!   number: bodies | of each, in the order of ids: number: id minus that before | its list | body, inputs, honesty
//!   u64 hash of the state
//! ```

use crate::log::{FrameError, Frames, Kind, framed};
use crate::mover::{Mover, put_lots, put_parts, read_lots};
use crate::packed::{Malformed, Reader, put_number};
use crate::zone::{EntityId, Zone, ZoneConfig};
use motion::{ClosedLand, Ground, Pace};
use std::collections::BTreeMap;

const VERSION: u8 = 1;

/// Why a zone could not be made of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The bytes are not whole.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// They are no snapshot, or of another version.
    #[error("the snapshot is {0}")]
    Malformed(#[from] Malformed),
    /// The zone that came of it is not the one that was kept.
    #[error("the snapshot's state has the hash {found:016x} and not {kept:016x}")]
    OtherState {
        /// The hash in the snapshot.
        kept: u64,
        /// The hash of what it holds.
        found: u64,
    },
}

impl<G: Ground> Zone<G> {
    /// The whole zone as bytes, for [`Zone::restore`]. The same for equal zones.
    pub fn snapshot(&self) -> Vec<u8> {
        let ZoneConfig { cell_level, bodies_max, pace, seed } = self.config;
        let mut body = Vec::with_capacity(64 + 192 * self.bodies.len());
        body.extend([VERSION, cell_level]);
        put_number(&mut body, pace.hz().into());
        put_number(&mut body, bodies_max as u64);
        body.extend(seed.to_le_bytes());
        for number in [self.tick, self.last_entity.into(), self.next_seed.into(), self.noted] {
            put_number(&mut body, number);
        }
        let mut slots: Vec<usize> = self.bodies.slots().collect();
        slots.sort_unstable_by_key(|slot| self.bodies.ids[*slot]);
        // People without land of their own share what is closed to them.
        let mut lists = BTreeMap::new();
        let mut list_of = Vec::with_capacity(slots.len());
        let mut lots = vec![];
        for slot in &slots {
            let closed = &self.bodies.closed[*slot];
            let next = lists.len();
            list_of.push(*lists.entry(closed.lots()).or_insert_with(|| {
                put_lots(&mut lots, closed);
                next
            }));
        }
        put_number(&mut body, lists.len() as u64);
        body.append(&mut lots);
        put_number(&mut body, slots.len() as u64);
        let mut before = 0;
        for (slot, list) in slots.into_iter().zip(list_of) {
            let id = self.bodies.ids[slot].0;
            put_number(&mut body, (id - before).into());
            put_number(&mut body, list as u64);
            let bodies = &self.bodies;
            put_parts(&mut body, &bodies.states[slot], &bodies.controls[slot], &bodies.honesty[slot]);
            before = id;
        }
        body.extend(self.state_hash().to_le_bytes());
        framed(Kind::Snapshot, &body)
    }

    /// The zone that a snapshot was taken of, on the same ground.
    pub fn restore(snapshot: &[u8], ground: G) -> Result<Self, RestoreError> {
        let mut frames = Frames::new(snapshot);
        let Some((Kind::Snapshot, body)) = frames.next().transpose()? else {
            return Err(Malformed("none").into());
        };
        if frames.next().is_some() {
            return Err(Malformed("followed by something").into());
        }
        let mut reader = Reader::new(body);
        let zone = Self::read(&mut reader, ground)?;
        let (kept, found) = (reader.u64()?, zone.state_hash());
        reader.end()?;
        if kept == found { Ok(zone) } else { Err(RestoreError::OtherState { kept, found }) }
    }

    fn read(reader: &mut Reader<'_>, ground: G) -> Result<Self, Malformed> {
        if reader.byte()? != VERSION {
            return Err(Malformed("of another version"));
        }
        let cell_level = reader.byte()?;
        let pace = Pace::try_from_hz(reader.number_u32()?).ok_or(Malformed("of a pace that is none"))?;
        let bodies_max = usize::try_from(reader.number()?).map_err(|_| Malformed("of too many bodies"))?;
        let seed = reader.u64()?;
        if cell_level > wire::CELL_LEVEL_MAX {
            return Err(Malformed("of cells that are too small"));
        }
        let mut zone = Self::new(ZoneConfig { cell_level, bodies_max, pace, seed }, ground);
        (zone.tick, zone.last_entity) = (reader.number()?, reader.number_u32()?);
        (zone.next_seed, zone.noted) = (reader.number_u32()?, reader.number()?);
        let lists = reader.count(1)?;
        let lists = (0..lists).map(|_| read_lots(reader)).collect::<Result<Vec<ClosedLand>, _>>()?;
        let count = reader.count(80)?;
        if count > bodies_max {
            return Err(Malformed("of more bodies than its most"));
        }
        let mut id = 0_u32;
        for _ in 0..count {
            let step = reader.number_u32()?;
            id = id.checked_add(step).filter(|_| step > 0).ok_or(Malformed("of ids out of order"))?;
            let closed = usize::try_from(reader.number()?).ok().and_then(|list| lists.get(list));
            let closed = closed.ok_or(Malformed("of fences like none"))?.clone();
            let mover = Mover { closed, ..Mover::read(reader)? };
            zone.bodies.add(EntityId(id), mover, cell_level);
        }
        if id > zone.last_entity {
            return Err(Malformed("of ids beyond the last"));
        }
        zone.bodies.sort();
        Ok(zone)
    }
}
